//! What the hub refuses, and with which code: AG2's five, and a few more that AG2 reads as its plain error.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{
    auth::AuthError,
    channel::ChannelState,
    id::Id,
    json::{FieldError, InvalidJson},
    rule::InvalidTtl,
    store::StoreError,
};

/// The code of a refusal on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// There is no such name, id, channel or type of channel.
    NotFound,
    /// Not bound to that agent, not in that channel, or a rule is against it.
    AccessDenied,
    /// Against the protocol: the channel's state, another's turn, a taken name, an unknown operation.
    ProtocolError,
    /// The claim is refused.
    AuthFailed,
    /// Anything else: an inbox without room, a parameter that is missing.
    Error,
    /// Ours: a message that no AG2 tenant could receive, or a frame too large to be read.
    TooLarge,
    /// Ours: the agent is bound to another connection now.
    Superseded,
    /// Ours: more posts than the sender's rule allows.
    RateLimited,
    /// Ours: the hub has no room for more of these.
    LimitExceeded,
    /// Ours: the hub is closing.
    ShuttingDown,
    /// A code that this version does not know.
    Other(String),
}

impl ErrorCode {
    /// The code as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::NotFound => "not_found",
            Self::AccessDenied => "access_denied",
            Self::ProtocolError => "protocol_error",
            Self::AuthFailed => "auth_failed",
            Self::Error => "error",
            Self::TooLarge => "too_large",
            Self::Superseded => "superseded",
            Self::RateLimited => "rate_limited",
            Self::LimitExceeded => "limit_exceeded",
            Self::ShuttingDown => "shutting_down",
            Self::Other(code) => code,
        }
    }

    const KNOWN: [Self; 10] = [
        Self::NotFound,
        Self::AccessDenied,
        Self::ProtocolError,
        Self::AuthFailed,
        Self::Error,
        Self::TooLarge,
        Self::Superseded,
        Self::RateLimited,
        Self::LimitExceeded,
        Self::ShuttingDown,
    ];
}

