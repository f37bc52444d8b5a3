//! What can go wrong with a request and with serving, by culprit: the hub refuses, another took the agent, the link is gone,
//! the time is over, or the request could not be sent at all.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{
    link::{
        frame::FrameError,
        json::{FieldError, Payload},
        refusal::ErrorCode,
    },
    websocket::{ConnectionClosed, Printable, reported},
};

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The hub refuses.
    #[error("{op} refused: {}: {}", Printable(code.as_str()), Printable(message))]
    Refused {
        /// The operation, or `hello`.
        op: &'static str,
        /// The hub's code.
        code: ErrorCode,
        /// The hub's words for it.
        message: String,
    },
    /// The agent is bound to another link now.
    #[error("{op} refused: agent '{}' is bound to another link now", Printable(agent))]
    Superseded {
        /// The operation.
        op: &'static str,
        /// The id of the agent.
        agent: String,
    },
    /// The link has ended, or the scope of the tenant.
    #[error("{op} {}: {}", if *sent { "sent, but not answered" } else { "not sent" }, ended(closed.as_ref()))]
    Closed {
        /// The operation, or `hello`.
        op: &'static str,
        /// Whether it was sent, so that the hub may have done it.
        sent: bool,
        /// How the link ended; `None` when the scope of the tenant is over.
        closed: Option<ConnectionClosed>,
    },
    /// No answer came in time.
    #[error(
        "{op} {} within {limit:?} (request_timeout)",
        if *sent { format!("sent to {hub}, but not answered") } else { format!("not sent to {hub}") }
    )]
    TimedOut {
        /// The operation, or `hello`.
        op: &'static str,
        /// The hub's URL without userinfo and query, or what is known of it, as [`ConnectionClosed::peer`].
        hub: String,
        /// Whether it was sent, so that the hub may have done it, or will do it.
        sent: bool,
        /// The time there was.
        limit: Duration,
    },
    /// No hub would take it, and AG2's would close the link. Nothing was sent.
    #[error("{op} not sent: {size} bytes exceed the limit of {limit} bytes (TenantLink::MAX_FRAME)")]
    TooLarge {
        /// The operation, or `hello`.
        op: &'static str,
        /// The size of the frame in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// So many of these wait for their answer. Nothing was sent.
    #[error("{op} not sent: {limit} wait for their answer, which is the limit")]
    TooMany {
        /// The operation, or `hello`.
        op: &'static str,
        /// How many may wait.
        limit: usize,
    },
    /// The hub's answer cannot be read. It has done what was asked.
    #[error("{op} done, but the answer cannot be read: {error}")]
    Unreadable {
        /// The operation.
        op: &'static str,
        /// What is wrong with it.
        #[source]
        error: FrameError,
    },
}

impl RequestError {
    /// The code, when the hub refuses.
    ///
    /// ```
    /// use wscope::link::{ErrorCode, RequestError};
    ///
    /// fn is_unknown(error: &RequestError) -> bool {
    ///     error.code() == Some(&ErrorCode::NotFound)
    /// }
    /// # let _ = is_unknown;
    /// ```
    #[must_use]
    pub const fn code(&self) -> Option<&ErrorCode> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Superseded { .. } => Some(&ErrorCode::Superseded),
            Self::Closed { .. }
            | Self::TimedOut { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Unreadable { .. } => None,
        }
    }

    /// Whether the hub may have done it, although there is no result: asked again, it may be done twice.
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::Closed { sent, .. } | Self::TimedOut { sent, .. } => *sent,
            Self::Unreadable { .. } => true,
            Self::Refused { .. } | Self::Superseded { .. } | Self::TooLarge { .. } | Self::TooMany { .. } => {
                false
            }
        }
    }
}

/// Why deliveries are not served any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Somebody else serves this agent.
    #[error("agent '{}' is served already", Printable(agent))]
    AlreadyServed {
        /// The id of the agent.
        agent: String,
    },
    /// The agent is not, or no longer, on this link.
    #[error("agent '{}' is not on this link", Printable(agent))]
    NotHere {
        /// The id of the agent.
        agent: String,
    },
    /// The agent is bound to another link now.
    #[error("agent '{}' is bound to another link now", Printable(agent))]
    Superseded {
        /// The id of the agent.
        agent: String,
    },
    /// The link has ended, and not as it should; or the scope of the tenant.
    #[error("no more deliveries: {}", ended(closed.as_ref()))]
    Closed {
        /// How the link ended; `None` when the scope of the tenant is over.
        closed: Option<ConnectionClosed>,
    },
    /// Deliveries for which there was no room could not be asked for again.
    #[error("no more deliveries, those left behind could not be asked for: {0}")]
    Behind(#[from] RequestError),
}

reported!(RequestError, ServeError);

/// The answer to an operation, as a type.
pub(super) fn read<T: DeserializeOwned>(op: &'static str, result: &Payload) -> Result<T, RequestError> {
    result.to().map_err(|error| unreadable(op, error))
}

pub(super) fn unreadable(op: &'static str, error: impl Into<FrameError>) -> RequestError {
    RequestError::Unreadable { op, error: error.into() }
}

/// A field of an answer that is missing, or of a wrong type.
pub(super) fn misshapen(op: &'static str, error: FieldError) -> RequestError {
    unreadable(op, FrameError::Field { kind: "response".to_owned(), error, request_id: None })
}

/// A passport without an id is no answer.
pub(super) fn no_id(op: &'static str) -> RequestError {
    misshapen(op, FieldError::Missing { name: "agent_id" })
}

fn ended(closed: Option<&ConnectionClosed>) -> String {
    closed.map_or_else(|| "the scope of the tenant is over".to_owned(), ConnectionClosed::to_string)
}
