//! What can go wrong when connections are opened and closed, by culprit.

use std::{fmt, io, sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode};

use super::{
    ConnectionClosed, DialError, GetJsonError, InvalidOrigin, NetworkError, PingError, SendError,
    SendJsonError, SinkError,
};
use crate::{
    proto::{
        self, AcceptErrorKind, ControlTooLong, HeaderError, InvalidCloseCode, InvalidStatus, ListError,
        ReasonTooLong, RejectConnection, RequestError, ResponseError, UriError,
    },
    scope::{Cancelled, TooSlow},
};

/// Why no connection was opened.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The URL is none of a WebSocket.
    #[error(transparent)]
    Uri(#[from] UriError),
    /// A header cannot be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Subprotocols cannot be offered so.
    #[error("subprotocols not offered: {0}")]
    Subprotocols(#[from] ListError),
    /// The status cannot refuse a handshake.
    #[error(transparent)]
    Status(#[from] InvalidStatus),
    /// A subprotocol was chosen that the client did not offer.
    #[error(transparent)]
    Accept(#[from] AcceptErrorKind),
    /// The host could not be connected to.
    #[error(transparent)]
    Dial(Arc<DialError>),
    /// The network failed.
    #[error("no connection with {peer}: {error}")]
    Network {
        /// The server's URL, without userinfo and query; or where the client is.
        peer: String,
        /// In the words of the system.
        #[source]
        error: NetworkError,
    },
    /// TLS: the certificate, the name in it, or the handshake.
    #[cfg(feature = "tls")]
    #[error("no connection with {peer}: {error}")]
    Tls {
        /// The server's URL, without userinfo and query.
        peer: String,
        /// What was wrong with it.
        #[source]
        error: super::TlsError,
    },
    /// A `wss` URL, and this crate was built without TLS.
    #[error("no TLS for a wss URL: build wscope with its feature `tls`")]
    NoTls,
    /// The server refused.
    #[error(transparent)]
    Rejected(Box<ConnectionRejected>),
    /// The server's answer was no opening handshake.
    #[error("{peer} did not answer as a WebSocket server: {error}")]
    Response {
        /// The server's URL, without userinfo and query.
        peer: String,
        /// What was wrong with it.
        #[source]
        error: ResponseError,
    },
    /// The client's request was no opening handshake.
    #[error("{peer} sent no opening handshake: {error}")]
    Request {
        /// Where the client is.
        peer: String,
        /// What was wrong with it.
        #[source]
        error: RequestError,
    },
    /// It took too long.
    #[error(transparent)]
    Timeout(#[from] ConnectionTimeout),
    /// The client left before the request was answered.
    #[error("{peer} left before its request was answered")]
    ClientLeft {
        /// Where the client is.
        peer: String,
    },
    /// The scope in which the request came is over.
    #[error("the request was not answered: the scope in which it came is over")]
    ScopeEnded,
}

impl From<ConnectionRejected> for HandshakeError {
    fn from(rejected: ConnectionRejected) -> Self {
        Self::Rejected(Box::new(rejected))
    }
}

impl From<DialError> for HandshakeError {
    fn from(error: DialError) -> Self {
        Self::Dial(Arc::new(error))
    }
}

/// The server refused: what it said.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{peer} opens no WebSocket: its answer was {status}")]
#[non_exhaustive]
pub struct ConnectionRejected {
    /// The server's URL, without userinfo and query.
    pub peer: String,
    /// The status, never 101.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to [`max_reject_body`](crate::proto::HandshakeConfig::max_reject_body) bytes.
    pub body: Vec<u8>,
    /// Whether the body went on.
    pub truncated: bool,
}

impl ConnectionRejected {
    pub(super) fn new(peer: &str, reject: &RejectConnection) -> Self {
        Self {
            peer: peer.to_owned(),
            status: reject.status(),
            headers: reject.headers().clone(),
            body: Vec::new(),
            truncated: false,
        }
    }
}

impl fmt::Debug for ConnectionRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionRejected")
            .field("peer", &self.peer)
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("truncated", &self.truncated)
            .finish()
    }
}

/// Opening a connection took too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no connection with {peer} within {limit:?}: {phase} took too long")]
#[non_exhaustive]
pub struct ConnectionTimeout {
    /// The server's URL, without userinfo and query; or where the client is.
    pub peer: String,
    /// The time there was for all of it.
    pub limit: Duration,
    /// What was under way when it was over.
    pub phase: Phase,
}

/// A part of opening a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Finding addresses and connecting to one of them.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The opening handshake: the answer of the server, or the request of the client.
    Handshake,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Handshake => "the opening handshake",
        })
    }
}

/// The peer did not finish the closing handshake in time. The connection is gone all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{peer} did not finish the closing handshake within {limit:?} (close_timeout)")]
#[non_exhaustive]
pub struct DisconnectionTimeout {
    /// As [`ConnectionClosed::peer`].
    pub peer: String,
    /// The time it had.
    pub limit: Duration,
}

