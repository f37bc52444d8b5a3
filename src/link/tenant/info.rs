//! What a hub tells of a channel, and of the turns that are an agent's.

use serde::Deserialize;

use crate::link::{
    channel::{ChannelState, Labels},
    json::Payload,
};

/// A channel, as the hub tells of it.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// Its id.
    pub channel_id: String,
    /// Its type.
    pub manifest: ManifestInfo,
    /// Who created it.
    pub creator_id: String,
    /// Who is in it, in order.
    pub participants: Vec<ParticipantInfo>,
    /// Where it stands.
    pub state: ChannelState,
    /// When it was created.
    #[serde(default)]
    pub created_at: String,
    /// When its time is over.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// When it ended.
    #[serde(default)]
    pub closed_at: Option<String>,
    /// Why it ended.
    #[serde(default)]
    pub close_reason: Option<String>,
    /// Settings of its type.
    #[serde(default)]
    pub knobs: Payload,
    /// Anything else.
    #[serde(default)]
    pub labels: Labels,
    /// Who is invited and has not answered.
    #[serde(default)]
    pub pending_acks: Vec<String>,
    /// Who stayed away.
    #[serde(default)]
    pub rejected_by: Vec<String>,
}

/// The type of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ManifestInfo {
    /// Its name: a hub may know more than [`ChannelType`](crate::link::ChannelType).
    pub r#type: String,
    /// Its version.
    pub version: i64,
}

/// One who is in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ParticipantInfo {
    /// Its id.
    pub agent_id: String,
    /// `initiator`, `respondent` or `participant`.
    #[serde(default)]
    pub role: String,
    /// Its place.
    #[serde(default)]
    pub order: i64,
    /// When it came in.
    #[serde(default)]
    pub joined_at: String,
}

/// A turn that is an agent's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PendingTurn {
    /// In this channel.
    pub channel_id: String,
    /// Since this envelope; `None` at the beginning.
    #[serde(default)]
    pub triggering_envelope_id: Option<String>,
    /// By when it should be taken.
    #[serde(default)]
    pub expected_at: Option<String>,
}
