//! Clients: opening a connection, for a block or for a nursery.

use std::{future::Future, io, sync::Mutex};

use super::{
    ClientConfig, ConnectionId, ConnectionTimeout, DisconnectionTimeout, Endpoint, HandshakeError,
    IntoClientConfig, Phase, WebSocketConnection, dial,
    driver::Driver,
    opening,
    scoped::scoped,
    shared::{Facts, Resource, Shared},
};
use crate::{
    proto::Role,
    runtime::{Transport, sync::lock},
    scope::{Nursery, checkpoint, fail_after},
};

/// Opens a connection, runs `body` with it, and closes it: nothing of it is left when this returns, or is dropped.
///
/// The peer is told how the block was left: 1000 when `body` returned a value, 1011 when it returned an error or panicked, 1001 when
/// this call was cancelled, timed out or dropped. It has the [`close_timeout`](super::ConnectionConfig::close_timeout) to answer. Opening is
/// bounded by [`connect_timeout`](ClientConfig::connect_timeout), `body` by nothing.
///
/// ```no_run
/// use wscope::{Error, open_websocket};
///
/// async fn hello() -> Result<(), Error> {
///     open_websocket("ws://127.0.0.1:8000/chat", async |ws| {
///         ws.send_message("hello").await?;
///         while let Some(message) = ws.next_message().await? {
///             println!("{message:?}");
///         }
///         Ok(())
///     })
///     .await
/// }
/// ```
///
/// # Errors
/// [`HandshakeError`] when there is no connection; the error of `body`; [`DisconnectionTimeout`] when `body` returned a value and the
/// peer did not answer the close frame in time.
pub async fn open_websocket<T, E, F, B>(to: impl IntoClientConfig, body: F) -> Result<T, E>
where
    F: FnOnce(WebSocketConnection) -> B,
    B: Future<Output = Result<T, E>>,
    E: From<HandshakeError> + From<DisconnectionTimeout>,
{
    let driver = connect(to.into_client_config()?).await?;
    let ws = WebSocketConnection::new(driver.shared().clone());
    scoped(driver, move || body(ws)).await
}

/// Opens a connection that lives in a nursery: it is closed when the last handle is dropped, with 1000, and when the nursery ends, with
/// 1001. Opening is bounded by [`connect_timeout`](ClientConfig::connect_timeout).
///
/// Cancel-safe: a dropped call leaves no connection.
///
/// ```no_run
/// use wscope::{Error, Nursery, connect_websocket};
///
/// async fn subscribe(n: &Nursery<'_, Error>, url: &str) -> Result<(), Error> {
///     let ws = connect_websocket(n, url).await?;
///     ws.send_message("prices, please").await?;
///     n.start_soon(async move {
///         while let Some(message) = ws.next_message().await? {
///             println!("{message:?}");
///         }
///         Ok(())
///     });
///     Ok(())
/// }
/// ```
///
/// # Errors
/// [`HandshakeError`], from here and not in the nursery.
///
/// # Panics
/// When the nursery has finished.
pub async fn connect_websocket<E: Send>(
    nursery: &Nursery<'_, E>,
    to: impl IntoClientConfig,
) -> Result<WebSocketConnection, HandshakeError> {
    let driver = connect(to.into_client_config()?).await?;
    Ok(drive_in(nursery, driver).await)
}

/// Opens a connection over a stream of your own; what is done elsewhere, TLS and finding the host, is not done here. It lives in the
/// nursery as one of [`connect_websocket`] does. Of the URL only the `Host` header, the target and the credentials are used. There is
/// an example at [`wrap_server_stream`](super::wrap_server_stream). Bounded by [`connect_timeout`](ClientConfig::connect_timeout).
///
/// A dropped call drops the stream.
///
/// # Errors
/// [`HandshakeError`], from here and not in the nursery.
///
/// # Panics
/// When the nursery has finished.
pub async fn wrap_client_stream<E: Send>(
    nursery: &Nursery<'_, E>,
    stream: impl futures::AsyncRead + futures::AsyncWrite + Send + Unpin + 'static,
    to: impl IntoClientConfig,
) -> Result<WebSocketConnection, HandshakeError> {
    let config = to.into_client_config()?;
    let phase = Mutex::new(Phase::Handshake);
    let driver = within(&config, &phase, shake_hands(Transport::other(stream), &config)).await?;
    Ok(drive_in(nursery, driver).await)
}

