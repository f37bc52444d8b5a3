//! The envelope: what one agent says to others, and what the hub stamps on it.

use serde::{Serialize, Serializer};

use super::json::{FieldError, Fields, Payload};

/// One message between agents of a channel.
///
/// All fourteen fields are on the wire each time, nulls included: AG2 drops an envelope that lacks `audience`, and one that
/// has a field more.
///
/// ```
/// use wscope::link::{Envelope, Payload};
///
/// let mut envelope = Envelope::new(
///     "18e9fbf1a332d5229928f0edf55497cc", // the channel
///     "18e9fbf19f35119ec6bae34374fe4974", // who says it
///     Envelope::TEXT,
///     Payload::parse(r#"{"text": "hello"}"#)?,
/// );
/// envelope.idempotency_key = Some("greeting-1".to_owned());
/// assert_eq!(envelope.audience, None); // to everyone in the channel but the sender
/// # Ok::<(), wscope::link::InvalidJson>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Envelope {
    /// The channel it goes through.
    pub channel_id: String,
    /// The agent who says it; the hub takes no other than one that is bound to the connection.
    pub sender_id: String,
    /// Who gets it: ids of agents, or everyone in the channel but the sender.
    pub audience: Option<Vec<String>>,
    /// What kind of message it is: [`TEXT`](Self::TEXT), one of the hub's own events, or anything else.
    pub event_type: String,
    /// What is said, in JSON of any shape but a scalar.
    pub event_data: Payload,
    /// The hub's id of it, whatever the sender wrote: strictly increasing per hub.
    pub envelope_id: String,
    /// The task that it belongs to.
    pub task_id: Option<String>,
    /// The envelope that it answers.
    pub causation_id: Option<String>,
    /// A W3C traceparent.
    pub trace_id: Option<String>,
    /// How urgent the sender holds it to be.
    pub priority: Priority,
    /// How many delegations lie before it.
    pub depth: i64,
    /// A second post with the same key, sender and channel gives the id of the first and is delivered once.
    pub idempotency_key: Option<String>,
    /// When the hub took it.
    pub created_at: String,
    /// Seconds after which it is no longer delivered; none, zero or less for no end.
    pub ttl_seconds: Option<i64>,
}

impl Envelope {
    /// Text between agents: `{"text": ".."}`. The only event to which turn rules apply.
    pub const TEXT: &str = "ag2.msg.text";
    /// The hub invites an agent to a channel.
    pub const INVITE: &str = "ag2.channel.invite";
    /// An invited agent joins.
    pub const INVITE_ACK: &str = "ag2.channel.invite.ack";
    /// An invited agent stays away, which closes the channel.
    pub const INVITE_REJECT: &str = "ag2.channel.invite.reject";
    /// All invited agents have joined.
    pub const OPENED: &str = "ag2.channel.opened";
    /// The channel is closed.
    pub const CLOSED: &str = "ag2.channel.closed";
    /// The channel's time is over.
    pub const EXPIRED: &str = "ag2.channel.expired";

    /// An envelope to everyone in the channel, with all else as AG2 leaves it.
    #[must_use]
    pub fn new(
        channel_id: impl Into<String>,
        sender_id: impl Into<String>,
        event_type: impl Into<String>,
        event_data: Payload,
    ) -> Self {
        Self {
            channel_id: channel_id.into(),
            sender_id: sender_id.into(),
            audience: None,
            event_type: event_type.into(),
            event_data,
            envelope_id: String::new(),
            task_id: None,
            causation_id: None,
            trace_id: None,
            priority: Priority::Normal,
            depth: 0,
            idempotency_key: None,
            created_at: String::new(),
            ttl_seconds: None,
        }
    }

    /// Reads an envelope, as liberally as a frame is read; only `audience` must be there, if only as null.
    ///
    /// # Errors
    /// The first field that is missing or of a wrong type.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let event_data = fields.raw("event_data").ok_or(FieldError::Missing { name: "event_data" })?;
        if !event_data.get().starts_with(['{', '[']) {
            return Err(FieldError::WrongType { name: "event_data" });
        }
        Ok(Self {
            channel_id: fields.text("channel_id")?,
            sender_id: fields.text("sender_id")?,
            audience: fields.required("audience")?,
            event_type: fields.text("event_type")?,
            event_data: Payload::from_raw(event_data),
            envelope_id: fields.text_or("envelope_id", "")?,
            task_id: fields.optional("task_id")?,
            causation_id: fields.optional("causation_id")?,
            trace_id: fields.optional("trace_id")?,
            priority: fields.text_or("priority", "normal")?.into(),
            depth: fields.optional("depth")?.unwrap_or(0),
            idempotency_key: fields.optional("idempotency_key")?,
            created_at: fields.text_or("created_at", "")?,
            ttl_seconds: fields.optional("ttl_seconds")?,
        })
    }
}

/// How urgent the sender holds an envelope to be. Nothing in the protocol depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Priority {
    /// When there is time.
    Background,
    /// As usual.
    #[default]
    Normal,
    /// Before others.
    Urgent,
    /// A word that AG2 does not know, but does not refuse either.
    Other(String),
}

impl Priority {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Background => "background",
            Self::Normal => "normal",
            Self::Urgent => "urgent",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for Priority {
    fn from(word: String) -> Self {
        match word.as_str() {
            "background" => Self::Background,
            "normal" => Self::Normal,
            "urgent" => Self::Urgent,
            _ => Self::Other(word),
        }
    }
}

impl Serialize for Priority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
