//! What is to be done on the sockets.

use std::sync::Arc;

use crate::{
    link::{
        frame::{ErrorFrame, Frame},
        id::Id,
        json::to_text,
        refusal::{ErrorCode, Refusal},
    },
    websocket::{CloseCode, CloseReason},
};

/// One thing to do, in the order in which it comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Send a text message, and say so with [`sent`](super::Switchboard::sent) once it has left.
    Send {
        /// To this connection.
        endpoint: Id,
        /// The message.
        message: Outgoing,
    },
    /// Close a connection, after what was sent to it. The switchboard has forgotten it.
    Close {
        /// This connection.
        endpoint: Id,
        /// Why.
        farewell: Farewell,
    },
}

/// A text message on its way out.
///
/// Of a delivery it holds the envelope's JSON as it stands in the log, shared with all other deliveries of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Text(String),
    Notify { envelope: Arc<str>, recipient: Id },
}

impl Outgoing {
    pub(super) fn frame(frame: &Frame) -> Self {
        Self(Form::Text(frame.encode()))
    }

    pub(super) fn notify(envelope: Arc<str>, recipient: Id) -> Self {
        Self(Form::Notify { envelope, recipient })
    }

    /// A response with a result that is JSON already: it is spliced, not read.
    pub(super) fn done(request_id: &str, result: &str) -> Self {
        let request_id = quoted(request_id);
        Self(Form::Text(format!(
            r#"{{"request_id": {request_id}, "ok": true, "result": {result}, "error_code": "", "error_message": "", "kind": "response"}}"#
        )))
    }

    pub(super) fn refused(request_id: &str, refusal: &Refusal) -> Self {
        Self::refused_with(request_id, &refusal.code(), &refusal.to_string())
    }

    /// Tells what is refused outside of a request.
    pub(super) fn error(code: ErrorCode, message: &str) -> Self {
        Self::frame(&Frame::Error(ErrorFrame { code, message: short(message), envelope_id: None }))
    }

    pub(super) fn refused_with(request_id: &str, code: &ErrorCode, message: &str) -> Self {
        let (request_id, code, message) =
            (quoted(request_id), quoted(code.as_str()), quoted(&short(message)));
        Self(Form::Text(format!(
            r#"{{"request_id": {request_id}, "ok": false, "result": null, "error_code": {code}, "error_message": {message}, "kind": "response"}}"#
        )))
    }

    /// How many bytes it has.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "no message is empty")]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Text(text) => text.len(),
            Form::Notify { envelope, .. } => envelope.len() + NOTIFY_LEN,
        }
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        match self.0 {
            Form::Text(text) => text,
            Form::Notify { envelope, recipient } => {
                format!("{BEFORE}{envelope}{BETWEEN}{recipient}{BEHIND}")
            }
        }
    }
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Farewell {
    /// It held no agent in time.
    Unbound,
    /// Too many of its claims were refused.
    Refused,
    /// Too much is on its way to it, or nothing of it has moved for too long: it does not read.
    Congested,
    /// The hub takes no more connections.
    Crowded,
    /// The operator of the hub wants it.
    Kicked,
    /// The hub is closing.
    ShuttingDown,
    /// An auth adapter or the store panicked over what it sent.
    Failed,
}

impl Farewell {
    /// The close code of the WebSocket.
    #[must_use]
    pub const fn code(self) -> CloseCode {
        match self {
            Self::Unbound | Self::Refused | Self::Kicked => CloseCode::POLICY_VIOLATION,
            Self::Congested | Self::Crowded => CloseCode::TRY_AGAIN_LATER,
            Self::ShuttingDown => CloseCode::GOING_AWAY,
            Self::Failed => CloseCode::INTERNAL_ERROR,
        }
    }

    /// The close reason of the WebSocket.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Unbound => "no agent bound in time",
            Self::Refused => "too many refused claims",
            Self::Congested => "too much unread",
            Self::Crowded => "too many connections",
            Self::Kicked => "closed by the operator",
            Self::ShuttingDown => "the hub is shutting down",
            Self::Failed => "the hub failed",
        }
    }
}

impl From<Farewell> for CloseReason {
    fn from(farewell: Farewell) -> Self {
        Self::truncated(farewell.code(), farewell.reason())
    }
}

fn quoted(text: &str) -> String {
    // A text always has a form in JSON.
    to_text(text).unwrap_or_default()
}

/// As much as is told of what is wrong: it may hold a tenant's own text, of any length.
fn short(message: &str) -> String {
    message.chars().take(MAX_TOLD).collect()
}

/// Characters, of which each has at most twelve bytes on the wire.
const MAX_TOLD: usize = 1_024;

const BEFORE: &str = r#"{"envelope": "#;
const BETWEEN: &str = r#", "recipient_id": ""#;
const BEHIND: &str = r#"", "kind": "notify"}"#;

/// What a delivery has beside its envelope.
pub(super) const NOTIFY_LEN: usize = BEFORE.len() + BETWEEN.len() + 32 + BEHIND.len();
