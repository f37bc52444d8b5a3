//! What can go wrong in a handshake, by culprit.
//!
//! ```text
//! RequestError    the client broke the protocol; each has its status           (server)
//! ResponseError   the server broke the protocol                                (client)
//! HeaderError, InvalidStatus, AcceptError, BodyFinished    our own caller      (both)
//! ```

use crate::proto::{
    handshake::ServerHandshake,
    header::{ExtensionItem, ListError},
    http::{HeadError, header_value},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE},
};

/// Why a request is no opening handshake (RFC 6455 §4.2.1). It holds numbers only, no text of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The head is malformed, over a limit, or not HTTP/1.1.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The connection ended inside the head.
    #[error("the connection ended {received} bytes into the request")]
    UnexpectedEof {
        /// Bytes of the head that had come.
        received: usize,
    },
    /// The caller's clock ran out before the head was complete.
    #[error("the request was not complete in time: {received} bytes of it had come")]
    TimedOut {
        /// Bytes of the head that had come.
        received: usize,
    },
    /// Another method than GET.
    #[error("the method of the request is not GET (RFC 6455 §4.1)")]
    Method,
    /// A request with a body: what follows a head must be frames and nothing else.
    #[error("the request has a body (RFC 9110 §9.3.1)")]
    Body,
    /// Not exactly one `Host` header.
    #[error("the request has {count} Host headers instead of one (RFC 9112 §3.2)")]
    HostCount {
        /// How many there are.
        count: usize,
    },
    /// A `Host`, or an authority in the target, that is not a host with an optional port.
    #[error("the host of the request is not a host with an optional port (RFC 9110 §7.2)")]
    InvalidHost,
    /// No `Upgrade` header holds `websocket`.
    #[error("the request is no upgrade: no Upgrade header holds websocket (RFC 6455 §4.2.1)")]
    MissingUpgrade,
    /// No `Connection` header holds `upgrade`.
    #[error("the request is no upgrade: no Connection header holds upgrade (RFC 6455 §4.2.1)")]
    MissingConnection,
    /// Not exactly one `Sec-WebSocket-Version` header.
    #[error("the request has {count} Sec-WebSocket-Version headers instead of one (RFC 6455 §11.3.5)")]
    VersionCount {
        /// How many there are.
        count: usize,
    },
    /// Another version than 13.
    #[error("the request's Sec-WebSocket-Version is not 13 (RFC 6455 §4.2.2)")]
    UnsupportedVersion,
    /// Not exactly one `Sec-WebSocket-Key` header.
    #[error("the request has {count} Sec-WebSocket-Key headers instead of one (RFC 6455 §11.3.1)")]
    KeyCount {
        /// How many there are.
        count: usize,
    },
    /// The key is not the base64 of 16 bytes.
    #[error("the request's Sec-WebSocket-Key is not the base64 of 16 bytes (RFC 6455 §4.1)")]
    InvalidKey,
    /// `Sec-WebSocket-Protocol` is malformed.
    #[error("the request's Sec-WebSocket-Protocol is malformed: {0}")]
    Subprotocols(ListError),
    /// `Sec-WebSocket-Extensions` is malformed.
    #[error("the request's Sec-WebSocket-Extensions is malformed: {0}")]
    Extensions(ListError),
}

