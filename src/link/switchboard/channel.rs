//! One channel as the hub holds it: what it is, whose turn it is, and what is owed in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    board::{Settlement, Switchboard},
    delivery::Recipients,
};
use crate::link::{
    channel::{ChannelRecord, ChannelState, Turn},
    cursor::Cursor,
    envelope::Envelope,
    id::Id,
    recent::RecentKeys,
    refusal::Refusal,
};

/// One channel. `cursors` and `keys` have one place for each participant.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) record: ChannelRecord,
    pub(super) turn: Turn,
    pub(super) cursors: Vec<Cursor>,
    pub(super) keys: Vec<RecentKeys>,
    /// By sender and the envelope that it answers: where the last such envelope stands in the log. Empty once it has ended.
    pub(super) causes: BTreeMap<(usize, String), u64>,
    /// Bytes in the log, by sender.
    pub(super) posted: Vec<usize>,
    /// Who waits for it to open.
    pub(super) creation: Option<(Id, String)>,
}

impl Channel {
    pub(super) fn new(record: ChannelRecord, creation: (Id, String)) -> Self {
        let count = record.participants.len();
        Self {
            turn: Turn::first(record.kind, record.creator),
            cursors: (0..count).map(|_| Cursor::default()).collect(),
            keys: (0..count).map(|_| RecentKeys::default()).collect(),
            causes: BTreeMap::new(),
            posted: vec![0; count],
            creation: Some(creation),
            record,
        }
    }

    /// The places of all but one.
    pub(super) fn others(&self, agent: Id) -> Vec<usize> {
        let participants = self.record.participants.iter().enumerate();
        participants.filter(|(_, other)| **other != agent).map(|(place, _)| place).collect()
    }

    /// Everyone, the creator too: for the hub's own events.
    pub(super) fn everyone(&self) -> Recipients {
        let places = (0..self.record.participants.len()).collect();
        Recipients { places, content: false, expires_at: None }
    }

    /// The places of an audience, each once.
    pub(super) fn places(&self, audience: &[String]) -> Result<Vec<usize>, Refusal> {
        let place = |text: &String| self.record.place(text.parse().ok()?);
        let places: Option<BTreeSet<usize>> = audience.iter().map(place).collect();
        places.map(|places| places.into_iter().collect()).ok_or(Refusal::ForeignAudience)
    }

    /// The place of a sender, who has to be in the channel.
    pub(super) fn place(&self, sender: Id) -> Result<usize, Refusal> {
        let foreign = Refusal::ForeignSender { channel: self.record.id, sender };
        self.record.place(sender).ok_or(foreign)
    }

    /// Content needs an open channel; what moves the protocol, one that has not ended.
    pub(super) fn check_open(&self, is_event: bool) -> Result<(), Refusal> {
        let (channel, state) = (self.record.id, self.record.state);
        match state {
            ChannelState::Active => Ok(()),
            ChannelState::Pending if is_event => Ok(()),
            ChannelState::Pending => Err(Refusal::ChannelNotActive { channel, state }),
            ChannelState::Closed | ChannelState::Expired => Err(Refusal::ChannelEnded { channel, state }),
        }
    }

    /// Text needs the turn.
    pub(super) fn check_turn(&self, place: usize) -> Result<(), Refusal> {
        let channel = self.record.id;
        match self.turn {
            turn if turn.allows(place) => Ok(()),
            Turn::Of { place: expected, .. } => Err(Refusal::NotYourTurn {
                kind: self.record.kind.as_str(),
                is_creator: expected == self.record.creator,
                channel,
                expected: self.record.participants[expected],
                sender: self.record.participants[place],
            }),
            Turn::Free | Turn::Over => Err(Refusal::Complete { channel }),
        }
    }

    /// The late answer to the request that made it, if that waits.
    pub(super) fn settle(&mut self, outcome: Result<String, Refusal>) -> Option<Settlement> {
        let (endpoint, request_id) = self.creation.take()?;
        Some(Settlement { endpoint, request_id, outcome })
    }

    pub(super) fn turn_is_over(&mut self, text: Id) {
        let ChannelRecord { kind, creator, .. } = self.record;
        self.turn = self.turn.after(kind, creator, self.record.participants.len(), text);
    }

    /// What later requests ask of an envelope that was taken.
    pub(super) fn remember(&mut self, place: usize, envelope: &Envelope, id: Id, position: u64) {
        if let Some(key) = &envelope.idempotency_key {
            self.keys[place].remember(key, id);
        }
        if let Some(cause) = envelope.causation_id.as_ref().filter(|cause| !cause.is_empty()) {
            self.causes.insert((place, cause.clone()), position);
        }
    }
}

impl Switchboard {
    pub(super) fn channel(&self, channel: Id) -> Result<&Channel, Refusal> {
        let missing = || Refusal::NotFound { what: "channel", id: channel.to_string() };
        self.channels.get(&channel).ok_or_else(missing)
    }

    /// The channel of an id as it is on the wire.
    pub(super) fn known_channel(&self, id: &str) -> Option<&Channel> {
        self.channels.get(&id.parse().ok()?)
    }
}
