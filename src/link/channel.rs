//! Channels: their types, their states, who is in them, and whose turn it is.
//!
//! ```text
//!              all acks                close, the type's own end
//!  Pending ─────────────▶ Active ────────────────────────────────▶ Closed
//!     │ reject, no ack in time, close                                ▲
//!     ├──────────────────────────────────────────────────────────────┘
//!     │ time over          │ time over
//!     └────────────────────┴───────────────▶ Expired
//! ```

use std::fmt;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use super::{id::Id, json::Payload, time::Timestamp};

/// What rules a channel has.
///
/// ```
/// use wscope::link::ChannelType;
///
/// assert_eq!(ChannelType::of("consulting", 1), Some(ChannelType::Consulting));
/// assert_eq!(ChannelType::Consulting.as_str(), "consulting");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelType {
    /// Two, who speak when they like.
    Conversation,
    /// Two: one question, one answer, and it closes.
    Consulting,
    /// Two or more, in turn.
    Discussion,
}

impl ChannelType {
    /// The type of this name and version; AG2's `workflow` is not among them.
    #[must_use]
    pub fn of(name: &str, version: i64) -> Option<Self> {
        match (name, version) {
            ("conversation", 1) => Some(Self::Conversation),
            ("consulting", 1) => Some(Self::Consulting),
            ("discussion", 1) => Some(Self::Discussion),
            _ => None,
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Consulting => "consulting",
            Self::Discussion => "discussion",
        }
    }

    /// How many may be in it; `None` is any number from two up.
    pub(super) const fn participants(self) -> Option<usize> {
        match self {
            Self::Conversation | Self::Consulting => Some(2),
            Self::Discussion => None,
        }
    }

    /// What it says of itself, word for word as AG2 does: its clients choose their views by it.
    const fn manifest(self) -> Manifest {
        let (roles, view): (&[_], _) = match self {
            Self::Conversation => (&["initiator", "respondent"], "windowed_summary"),
            Self::Consulting => (&["initiator", "respondent"], "full_transcript"),
            Self::Discussion => (&[], "named_windowed_summary"),
        };
        let knobs = match self {
            Self::Conversation | Self::Consulting => Knobs { ordering: None },
            Self::Discussion => Knobs { ordering: Some("str") },
        };
        let expectations = match self {
            Self::Conversation => CONVERSATION,
            Self::Consulting => CONSULTING,
            Self::Discussion => DISCUSSION,
        };
        Manifest {
            r#type: self.as_str(),
            version: 1,
            participants: Bounds { min: 2, max: self.participants(), roles },
            knobs_schema: knobs,
            default_view_policy: view,
            expectations,
        }
    }
}

/// Where a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChannelState {
    /// Some of the invited have not answered.
    Pending,
    /// Open for content.
    Active,
    /// Ended by someone, or by its type.
    Closed,
    /// Ended by its time.
    Expired,
}

impl ChannelState {
    /// Whether it has ended.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Pending | Self::Active => false,
            Self::Closed | Self::Expired => true,
        }
    }
}

impl fmt::Display for ChannelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Closed => "closed",
            Self::Expired => "expired",
        })
    }
}

/// Whose turn it is, which is all that a type remembers of what was said. Counted in places among the participants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Anyone's.
    Free,
    /// This participant's, since that envelope.
    Of { place: usize, since: Option<Id> },
    /// No one's: all is said.
    Over,
}

impl Turn {
    /// At the beginning, with the creator in that place.
    pub(super) const fn first(kind: ChannelType, creator: usize) -> Self {
        match kind {
            ChannelType::Conversation => Self::Free,
            ChannelType::Consulting | ChannelType::Discussion => Self::Of { place: creator, since: None },
        }
    }

    /// Whether the participant in that place may say text now.
    pub(super) fn allows(self, speaker: usize) -> bool {
        match self {
            Self::Free => true,
            Self::Of { place, .. } => place == speaker,
            Self::Over => false,
        }
    }

    /// After text from the participant whose turn it was.
    pub(super) fn after(self, kind: ChannelType, creator: usize, participants: usize, text: Id) -> Self {
        match (kind, self) {
            (ChannelType::Conversation, _) | (_, Self::Free) => Self::Free,
            (ChannelType::Consulting, Self::Of { place, .. }) if place != creator => Self::Over,
            (_, Self::Over) => Self::Over,
            (ChannelType::Consulting | ChannelType::Discussion, Self::Of { place, .. }) => {
                Self::Of { place: (place + 1) % participants.max(1), since: Some(text) }
            }
        }
    }
}

/// Labels of a channel, in the order in which they were given; the last of two equal keys wins.
///
/// ```
/// use wscope::link::Labels;
///
/// let mut labels = Labels::default();
/// labels.set("topic", "lunch");
/// labels.set("topic", "dinner");
/// assert_eq!((labels.value("topic"), labels.value("place")), (Some("dinner"), None));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<(String, String)>);