async fn drive_in<E: Send>(nursery: &Nursery<'_, E>, driver: Driver) -> WebSocketConnection {
    let ws = WebSocketConnection::new(driver.shared().clone());
    nursery.start_service(async {
        driver.await;
        Ok(())
    });
    // The nursery has its turn first, so that the driver is there for whatever comes, the drop of the last handle included.
    checkpoint().await;
    ws
}

async fn connect(config: ClientConfig) -> Result<Driver, HandshakeError> {
    let phase = Mutex::new(Phase::Connect);
    let connect = async {
        let transport = dial(&config).await?;
        let transport = if config.uri.secure() {
            *lock(&phase) = Phase::Tls;
            encrypt(&config, transport).await?
        } else {
            transport
        };
        *lock(&phase) = Phase::Handshake;
        shake_hands(transport, &config).await.map_err(|error| told_late(&config, error))
    };
    within(&config, &phase, connect).await
}

async fn within<T>(
    config: &ClientConfig,
    phase: &Mutex<Phase>,
    opening: impl Future<Output = Result<T, HandshakeError>>,
) -> Result<T, HandshakeError> {
    fail_after(config.connect_timeout, opening).await.unwrap_or_else(|slow| {
        Err(ConnectionTimeout { peer: config.uri.redacted(), limit: slow.limit, phase: *lock(phase) }.into())
    })
}

async fn dial(config: &ClientConfig) -> Result<Transport, HandshakeError> {
    #[cfg(unix)]
    if let Some(path) = &config.unix {
        let connected = crate::runtime::Unix::connect(path).await;
        let failed = |error: io::Error| HandshakeError::Network {
            peer: format!("unix:{}", path.display()),
            error: error.into(),
        };
        return Ok(Transport::Unix(connected.map_err(failed)?));
    }
    Ok(dial::dial(config.uri.host(), config.uri.port()).await?)
}

#[cfg(feature = "tls")]
async fn encrypt(config: &ClientConfig, transport: Transport) -> Result<Transport, HandshakeError> {
    let connected = super::tls::connect(&config.tls, config.uri.host(), transport).await;
    connected.map_err(|error| HandshakeError::Tls { peer: config.uri.redacted(), error })
}

/// What TLS had to say when its handshake was over.
#[cfg(feature = "tls")]
fn told_late(config: &ClientConfig, error: HandshakeError) -> HandshakeError {
    match &error {
        HandshakeError::Network { error: network, .. } if config.uri.secure() => {
            let told = super::TlsError::late(&network.0, config.uri.host());
            told.map_or(error, |error| HandshakeError::Tls { peer: config.uri.redacted(), error })
        }
        _ => error,
    }
}

#[cfg(not(feature = "tls"))]
fn told_late(_: &ClientConfig, error: HandshakeError) -> HandshakeError {
    error
}

#[cfg(not(feature = "tls"))]
async fn encrypt(_: &ClientConfig, _: Transport) -> Result<Transport, HandshakeError> {
    Err(HandshakeError::NoTls)
}

async fn shake_hands(mut transport: Transport, config: &ClientConfig) -> Result<Driver, HandshakeError> {
    let peer = config.uri.redacted();
    let opened = opening::request(&mut transport, &peer, config.request.clone(), config.handshake).await?;
    let facts = Facts {
        id: ConnectionId::next(Role::Client),
        local: Endpoint::local(&transport),
        remote: Endpoint::remote(&transport),
        resource: Resource::of_server(&config.uri),
        subprotocol: opened.agreement.subprotocol.map(Into::into),
        headers: opened.accept.into_headers(),
    };
    let config = config.connection.clone();
    Ok(Driver::new(Shared::new(transport, opened.agreement.extension, opened.early, config, facts)))
}
