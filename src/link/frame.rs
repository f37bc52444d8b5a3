//! Frames: one JSON object for each text message, told apart by `kind`.
//!
//! | kind | goes to | |
//! |---|---|---|
//! | `hello`, `request`, `receipt` | the hub | bind a name; ask for an operation; acknowledge a delivery |
//! | `welcome`, `response`, `error`, `notify` | the tenant | bound; answered; refused; one delivery |
//! | `ping`, `pong` | both | |
//!
//! What is written is what AG2 writes: every field, nulls included, `kind` last. What is read is read liberally: keys in any
//! order, unknown fields, optional fields missing.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{
    auth::Claim,
    envelope::Envelope,
    json::{FieldError, Fields, InvalidJson, Payload, check_depth, to_text},
    refusal::ErrorCode,
};
use crate::websocket::Printable;

/// One frame.
///
/// ```
/// use wscope::link::{Frame, Receipt};
///
/// let frame = Frame::decode(r#"{"kind": "receipt", "envelope_id": "e1", "status": "ack", "new": 1}"#)?;
/// let Frame::Receipt(receipt) = &frame else { panic!("another kind") };
/// assert_eq!(receipt, &Receipt::ack("e1", "", ""));
/// assert!(frame.encode().ends_with(r#""reason": "", "kind": "receipt"}"#));
/// # Ok::<(), wscope::link::FrameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// A tenant binds a registered name to its connection.
    Hello(Hello),
    /// The hub has bound it.
    Welcome(Welcome),
    /// Asks for a [`Pong`](Self::Pong).
    Ping,
    /// Answers a [`Ping`](Self::Ping).
    Pong,
    /// A tenant asks for an operation.
    Request(Request),
    /// The hub's answer to it.
    Response(Response),
    /// The hub refuses a hello, or cannot read a frame.
    Error(ErrorFrame),
    /// The hub delivers an envelope to one agent.
    Notify(Box<Notify>),
    /// A tenant has dealt with a delivery, or cannot.
    Receipt(Receipt),
}

/// Binds a registered name to the connection it comes on.
///
/// ```
/// use wscope::link::{Claim, Frame, Hello};
///
/// let mut hello = Hello::new("alice");
/// hello.auth_scheme = "api_key".to_owned();
/// hello.auth_claim = Claim::token("s3cret");
/// hello.since_envelope_id = Some(String::new()); // all that is not acknowledged
/// assert!(Frame::Hello(hello).encode().ends_with(r#""since_envelope_id": "", "kind": "hello"}"#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Hello {
    /// The name.
    pub name: String,
    /// The scheme with which the name was registered.
    pub auth_scheme: String,
    /// What proves that the name is the tenant's.
    pub auth_claim: Claim,
    /// From where deliveries are repeated: `None` for no replay, `""` for all that is not acknowledged, else what is
    /// not acknowledged and later than this envelope.
    pub since_envelope_id: Option<String>,
}

/// A hello is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Welcome {
    /// The hub's id of the connection, the same for each hello on it.
    pub endpoint_id: String,
    /// The hub's clock.
    pub hub_time: String,
}

/// Asks the hub for an operation.
///
/// ```
/// use wscope::link::{Frame, Payload, Request};
///
/// let request = Request::new("1", "find_agent_id", Payload::parse(r#"{"name": "bob"}"#)?);
/// assert!(Frame::Request(request).encode().starts_with(r#"{"request_id": "1", "op": "find_agent_id", "#));
/// # Ok::<(), wscope::link::InvalidJson>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Request {
    /// Chosen by the tenant, and given back with the answer.
    pub request_id: String,
    /// The name of the operation.
    pub op: String,
    /// Its parameters, an object.
    pub params: Payload,
}

/// Answers a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Response {
    /// That of the request.
    pub request_id: String,
    /// Whether it was done.
    pub ok: bool,
    /// What came of it; null when it was refused.
    pub result: Payload,
    /// Why it was refused; empty when it was done.
    pub error_code: String,
    /// The same for a human reader.
    pub error_message: String,
}

/// A refused hello, or a frame that the hub cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ErrorFrame {
    /// What is wrong.
    pub code: ErrorCode,
    /// The same for a human reader.
    pub message: String,
    /// The envelope that it is about; no hub sets it today.
    pub envelope_id: Option<String>,
}