impl Labels {
    /// Sets a label.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.0.push((key, value)),
        }
    }

    /// The label under `key`.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> serde::de::Visitor<'de> for Pairs {
            type Value = Labels;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut labels = Labels::default();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    if labels.0.len() >= MAX_LABELS {
                        return Err(serde::de::Error::custom("too many labels"));
                    }
                    labels.set(key, value);
                }
                Ok(labels)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// One channel as `get_channel` tells it: AG2's `ChannelMetadata`, borrowed from the hub's own record.
#[derive(Debug, Serialize)]
pub(super) struct ChannelMetadata<'a> {
    channel_id: Id,
    manifest: Manifest,
    creator_id: Id,
    participants: Vec<Participant>,
    state: ChannelState,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    close_reason: &'a str,
    parent_channel_id: Option<Id>,
    knobs: &'a Payload,
    labels: &'a Labels,
    required_acks: Option<i64>,
    pending_acks: &'a [Id],
    rejected_by: &'a [Id],
}

/// What is fixed when a channel is created, and where it stands now.
#[derive(Debug)]
pub(super) struct ChannelRecord {
    pub(super) id: Id,
    pub(super) kind: ChannelType,
    /// In order; the creator is one of them.
    pub(super) participants: Vec<Id>,
    /// The creator's place among them: `creator < participants.len()`.
    pub(super) creator: usize,
    pub(super) state: ChannelState,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) closed_at: Option<Timestamp>,
    pub(super) close_reason: String,
    pub(super) knobs: Payload,
    pub(super) labels: Labels,
    pub(super) required_acks: Option<i64>,
    pub(super) pending_acks: Vec<Id>,
    pub(super) rejected_by: Vec<Id>,
}

impl ChannelRecord {
    pub(super) fn creator_id(&self) -> Id {
        self.participants[self.creator]
    }

    /// The place of an agent among the participants.
    pub(super) fn place(&self, agent: Id) -> Option<usize> {
        self.participants.iter().position(|participant| *participant == agent)
    }

    pub(super) fn metadata(&self) -> ChannelMetadata<'_> {
        ChannelMetadata {
            channel_id: self.id,
            manifest: self.kind.manifest(),
            creator_id: self.creator_id(),
            participants: self.participants.iter().enumerate().map(|it| self.participant(it)).collect(),
            state: self.state,
            created_at: self.created_at,
            expires_at: self.expires_at,
            closed_at: self.closed_at,
            close_reason: &self.close_reason,
            parent_channel_id: None,
            knobs: &self.knobs,
            labels: &self.labels,
            required_acks: self.required_acks,
            pending_acks: &self.pending_acks,
            rejected_by: &self.rejected_by,
        }
    }

    fn participant(&self, (order, agent_id): (usize, &Id)) -> Participant {
        let role = match (order == self.creator, self.participants.len()) {
            (true, _) => "initiator",
            (false, 2) => "respondent",
            (false, _) => "participant",
        };
        Participant { agent_id: *agent_id, role, order, joined_at: self.created_at }
    }
}

#[derive(Debug, Serialize)]
struct Participant {
    agent_id: Id,
    role: &'static str,
    order: usize,
    joined_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct Manifest {
    r#type: &'static str,
    version: u8,
    participants: Bounds,
    knobs_schema: Knobs,
    default_view_policy: &'static str,
    expectations: &'static [Expectation],
}

#[derive(Debug, Serialize)]
struct Bounds {
    min: usize,
    max: Option<usize>,
    roles: &'static [&'static str],
}

/// Not a record with fields of its own, but a dictionary: what is not there is left out.
#[derive(Debug, Serialize)]
struct Knobs {
    #[serde(skip_serializing_if = "Option::is_none")]
    ordering: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Expectation {
    name: &'static str,
    on_violation: &'static str,
    params: Within,
    applies_to: Option<()>,
}

impl Expectation {
    const fn new(name: &'static str, on_violation: &'static str, seconds: u32) -> Self {
        Self { name, on_violation, params: Within { seconds }, applies_to: None }
    }
}

#[derive(Debug, Serialize)]
struct Within {
    seconds: u32,
}

const CONVERSATION: &[Expectation] = &[Expectation::new("max_silence", "audit", 3_600)];
const CONSULTING: &[Expectation] =
    &[Expectation::new("acks_within", "auto_close", 30), Expectation::new("reply_within", "auto_close", 600)];
const DISCUSSION: &[Expectation] =
    &[Expectation::new("turn_within", "warn", 120), Expectation::new("turn_within", "hide", 600)];

/// How many labels a channel may have.
const MAX_LABELS: usize = 64;
