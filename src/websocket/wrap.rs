//! A server's side over a stream of the user's own.

use std::sync::Arc;

use futures::{AsyncRead, AsyncWrite};

use super::{
    ConnectionTimeout, Endpoint, HandshakeError, Phase, ServerConfig, WebSocketRequest,
    opening::{self, RequestFailed},
    registry::Registry,
    slot::{Owner, Slot},
};
use crate::{
    proto::RequestReader,
    runtime::Transport,
    scope::{Nursery, fail_after},
};

/// Reads a request from a stream of your own, and what is accepted of it lives in the nursery: closed when the last handle is dropped,
/// and when the nursery ends. Of `config`, limits, handshake timeout and the connection's habits are used; deciding takes as long as it
/// takes, and the origin is the caller's affair.
///
/// ```
/// # #[cfg(unix)] {
/// use async_std::os::unix::net::UnixStream; // or anything else that is `AsyncRead` and `AsyncWrite`
/// use wscope::websocket::{Accept, ServerConfig};
/// use wscope::{Error, Nursery, nursery, wrap_client_stream, wrap_server_stream};
///
/// # wscope::run(async {
/// nursery(async |n: Nursery<'_, Error>| {
///     let (here, there) = UnixStream::pair()?;
///     let client = n.child({
///         let n = n.clone();
///         async move { Ok(wrap_client_stream(&n, here, "ws://example.com/").await?) }
///     });
///     let request = wrap_server_stream(&n, there, &ServerConfig::new()).await?;
///     let server = request.accept(Accept::new()).await?;
///     let client = client.await?;
///     client.send_message("hello").await?;
///     assert_eq!(server.get_message().await?.as_text(), Some("hello"));
///     Ok(())
/// })
/// .await
/// # })?;
/// # }
/// # Ok::<(), wscope::Error>(())
/// ```
///
/// Bounded by [`handshake_timeout`](ServerConfig::handshake_timeout), and the time in which who sent no request is told so. A dropped call
/// drops the stream.
///
/// # Errors
/// [`HandshakeError::Request`] when there was no request, which was answered; [`HandshakeError::Timeout`]; [`HandshakeError::Network`].
///
/// # Panics
/// When the nursery has finished.
pub async fn wrap_server_stream<E: Send>(
    nursery: &Nursery<'_, E>,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    config: &ServerConfig,
) -> Result<WebSocketRequest, HandshakeError> {
    let mut transport = Transport::other(stream);
    let peer = Endpoint::remote(&transport).client();
    let (mut reader, mut out) = (RequestReader::new(config.handshake), Vec::new());
    let reading = opening::read_request(&mut transport, &mut reader, &mut out);
    let failed = match fail_after(config.handshake_timeout, reading).await {
        Ok(Ok((handshake, early))) => {
            let slot = Arc::new(Slot::new(Arc::new(Registry::default())));
            drive_in(nursery, Owner(slot.clone()));
            return Ok(WebSocketRequest::new(transport, handshake, early, config, slot));
        }
        Ok(Err(RequestFailed::Network(error))) => HandshakeError::Network { peer, error: error.into() },
        Ok(Err(RequestFailed::Request(error))) => HandshakeError::Request { peer, error },
        Err(slow) => {
            let _timed_out = reader.time_out(&mut out); // the error is ours, the answer the client's
            ConnectionTimeout { peer, limit: slow.limit, phase: Phase::Handshake }.into()
        }
    };
    if !out.is_empty() {
        opening::turn_away(transport, out).await;
    }
    Err(failed)
}

/// Waits for the driver of an accepted request, and drives.
fn drive_in<E: Send>(nursery: &Nursery<'_, E>, owner: Owner) {
    nursery.start_service(async move {
        if let Some(driver) = std::future::poll_fn(|cx| owner.0.poll_driver(cx)).await {
            driver.await;
        }
        Ok(())
    });
}
