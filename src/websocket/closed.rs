//! How a connection ended: what was said, by whom first, and why.

use std::{fmt, io, sync::Arc, time::Duration};

use super::DisconnectionTimeout;
use crate::proto::{CloseFrames, CloseReason, ProtocolError, Side};

/// The connection is closed, or closing: what was received, what was sent, and which came first.
///
/// Cheap to clone. Two are equal when they say the same.
///
/// ```
/// use wscope::websocket::{CloseCause, ConnectionClosed};
///
/// fn log(closed: &ConnectionClosed) {
///     match closed.cause() {
///         CloseCause::Handshake if closed.is_clean() => println!("goodbye"),
///         cause => println!("lost: {cause}, code {}", closed.code()),
///     }
/// }
/// # let _ = log;
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionClosed(Arc<Closed>);

#[derive(PartialEq, Eq)]
struct Closed {
    peer: String,
    frames: CloseFrames,
    cause: CloseCause,
}

impl ConnectionClosed {
    pub(super) fn new(peer: String, frames: CloseFrames, cause: CloseCause) -> Self {
        Self(Arc::new(Closed { peer, frames, cause }))
    }

    /// The end of a link without a socket, where both sides know at once what one of them said.
    pub(crate) fn agreed(peer: &str, reason: CloseReason, first: Side) -> Self {
        let said = Some(Some(reason));
        let frames = CloseFrames { received: said.clone(), sent: said, first: Some(first) };
        Self::new(peer.to_owned(), frames, CloseCause::Handshake)
    }

    /// With whom, for logs and errors: of a client's connection the URL of the server without userinfo and query, of a server's where
    /// the client is, or what is known of a stream that was brought along.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wscope::{Nursery, WebSocketRequest, fail_after, nursery, serve_websocket, websocket::{Accept, BoxError}};
    /// use wscope::{Error, open_websocket};
    ///
    /// # async fn goodbye(request: WebSocketRequest) -> Result<(), BoxError> {
    /// #     request.accept(Accept::new()).await?;
    /// #     Ok(())
    /// # }
    /// # fn main() -> Result<(), Error> {
    /// # wscope::run(fail_after(Duration::from_secs(10), nursery(async |n: Nursery<'_, Error>| {
    /// # let server = n.start_service_with(async |status| serve_websocket("127.0.0.1:0", goodbye, status).await).await?;
    /// # let port = server.port();
    /// open_websocket(format!("ws://ann:s3cret@127.0.0.1:{port}/chat?token=s3cret"), async |ws| {
    ///     let closed = ws.wait_closed().await;
    ///     assert_eq!(closed.peer(), format!("ws://127.0.0.1:{port}/chat?..."));
    ///     Ok(())
    /// })
    /// .await
    /// # })))?
    /// # }
    /// ```
    #[must_use]
    pub fn peer(&self) -> &str {
        &self.0.peer
    }

    /// Whether closing took no longer than it may.
    pub(super) fn in_time(&self) -> Result<(), DisconnectionTimeout> {
        match &self.0.cause {
            CloseCause::CloseTimeout { limit } => {
                Err(DisconnectionTimeout { peer: self.0.peer.clone(), limit: *limit })
            }
            CloseCause::Handshake
            | CloseCause::Protocol(_)
            | CloseCause::UnexpectedEof
            | CloseCause::Network(_)
            | CloseCause::KeepaliveTimeout { .. }
            | CloseCause::SendTimeout { .. }
            | CloseCause::ReceiveTimeout { .. }
            | CloseCause::Aborted => Ok(()),
        }
    }

    /// Why it ended.
    #[must_use]
    pub fn cause(&self) -> &CloseCause {
        &self.0.cause
    }

    /// The close code as RFC 6455 §7.1.5 defines it: that of the close frame that was received, [`NO_STATUS`](Self::NO_STATUS) if
    /// it had none, [`ABNORMAL`](Self::ABNORMAL) if none was.
    #[must_use]
    pub fn code(&self) -> u16 {
        match &self.0.frames.received {
            Some(Some(reason)) => reason.code().as_u16(),
            Some(None) => Self::NO_STATUS,
            None => Self::ABNORMAL,
        }
    }

    /// The text beside the code; often empty. It comes from the peer: escape it before it goes into a log.
    pub fn reason(&self) -> &str {
        self.0.frames.received.as_ref().and_then(Option::as_ref).map_or("", CloseReason::reason)
    }

    /// Both close frames and their order.
    #[must_use]
    pub fn frames(&self) -> &CloseFrames {
        &self.0.frames
    }

    /// Who sent a close frame first; `None` when neither did.
    #[must_use]
    pub fn first(&self) -> Option<Side> {
        self.0.frames.first
    }

    /// Whether this is an end as it should be: by closing handshake, with 1000 or 1001 from who began it.
    pub fn is_clean(&self) -> bool {
        let began = match self.0.frames.first {
            Some(Side::Local) => &self.0.frames.sent,
            Some(Side::Remote) => &self.0.frames.received,
            None => return false,
        };
        let code = began.as_ref().and_then(Option::as_ref).map(|reason| reason.code().as_u16());
        self.0.cause == CloseCause::Handshake && matches!(code, Some(1000 | 1001))
    }

