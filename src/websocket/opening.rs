//! The opening handshake over a transport: moves its bytes, and decides nothing.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    task::Poll,
    time::Duration,
};

use super::{ConnectionConfig, ConnectionRejected, HandshakeError, scratch};
use crate::{
    proto::{
        AcceptConnection, Agreement, ClientEvent, ClientHandshake, HandshakeConfig, Request, RequestError,
        RequestReader, ServerHandshake, SystemRandom,
    },
    runtime::Transport,
    scope::move_on_after,
};

/// What a handshake leaves behind.
pub(super) struct Opened {
    pub(super) accept: AcceptConnection,
    pub(super) agreement: Agreement,
    /// Frames that came with the answer.
    pub(super) early: Vec<u8>,
}

/// Sends `request` and waits for its answer.
///
/// Cancel-safe in the only way there is: a transport on which this was dropped is of no use.
pub(super) async fn request(
    transport: &mut Transport,
    peer: &str,
    request: Request,
    config: HandshakeConfig,
) -> Result<Opened, HandshakeError> {
    let network = |error: io::Error| HandshakeError::Network { peer: peer.to_owned(), error: error.into() };
    let response = |error| HandshakeError::Response { peer: peer.to_owned(), error };
    let mut out = Vec::new();
    let mut handshake = ClientHandshake::start(request, config, &mut SystemRandom::new(), &mut out);
    write_all(transport, &out).await.map_err(network)?;
    let mut refused: Option<ConnectionRejected> = None;
    loop {
        let read = poll_fn(|cx| {
            scratch::lend(|scratch| {
                transport.poll_read(cx, scratch).map(|read| {
                    let count = read.map_err(network)?;
                    let mut input = &mut scratch[..count];
                    let mut events = Vec::new();
                    if count == 0 {
                        events.extend(handshake.receive_eof().map_err(response)?);
                    }
                    // One answer has few events, and of the bytes behind an acceptance none is ours.
                    while !input.is_empty()
                        && !matches!(events.last(), Some(ClientEvent::AcceptConnection(..)))
                        && let Some(event) = handshake.receive(&mut input).map_err(response)?
                    {
                        events.push(event);
                    }
                    Ok::<_, HandshakeError>((events, input.to_vec(), count == 0))
                })
            })
        });
        let (events, early, eof) = read.await?;
        for event in events {
            match event {
                ClientEvent::AcceptConnection(accept, agreement) => {
                    return Ok(Opened { accept, agreement, early });
                }
                ClientEvent::RejectConnection(reject) => {
                    let rejected = refused.insert(ConnectionRejected::new(peer, &reject));
                    if !reject.has_body() {
                        return Err(rejected.clone().into());
                    }
                }
                ClientEvent::RejectData(data) => {
                    let finished = data.is_finished();
                    if let Some(rejected) = &mut refused {
                        rejected.body.extend_from_slice(data.data());
                        rejected.truncated |= data.is_truncated();
                    }
                    if finished && let Some(rejected) = refused {
                        return Err(rejected.into());
                    }
                }
            }
        }
        if eof && let Some(mut rejected) = refused {
            rejected.truncated = true;
            return Err(rejected.into());
        }
    }
}

/// Reads one request. What is none has its refusal in `out`.
pub(super) async fn read_request(
    transport: &mut Transport,
    reader: &mut RequestReader,
    out: &mut Vec<u8>,
) -> Result<(ServerHandshake, Vec<u8>), RequestFailed> {
    poll_fn(|cx| {
        loop {
            let polled = scratch::lend(|scratch| {
                transport.poll_read(cx, scratch).map(|read| match read {
                    Ok(0) => match reader.receive_eof(out) {
                        Ok(()) => Err(RequestFailed::Network(io::ErrorKind::UnexpectedEof.into())),
                        Err(error) => Err(RequestFailed::Request(error)),
                    },
                    Ok(count) => {
                        let mut input = &mut scratch[..count];
                        let handshake = reader.receive(&mut input, out)?;
                        Ok(handshake.map(|handshake| (handshake, input.to_vec())))
                    }
                    Err(error) => Err(RequestFailed::Network(error)),
                })
            });
            match polled {
                Poll::Ready(Ok(Some(request))) => return Poll::Ready(Ok(request)),
                Poll::Ready(Ok(None)) => {} // linear in the bytes, and bounded by the limit of the head
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestFailed {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Network(#[from] io::Error),
}

/// Writes all of `bytes`, down to the kernel.
pub(super) async fn write_all(transport: &mut Transport, bytes: &[u8]) -> io::Result<()> {
    let mut written = 0;
    poll_fn(|cx| {
        while written < bytes.len() {
            match transport.poll_write_vectored(cx, &[IoSlice::new(&bytes[written..])]) {
                Poll::Ready(Ok(count)) => written += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        transport.poll_flush(cx)
    })
    .await
}

/// Sends `answer` to who has sent no request, and hangs up. He has [`DRAIN_TIMEOUT`](ConnectionConfig::DRAIN_TIMEOUT) to take it.
pub(super) async fn turn_away(transport: Transport, answer: Vec<u8>) {
    let _ = hang_up(transport, answer, ConnectionConfig::DRAIN_TIMEOUT).await; // he may be gone
}

/// Writes `last`, within the limit, and ends the stream; then reads on for a moment until the peer has ended it too: closing with
/// unread bytes would make the kernel send a reset, which destroys what the peer has not read yet.
pub(super) async fn hang_up(mut transport: Transport, last: Vec<u8>, limit: Duration) -> io::Result<()> {
    match move_on_after(limit, write_all(&mut transport, &last)).await {
        Some(written) => written?,
        None => return Err(io::ErrorKind::TimedOut.into()),
    }
    move_on_after(ConnectionConfig::DRAIN_TIMEOUT, drain(&mut transport)).await;
    Ok(())
}

async fn drain(transport: &mut Transport) {
    let mut closed = false;
    let mut left = DRAIN_READS;
    poll_fn(|cx| {
        if !closed {
            closed = match transport.poll_close(cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => false,
            };
        }
        while left > 0 {
            match scratch::lend(|scratch| transport.poll_read(cx, scratch)) {
                Poll::Ready(Ok(1..)) => left -= 1,
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    })
    .await;
}

/// Reads of up to 64 KiB each after which nobody is waited for any more.
const DRAIN_READS: usize = 16;