/// Delivers an envelope to one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Notify {
    /// The envelope.
    pub envelope: Envelope,
    /// Whose delivery it is: a connection may hold many agents.
    pub recipient_id: String,
}

/// Acknowledges a delivery, or says that it failed.
///
/// ```
/// use wscope::link::{Receipt, ReceiptStatus};
///
/// let mut receipt = Receipt::ack("an-envelope", "bobs-id", "a-channel");
/// receipt.status = ReceiptStatus::Nack;
/// receipt.reason = "no such order".to_owned();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The envelope.
    pub envelope_id: String,
    /// What became of it.
    pub status: ReceiptStatus,
    /// Whose delivery it was.
    pub recipient_id: String,
    /// The channel through which it came.
    pub channel_id: String,
    /// Why it failed.
    pub reason: String,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiptStatus {
    /// It is dealt with, and not delivered again.
    Ack,
    /// It could not be dealt with, and is delivered again when the tenant comes back.
    Nack,
    /// Anything else, which means nothing.
    Other(String),
}

impl Hello {
    /// A hello without a claim and without replay.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            auth_scheme: "none".to_owned(),
            auth_claim: Claim::none(),
            since_envelope_id: None,
        }
    }
}

impl Request {
    /// A request for `op`.
    #[must_use]
    pub fn new(request_id: impl Into<String>, op: impl Into<String>, params: Payload) -> Self {
        Self { request_id: request_id.into(), op: op.into(), params }
    }
}

impl Receipt {
    /// The delivery is dealt with.
    #[must_use]
    pub fn ack(
        envelope_id: impl Into<String>,
        recipient_id: impl Into<String>,
        channel_id: impl Into<String>,
    ) -> Self {
        Self {
            envelope_id: envelope_id.into(),
            status: ReceiptStatus::Ack,
            recipient_id: recipient_id.into(),
            channel_id: channel_id.into(),
            reason: String::new(),
        }
    }
}

impl ReceiptStatus {
    fn as_str(&self) -> &str {
        match self {
            Self::Ack => "ack",
            Self::Nack => "nack",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for ReceiptStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "ack" => Self::Ack,
            "nack" => Self::Nack,
            _ => Self::Other(word),
        }
    }
}

impl Serialize for ReceiptStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Frame {
    /// Reads one text message.
    ///
    /// # Errors
    /// What cannot be read, with the name of the first wrong field and, of a request, its id.
    pub fn decode(text: &str) -> Result<Self, FrameError> {
        check_depth(text)?;
        let fields = Fields::cut(text)?;
        let kind: String = fields.text("kind").map_err(|_| FrameError::NoKind)?;
        let frame = match kind.as_str() {
            "hello" => hello(&fields).map(Self::Hello),
            "welcome" => welcome(&fields).map(Self::Welcome),
            "ping" => Ok(Self::Ping),
            "pong" => Ok(Self::Pong),
            "request" => request(&fields).map(Self::Request),
            "response" => response(&fields).map(Self::Response),
            "error" => error(&fields).map(Self::Error),
            "notify" => return Ok(Self::Notify(Box::new(notify(&fields)?))),
            "receipt" => receipt(&fields).map(Self::Receipt),
            _ => return Err(FrameError::UnknownKind { kind }),
        };
        frame.map_err(|error| FrameError::Field { request_id: fields.text("request_id").ok(), kind, error })
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Welcome(_) => "welcome",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Request(_) => "request",
            Self::Response(_) => "response",
            Self::Error(_) => "error",
            Self::Notify(_) => "notify",
            Self::Receipt(_) => "receipt",
        }
    }

    /// The text message, as AG2 writes it.
    #[must_use]
    pub fn encode(&self) -> String {
        let kind = self.kind();
        let text = match self {
            Self::Hello(body) => tagged(body, kind),
            Self::Welcome(body) => tagged(body, kind),
            Self::Ping | Self::Pong => tagged(&Nothing {}, kind),
            Self::Request(body) => tagged(body, kind),
            Self::Response(body) => tagged(body, kind),
            Self::Error(body) => tagged(body, kind),
            Self::Notify(body) => tagged(body, kind),
            Self::Receipt(body) => tagged(body, kind),
        };
        // Serialising into memory fails only for maps whose keys are no texts, and a frame has none.
        text.unwrap_or_default()
    }
}