impl RequestError {
    /// The status that answers this fault; each has exactly one.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Head(error) => match error {
                HeadError::StartLineTooLong { .. } => StatusCode::URI_TOO_LONG,
                HeadError::HeaderTooLong { .. }
                | HeadError::HeadTooLong { .. }
                | HeadError::TooManyHeaders { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                HeadError::HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                HeadError::NotHttp { .. }
                | HeadError::StartLine
                | HeadError::Target
                | HeadError::BareCr
                | HeadError::BareLf
                | HeadError::Control { .. }
                | HeadError::FoldedLine
                | HeadError::SpaceBeforeColon
                | HeadError::InvalidName { .. }
                | HeadError::InvalidValue => StatusCode::BAD_REQUEST,
            },
            Self::TimedOut { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MissingUpgrade | Self::UnsupportedVersion => StatusCode::UPGRADE_REQUIRED,
            Self::UnexpectedEof { .. }
            | Self::Body
            | Self::HostCount { .. }
            | Self::InvalidHost
            | Self::MissingConnection
            | Self::VersionCount { .. }
            | Self::KeyCount { .. }
            | Self::InvalidKey
            | Self::Subprotocols(_)
            | Self::Extensions(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The whole answer: status, the headers that it must have, and the fault in words. It closes the connection: on one
    /// that spoke no clean HTTP, no second request is safe (RFC 9112 §11.2).
    ///
    /// ```
    /// use wscope::proto::RequestError;
    /// let response = RequestError::UnsupportedVersion.response();
    /// assert_eq!(response.status(), 426);
    /// assert_eq!(response.headers()["sec-websocket-version"], "13");
    /// ```
    #[must_use]
    pub fn response(self) -> Response<String> {
        let mut response = Response::new(format!("{self}\n"));
        *response.status_mut() = self.status();
        let length = header_value(response.body().len().to_string());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CONTENT_LENGTH, length);
        if self.status() == StatusCode::UPGRADE_REQUIRED {
            // RFC 9110 §15.5.22: an answer 426 must say to what.
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        headers.insert(CONNECTION, connection_options(headers));
        if self == Self::Method {
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
        }
        if matches!(self, Self::UnsupportedVersion | Self::VersionCount { .. }) {
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}

/// Why an answer is neither an opening handshake nor a refusal (RFC 6455 §4.1): the connection must end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The head is malformed, over a limit, or not HTTP.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The connection ended before the answer was there.
    #[error("the connection ended {received} bytes into the response")]
    UnexpectedEof {
        /// Bytes of the answer's head that had come.
        received: usize,
    },
    /// Another status than 101, in an answer that was parsed elsewhere; otherwise it is an event, the refusal.
    #[error("the status of the response is {status} instead of 101 (RFC 6455 §4.1)")]
    Status {
        /// The status.
        status: u16,
    },
    /// No `Upgrade` header holds `websocket`.
    #[error("the response is no upgrade: no Upgrade header holds websocket (RFC 6455 §4.1)")]
    MissingUpgrade,
    /// No `Connection` header holds `upgrade`.
    #[error("the response is no upgrade: no Connection header holds upgrade (RFC 6455 §4.1)")]
    MissingConnection,
    /// Not exactly one `Sec-WebSocket-Accept` header.
    #[error("the response has {count} Sec-WebSocket-Accept headers instead of one (RFC 6455 §11.3.3)")]
    AcceptCount {
        /// How many there are.
        count: usize,
    },
    /// `Sec-WebSocket-Accept` does not belong to our key.
    #[error("the response's Sec-WebSocket-Accept does not belong to our key (RFC 6455 §4.1)")]
    WrongAccept,
    /// More than one `Sec-WebSocket-Protocol` header.
    #[error(
        "the response has {count} Sec-WebSocket-Protocol headers instead of at most one (RFC 6455 §11.3.4)"
    )]
    SubprotocolCount {
        /// How many there are.
        count: usize,
    },
    /// A subprotocol that we did not offer.
    #[error("the response chooses subprotocol {subprotocol:?}, which was not offered (RFC 6455 §4.1)")]
    SubprotocolNotOffered {
        /// What the server sent, up to [`MAX_SHOWN`](Self::MAX_SHOWN) characters.
        subprotocol: String,
    },
    /// `Sec-WebSocket-Extensions` is malformed.
    #[error("the response's Sec-WebSocket-Extensions is malformed: {0}")]
    Extensions(ListError),
    /// An extension that we did not offer.
    #[error("the response chooses extension {name}, which was not offered (RFC 6455 §4.1)")]
    ExtensionNotOffered {
        /// Its name, up to [`MAX_SHOWN`](Self::MAX_SHOWN) characters.
        name: String,
    },
    /// An extension twice.
    #[error("the response chooses extension {name} more than once (RFC 6455 §9.1)")]
    ExtensionRepeated {
        /// Its name.
        name: String,
    },
    /// An answer that the extension does not confirm.
    #[error("the response chooses {answer}, whose parameters are no answer to our offer (RFC 6455 §9.1)")]
    ExtensionRefused {
        /// The extension and its parameters, up to [`MAX_SHOWN`](Self::MAX_SHOWN) characters.
        answer: String,
    },
}

impl ResponseError {
    /// Most characters of the peer's text that an error repeats.
    pub const MAX_SHOWN: usize = 64;