/// Any error at all: what a handler returns. Any error type becomes one by `?`, and so does a text by `.into()`.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Any error of this crate, and any other: for `?` in programs that report errors and do not tell them apart.
///
/// ```
/// use std::time::Duration;
/// use wscope::{Error, fail_after, open_websocket};
///
/// async fn ask(url: &str) -> Result<String, Error> {
///     open_websocket(url, async |ws| {
///         ws.send_message("hello").await?;
///         let answer = fail_after(Duration::from_secs(1), ws.get_message()).await??;
///         Ok(answer.as_text().unwrap_or_default().to_owned())
///     })
///     .await
/// }
/// # let _ = ask;
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection was opened.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// A connection is closed.
    #[error(transparent)]
    Closed(#[from] ConnectionClosed),
    /// A message was not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A sink takes no more.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A ping has no pong.
    #[error(transparent)]
    Ping(#[from] PingError),
    /// No value was sent as JSON.
    #[error(transparent)]
    SendJson(#[from] SendJsonError),
    /// No value was received as JSON.
    #[error(transparent)]
    GetJson(#[from] GetJsonError),
    /// A number that is no close code.
    #[error(transparent)]
    CloseCode(#[from] InvalidCloseCode),
    /// A close reason that does not fit into its frame.
    #[error(transparent)]
    CloseReason(#[from] ReasonTooLong),
    /// A payload that does not fit into a control frame.
    #[error(transparent)]
    ControlTooLong(#[from] ControlTooLong),
    /// The peer did not finish the closing handshake in time.
    #[error(transparent)]
    DisconnectionTimeout(#[from] DisconnectionTimeout),
    /// Something did not finish in time.
    #[error(transparent)]
    TooSlow(#[from] TooSlow),
    /// Something was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The network, or another part of the system.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Anything else; [`Error::other`] puts it here.
    #[error(transparent)]
    Other(#[from] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// An error of any other type, or a text.
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}

impl From<crate::scope::Error> for Error {
    fn from(error: crate::scope::Error) -> Self {
        match error {
            crate::scope::Error::Cancelled(cancelled) => Self::Cancelled(cancelled),
            crate::scope::Error::TooSlow(too_slow) => Self::TooSlow(too_slow),
            crate::scope::Error::Io(error) => Self::Io(error),
            crate::scope::Error::Other(error) => unboxed(error),
        }
    }
}

/// What a nursery has no variant for is in a box there, and has its own again when it comes back.
macro_rules! boxed_in_a_nursery {
    ($($error:ty),* $(,)?) => {
        $(
            impl From<$error> for crate::scope::Error {
                fn from(error: $error) -> Self {
                    Self::other(error)
                }
            }
        )*

        fn unboxed(error: BoxError) -> Error {
            $(
                let error = match error.downcast::<$error>() {
                    Ok(error) => return (*error).into(),
                    Err(error) => error,
                };
            )*
            Error::Other(error)
        }
    };
}

impl From<Error> for crate::scope::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Handshake(error) => error.into(),
            Error::Closed(error) => error.into(),
            Error::Send(error) => error.into(),
            Error::Sink(error) => error.into(),
            Error::Ping(error) => error.into(),
            Error::SendJson(error) => error.into(),
            Error::GetJson(error) => error.into(),
            Error::CloseCode(error) => error.into(),
            Error::CloseReason(error) => error.into(),
            Error::ControlTooLong(error) => error.into(),
            Error::DisconnectionTimeout(error) => error.into(),
            Error::TooSlow(error) => error.into(),
            Error::Cancelled(error) => error.into(),
            Error::Io(error) => error.into(),
            Error::Other(error) => error.into(),
        }
    }
}

/// For what a program tells, and seldom tells apart: `?` makes the error of a program of it, and of a nursery that names no other.
macro_rules! reported {
    ($($error:ty),* $(,)?) => { $(
        impl From<$error> for $crate::websocket::Error {
            fn from(error: $error) -> Self {
                Self::other(error)
            }
        }

        impl From<$error> for $crate::scope::Error {
            fn from(error: $error) -> Self {
                Self::other(error)
            }
        }
    )* };
}
pub(crate) use reported;

// What has a variant of its own.
boxed_in_a_nursery!(
    HandshakeError,
    ConnectionClosed,
    SendError,
    SinkError,
    PingError,
    SendJsonError,
    GetJsonError,
    InvalidCloseCode,
    ReasonTooLong,
    ControlTooLong,
    DisconnectionTimeout,
);

reported!(
    InvalidOrigin,
    proto::AcceptError,
    proto::BodyFinished,
    proto::Failed,
    HeaderError,
    InvalidStatus,
    proto::InvalidUtf8,
    ListError,
    proto::LocalError,
    proto::NotAToken,
    proto::ProtocolError,
    RequestError,
    ResponseError,
    UriError,
    proto::WsFailed,
    proto::WsLocalError,
    proto::extension::BrokenStream,
);
#[cfg(feature = "tls")]
reported!(super::IdentityError);
#[cfg(feature = "deflate")]
reported!(proto::extension::InvalidWindowBits);