impl From<String> for ErrorCode {
    fn from(code: String) -> Self {
        let known = Self::KNOWN.into_iter().find(|known| known.as_str() == code);
        known.unwrap_or(Self::Other(code))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why the hub does not do what it was asked. `Display` is AG2's message wherever AG2 has one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No agent is registered under this name.
    #[error("unknown name: {name}")]
    UnknownName {
        /// The name of the hello.
        name: String,
    },
    /// There is no such agent, resume or rule.
    #[error("{what} not found: {id}")]
    NotFound {
        /// What was asked for.
        what: &'static str,
        /// The text by which it was asked for.
        id: String,
    },
    /// An agent that has to be registered for this is not.
    #[error("{what} not registered: {id}")]
    NotRegistered {
        /// As what it was named.
        what: &'static str,
        /// The text by which it was named.
        id: String,
    },
    /// The hub has no such type of channel.
    #[error("no adapter registered for '{kind}'@v{version}")]
    UnknownChannelType {
        /// The name of the type.
        kind: String,
        /// Its version.
        version: i64,
    },
    /// The connection does not hold the agent for which it asks.
    #[error("connection is not bound to agent '{agent}'")]
    NotBound {
        /// The text by which it was named.
        agent: String,
    },
    /// The connection holds no agent at all.
    #[error("connection has no bound agent")]
    NoAgent,
    /// None of the connection's agents is in the channel.
    #[error("connection has no participant in channel '{channel}'")]
    NoParticipant {
        /// The channel.
        channel: String,
    },
    /// The agent is not in the channel.
    #[error("agent is not a participant of channel '{channel}'")]
    NotInChannel {
        /// The channel.
        channel: String,
    },
    /// The sender's rule does not let it address this agent.
    #[error("sender '{sender}' not permitted to send to '{recipient}'")]
    OutboundRefused {
        /// The sender's name.
        sender: String,
        /// The recipient's name.
        recipient: String,
    },
    /// The invited agent's rule does not let the creator in.
    #[error("invitee '{invitee}' does not accept inbound from '{creator}'")]
    InboundRefused {
        /// The name of the invited agent.
        invitee: String,
        /// The creator's name.
        creator: String,
    },
    /// A rule does not let this agent into a channel of this type.
    #[error("'{agent}' is not permitted in channels of type '{kind}'")]
    ChannelTypeRefused {
        /// The name of the agent whose rule it is.
        agent: String,
        /// The type.
        kind: &'static str,
    },
    /// More delegations lie before the envelope than the sender's rule allows.
    #[error("sender '{sender}' exceeded delegation_depth ({depth} > {limit})")]
    TooManyDelegations {
        /// The sender's name.
        sender: String,
        /// The depth of the envelope.
        depth: i64,
        /// The rule's limit.
        limit: i64,
    },
    /// The creator's rule allows no more channels.
    #[error("creator '{creator}' exceeded max_concurrent_channels ({count} >= {limit})")]
    TooManyChannels {
        /// The creator.
        creator: Id,
        /// How many it has.
        count: u64,
        /// How many it may have.
        limit: u64,
    },
    /// Participants of other hubs are not taken.
    #[error("this hub does not accept remote_agent registration over the wire")]
    RemoteAgent,
    /// The name looks like an id.
    #[error("name '{name}' is, or has the shape of, an agent id")]
    NameIsId {
        /// The name.
        name: String,
    },
    /// The name is another agent's.
    #[error("name '{name}' already registered (agent_id={agent}); unregister it before re-registering.")]
    NameTaken {
        /// The name.
        name: String,
        /// Whose it is.
        agent: Id,
    },
    /// Only the hub says such things.
    #[error("'{event}' is emitted only by the hub")]
    HubEvent {
        /// The type of the event.
        event: String,
    },
    /// Someone outside of the channel is addressed.
    #[error("audience must list only participants of the channel")]
    ForeignAudience,
    /// The channel has ended.
    #[error("channel '{channel}' is {state}")]
    ChannelEnded {
        /// The channel.
        channel: Id,
        /// How it ended.
        state: ChannelState,
    },
    /// Some of the invited have not answered yet.
    #[error("channel '{channel}' not active (state={state})")]
    ChannelNotActive {
        /// The channel.
        channel: Id,
        /// Where it stands.
        state: ChannelState,
    },
    /// The sender is not in the channel.
    #[error("channel '{channel}' only accepts sends from participants, got '{sender}'")]
    ForeignSender {
        /// The channel.
        channel: Id,
        /// The sender.
        sender: Id,
    },
    /// It is another's turn.
    #[error("{kind} channel '{channel}' expects {}, got '{sender}'", turn(kind, *is_creator, *expected))]
    NotYourTurn {
        /// The type of the channel.
        kind: &'static str,
        /// Whether it is the creator's turn.
        is_creator: bool,
        /// The channel.
        channel: Id,
        /// Whose turn it is.
        expected: Id,
        /// Who spoke.
        sender: Id,
    },
    /// All has been said in this channel.
    #[error("consulting channel '{channel}' already complete")]
    Complete {
        /// The channel.
        channel: Id,
    },
    /// A channel needs another than its creator.
    #[error("channel requires at least one participant")]
    NoParticipants,
    /// An agent is listed twice.
    #[error("participant listed twice: '{agent}'")]
    ListedTwice {
        /// The agent.
        agent: String,
    },
    /// The type is for two: its creator, and one other.
    #[error("{kind} requires exactly one respondent")]
    NotTwo {
        /// The type.
        kind: &'static str,
    },
    /// The type is for two or more.
    #[error("{kind} requires at least 2 participants, got {count}")]
    TooFew {
        /// The type.
        kind: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The discussion knows no such order.
    #[error("discussion knobs.ordering={ordering} not supported; choose from ['round_robin']")]
    UnknownOrdering {
        /// The order asked for, in JSON.
        ordering: String,
    },
    /// Not all of the invited answered in time.
    #[error("channel '{channel}' ack timeout")]
    AckTimeout {
        /// The channel, closed by now.
        channel: Id,
    },
    /// The channel was closed before it was open.
    #[error("channel '{channel}' closed during handshake: {reason}")]
    ClosedDuringHandshake {
        /// The channel.
        channel: Id,
        /// Why.
        reason: String,
    },
    /// The hub knows no such operation.
    #[error("unknown control-plane op: '{op}'")]
    UnknownOperation {
        /// Its name, shortened.
        op: String,
    },
    /// The task id may not become part of a path.
    #[error("invalid task_id: '{task_id}'")]
    InvalidTaskId {
        /// The id, shortened.
        task_id: String,
    },
    /// The claim is refused.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A recipient's inbox has no room.
    #[error("recipient '{recipient}' inbox at capacity ({count} >= {limit})")]
    InboxFull {
        /// The recipient.
        recipient: Id,
        /// How much waits for it.
        count: u64,
        /// How much may.
        limit: u64,
    },
    /// A parameter is missing.
    #[error("{}", .0.in_ag2s_words())]
    Missing(FieldError),
    /// A parameter is of a wrong type.
    #[error("malformed parameter: {}", .0.in_ag2s_words())]
    Malformed(FieldError),
    /// A parameter that is an object cannot be read.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// A duration cannot be read.
    #[error(transparent)]
    Ttl(#[from] InvalidTtl),
    /// The store does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No AG2 tenant could receive it, or it is more than the hub reads.
    #[error("{what} of {size} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The agent is bound to another connection.
    #[error("agent '{agent}' is bound to another connection now")]
    Superseded {
        /// The agent.
        agent: Id,
    },
    /// The sender posts more than its rule allows.
    #[error("sender '{sender}' exceeded its rate of {per_minute} a minute")]
    RateLimited {
        /// The sender's name.
        sender: String,
        /// The rule's limit.
        per_minute: u64,
    },
    /// The hub has no room for more of these.
    #[error("no room for more {what}: the limit is {limit}")]
    LimitExceeded {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The hub is closing.
    #[error("the hub is shutting down")]
    ShuttingDown,
}

impl Refusal {
    /// The code with which it is sent.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownName { .. }
            | Self::NotFound { .. }
            | Self::NotRegistered { .. }
            | Self::UnknownChannelType { .. } => ErrorCode::NotFound,
            Self::NotBound { .. }
            | Self::NoAgent
            | Self::NoParticipant { .. }
            | Self::NotInChannel { .. }
            | Self::OutboundRefused { .. }
            | Self::InboundRefused { .. }
            | Self::ChannelTypeRefused { .. }
            | Self::TooManyDelegations { .. }
            | Self::TooManyChannels { .. }
            | Self::RemoteAgent => ErrorCode::AccessDenied,
            Self::NameIsId { .. }
            | Self::NameTaken { .. }
            | Self::HubEvent { .. }
            | Self::ForeignAudience
            | Self::ChannelEnded { .. }
            | Self::ChannelNotActive { .. }
            | Self::ForeignSender { .. }
            | Self::NotYourTurn { .. }
            | Self::Complete { .. }
            | Self::NoParticipants
            | Self::ListedTwice { .. }
            | Self::NotTwo { .. }
            | Self::TooFew { .. }
            | Self::UnknownOrdering { .. }
            | Self::AckTimeout { .. }
            | Self::ClosedDuringHandshake { .. }
            | Self::UnknownOperation { .. }
            | Self::Malformed(_)
            | Self::InvalidTaskId { .. } => ErrorCode::ProtocolError,
            Self::Auth(_) => ErrorCode::AuthFailed,
            Self::InboxFull { .. } | Self::Missing(_) | Self::Json(_) | Self::Ttl(_) => ErrorCode::Error,
            Self::Store(StoreError::Full { .. } | StoreError::LogFull { .. })
            | Self::LimitExceeded { .. } => ErrorCode::LimitExceeded,
            Self::Store(StoreError::Failed) => ErrorCode::Error,
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::Superseded { .. } => ErrorCode::Superseded,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::ShuttingDown => ErrorCode::ShuttingDown,
        }
    }
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        match error {
            FieldError::Missing { .. } => Self::Missing(error),
            FieldError::WrongType { .. } => Self::Malformed(error),
        }
    }
}

/// As much of a tenant's own text as is told back in a refusal.
pub(super) fn told(text: &str) -> String {
    text.chars().take(MAX_TOLD).collect()
}

/// Whose turn it is, in the words of each type.
fn turn(kind: &str, is_creator: bool, expected: Id) -> String {
    match (kind, is_creator) {
        ("consulting", true) => format!("first send from initiator '{expected}'"),
        ("consulting", false) => format!("reply from respondent '{expected}'"),
        _ => format!("'{expected}' to speak"),
    }
}

/// Characters.
const MAX_TOLD: usize = 128;