    pub(crate) fn subprotocol_not_offered(value: &HeaderValue) -> Self {
        Self::SubprotocolNotOffered { subprotocol: Self::shown(&String::from_utf8_lossy(value.as_bytes())) }
    }

    pub(crate) fn extension_not_offered(answer: &ExtensionItem) -> Self {
        Self::ExtensionNotOffered { name: Self::shown(answer.name()) }
    }

    pub(crate) fn extension_refused(answer: &ExtensionItem) -> Self {
        Self::ExtensionRefused { answer: Self::shown(&answer.to_string()) }
    }

    fn shown(text: &str) -> String {
        text.chars().take(Self::MAX_SHOWN).collect()
    }
}

/// What the `Connection` header of a refusal holds. `Upgrade` is for the next hop alone, and so must be named in it
/// (RFC 9110 §7.8).
pub(super) fn connection_options(headers: &HeaderMap) -> HeaderValue {
    HeaderValue::from_static(if headers.contains_key(UPGRADE) { "close, Upgrade" } else { "close" })
}

/// A header that cannot be added to a request or an answer. The value is not repeated: it may be a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not a header's name.
    #[error("no header added: its name is not a token (RFC 9110 §5.1)")]
    InvalidName,
    /// A value with CR, LF, NUL or another control character.
    #[error("header {name} not added: its value has a control character (RFC 9110 §5.5)")]
    InvalidValue {
        /// The header.
        name: HeaderName,
    },
    /// A header that the handshake writes itself.
    #[error("header {name} not added: it is written by the handshake itself")]
    Reserved {
        /// The header.
        name: HeaderName,
    },
    /// Too many headers.
    #[error("no header added: there are {limit} already, which is the limit")]
    TooMany {
        /// [`MAX_HEADERS`](Self::MAX_HEADERS).
        limit: usize,
    },
}

impl HeaderError {
    /// Most headers that a request or an answer may hold, given or received; far more than any peer reads.
    ///
    /// A `HeaderMap` panics when it is full, which names made to collide bring about from 6,554 headers up.
    pub const MAX_HEADERS: usize = 1000;
}

/// A status that cannot refuse a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "status {status} cannot refuse a handshake: take one from 200 to 999, but for 204, 205 and 304 (RFC 9110 §15)"
)]
#[non_exhaustive]
pub struct InvalidStatus {
    /// The status.
    pub status: u16,
}

impl InvalidStatus {
    pub(crate) const fn new(status: u16) -> Self {
        Self { status }
    }
}

/// Data for a body that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no data sent: the body of the refusal is complete")]
#[non_exhaustive]
pub struct BodyFinished;

impl BodyFinished {
    pub(crate) const fn new() -> Self {
        Self
    }
}

/// The handshake could not be accepted as asked. Nothing was sent, and it can still be answered.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
#[non_exhaustive]
pub struct AcceptError {
    /// What was wrong.
    pub kind: AcceptErrorKind,
    /// The handshake, as it was.
    pub handshake: Box<ServerHandshake>,
}

impl AcceptError {
    pub(crate) fn new(kind: AcceptErrorKind, handshake: ServerHandshake) -> Self {
        Self { kind, handshake: Box::new(handshake) }
    }
}

/// Why a handshake could not be accepted as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptErrorKind {
    /// The subprotocol is none of those that the client offered.
    #[error(
        "handshake not accepted: subprotocol {subprotocol:?} was not offered by the client (RFC 6455 §4.2.2)"
    )]
    SubprotocolNotOffered {
        /// The subprotocol.
        subprotocol: String,
    },
}