    /// 1005: the close frame that was received had no code. Never on the wire.
    pub const NO_STATUS: u16 = 1005;
    /// 1006: no close frame was received. Never on the wire.
    pub const ABNORMAL: u16 = 1006;
}

impl std::error::Error for ConnectionClosed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.cause {
            CloseCause::Network(error) => Some(&*error.0),
            CloseCause::Protocol(error) => Some(error),
            CloseCause::Handshake
            | CloseCause::UnexpectedEof
            | CloseCause::Aborted
            | CloseCause::KeepaliveTimeout { .. }
            | CloseCause::SendTimeout { .. }
            | CloseCause::ReceiveTimeout { .. }
            | CloseCause::CloseTimeout { .. } => None,
        }
    }
}

impl fmt::Display for ConnectionClosed {
    /// All that is known, on one line; what comes from the peer is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CloseFrames { received, sent, first, .. } = &self.0.frames;
        let then = |second: &Option<_>| if second.is_some() { "then " } else { "" };
        let (got, said) = (in_words(received, ""), in_words(sent, &self.0.cause.told()));
        write!(f, "connection with {} closed: {}; ", self.0.peer, self.0.cause)?;
        match first {
            Some(Side::Local) => write!(f, "sent {said}, {}received {got}", then(received)),
            Some(Side::Remote) => write!(f, "received {got}, {}sent {said}", then(sent)),
            None => f.write_str("no close frame sent or received"),
        }
    }
}

/// A close frame, without its text where that is `known`.
fn in_words(frame: &Option<Option<CloseReason>>, known: &str) -> String {
    match frame {
        Some(Some(reason)) if reason.reason() == known => reason.code().to_string(),
        Some(Some(reason)) => reason.to_string(),
        Some(None) => "a close frame without a code".to_owned(),
        None => "no close frame".to_owned(),
    }
}

impl fmt::Debug for ConnectionClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionClosed")
            .field("peer", &self.0.peer)
            .field("frames", &self.0.frames)
            .field("cause", &self.0.cause)
            .finish()
    }
}

/// Why a connection ended.
///
/// ```
/// use wscope::websocket::{CloseCause, ConnectionClosed};
///
/// /// Whether it is worth while to connect again at once.
/// fn again(closed: &ConnectionClosed) -> bool {
///     match closed.cause() {
///         CloseCause::Network(_) | CloseCause::UnexpectedEof => true,
///         CloseCause::Handshake => closed.code() == 1001, // the server went away, and may come back
///         _ => false,
///     }
/// }
/// # let _ = again;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseCause {
    /// One side sent a close frame. Where only one stands in [`ConnectionClosed::frames`], the other was on its way.
    #[error("closing handshake")]
    Handshake,
    /// The peer broke the protocol, or exceeded a limit. It was told so.
    #[error("{fault}: {0}", fault = fault(_0))]
    Protocol(ProtocolError),
    /// The stream ended without a close frame.
    #[error("the stream ended without a close frame")]
    UnexpectedEof,
    /// The network failed.
    #[error("network: {0}")]
    Network(NetworkError),
    /// The peer was not heard of after a keepalive ping.
    #[error("the peer was not heard of for {limit:?} after a keepalive ping (keepalive_timeout)")]
    KeepaliveTimeout {
        /// The time it had.
        limit: Duration,
    },
    /// The peer did not read.
    #[error("the peer took no byte for {limit:?} (send_timeout)")]
    SendTimeout {
        /// The time it had.
        limit: Duration,
    },
    /// No message came.
    #[error("no message came for {limit:?} (receive_timeout)")]
    ReceiveTimeout {
        /// The time it had.
        limit: Duration,
    },
    /// The closing handshake was not complete in time.
    #[error("the peer did not finish the closing handshake within {limit:?} (close_timeout)")]
    CloseTimeout {
        /// The time it had.
        limit: Duration,
    },
    /// We cut it off, by [`abort`](super::WebSocketConnection::abort).
    #[error("aborted by this side")]
    Aborted,
}

impl CloseCause {
    /// What the close frame that answers a fault says: the fault, which an error has named before it comes to the frames.
    fn told(&self) -> String {
        match self {
            Self::Protocol(fault) => fault.to_string(),
            Self::Handshake
            | Self::UnexpectedEof
            | Self::Network(_)
            | Self::KeepaliveTimeout { .. }
            | Self::SendTimeout { .. }
            | Self::ReceiveTimeout { .. }
            | Self::CloseTimeout { .. }
            | Self::Aborted => String::new(),
        }
    }
}

/// A peer that goes beyond a limit of ours has not broken the protocol.
fn fault(error: &ProtocolError) -> &'static str {
    use ProtocolError::{MessageTooBig, TooManyEmptyFragments, TooManyFragments};
    let is_limit =
        matches!(error, MessageTooBig { .. } | TooManyFragments { .. } | TooManyEmptyFragments { .. });
    if is_limit { "the peer exceeded a limit" } else { "the peer broke the protocol" }
}

/// What the system said. Two are equal when their kinds are.
#[derive(Clone, Debug)]
pub struct NetworkError(pub(super) Arc<io::Error>);

impl NetworkError {
    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.0.kind()
    }
}

impl From<io::Error> for NetworkError {
    fn from(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl PartialEq for NetworkError {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind()
    }
}

impl Eq for NetworkError {}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for NetworkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}