/// Why a text message is no frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Not a JSON object, or one of a monstrous form.
    #[error("unreadable frame: {0}")]
    Json(#[from] InvalidJson),
    /// `kind` is missing, or no text.
    #[error("frame without a kind")]
    NoKind,
    /// A `kind` that is not in the protocol.
    #[error("unknown frame kind: '{}'", Printable(beginning(kind)))]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// A field is missing or of a wrong type.
    #[error("malformed {kind} frame: {error}")]
    Field {
        /// The kind of the frame.
        kind: String,
        /// What is wrong with which field.
        error: FieldError,
        /// The id of the request, when that much could be read.
        request_id: Option<String>,
    },
}

impl FrameError {
    /// What goes over the wire.
    pub(super) fn in_ag2s_words(&self) -> String {
        match self {
            Self::Field { kind, error, .. } => format!("malformed {kind} frame: {}", error.in_ag2s_words()),
            Self::UnknownKind { kind } => format!("unknown frame kind: '{}'", beginning(kind)),
            Self::Json(_) | Self::NoKind => self.to_string(),
        }
    }
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    #[serde(flatten)]
    body: &'a T,
    kind: &'static str,
}

#[derive(Serialize)]
struct Nothing {}

fn tagged<T: Serialize>(body: &T, kind: &'static str) -> Result<String, serde_json::Error> {
    to_text(&Tagged { body, kind })
}

fn hello(fields: &Fields<'_>) -> Result<Hello, FieldError> {
    Ok(Hello {
        name: fields.text("name")?,
        auth_scheme: fields.text_or("auth_scheme", "none")?,
        auth_claim: fields
            .raw("auth_claim")
            .map_or_else(Claim::none, |claim| Payload::from_raw(claim).into()),
        since_envelope_id: fields.optional("since_envelope_id")?,
    })
}

fn welcome(fields: &Fields<'_>) -> Result<Welcome, FieldError> {
    Ok(Welcome { endpoint_id: fields.text("endpoint_id")?, hub_time: fields.text("hub_time")? })
}

fn request(fields: &Fields<'_>) -> Result<Request, FieldError> {
    Ok(Request {
        request_id: fields.text("request_id")?,
        op: fields.text("op")?,
        params: fields.object_or_empty("params")?,
    })
}

fn response(fields: &Fields<'_>) -> Result<Response, FieldError> {
    Ok(Response {
        request_id: fields.text("request_id")?,
        ok: fields.required("ok")?,
        result: fields.raw("result").map_or_else(Payload::null, Payload::from_raw),
        error_code: fields.text_or("error_code", "")?,
        error_message: fields.text_or("error_message", "")?,
    })
}

fn error(fields: &Fields<'_>) -> Result<ErrorFrame, FieldError> {
    Ok(ErrorFrame {
        code: fields.text("code")?.into(),
        message: fields.text("message")?,
        envelope_id: fields.optional("envelope_id")?,
    })
}

fn notify(fields: &Fields<'_>) -> Result<Notify, FrameError> {
    let malformed = |error| FrameError::Field { kind: "notify".to_owned(), error, request_id: None };
    let raw = fields.raw("envelope").ok_or_else(|| malformed(FieldError::Missing { name: "envelope" }))?;
    let envelope = Envelope::read(&Fields::cut(raw.get())?).map_err(malformed)?;
    Ok(Notify { envelope, recipient_id: fields.text_or("recipient_id", "").map_err(malformed)? })
}

fn receipt(fields: &Fields<'_>) -> Result<Receipt, FieldError> {
    Ok(Receipt {
        envelope_id: fields.text("envelope_id")?,
        status: fields.text("status")?.into(),
        recipient_id: fields.text_or("recipient_id", "")?,
        channel_id: fields.text_or("channel_id", "")?,
        reason: fields.text_or("reason", "")?,
    })
}

impl fmt::Display for ReceiptStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As much of an unknown kind as is told back.
fn beginning(kind: &str) -> &str {
    let end = kind.char_indices().nth(MAX_KIND).map_or(kind.len(), |(at, _)| at);
    &kind[..end]
}

/// How much of an unknown kind is told back.
const MAX_KIND: usize = 64;
