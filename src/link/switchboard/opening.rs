//! How a channel begins and ends.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    alarm::Alarm,
    board::{Answer, Settlement, Switchboard},
    delivery::Recipients,
    registry::{check_size, size_of_json},
};
use crate::link::{
    channel::{ChannelRecord, ChannelState, ChannelType, Labels, Turn},
    cursor::Cursor,
    envelope::Envelope,
    error::Refusal,
    id::Id,
    json::{InvalidJson, Payload, to_text},
    operation::CreateChannel,
    recent::RecentKeys,
};

/// One channel. `cursors` and `keys` have one place for each participant.
#[derive(Debug)]
pub(crate) struct Channel {
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
    fn new(record: ChannelRecord, creation: (Id, String)) -> Self {
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

    fn everyone(&self) -> Recipients {
        let places = (0..self.record.participants.len()).collect();
        Recipients { places, content: false, expires_at: None }
    }

    /// The places of an audience, each once.
    pub(super) fn places(&self, audience: &[String]) -> Result<Vec<usize>, Refusal> {
        let place = |text: &String| self.record.place(text.parse().ok()?);
        let places: Option<BTreeSet<usize>> = audience.iter().map(place).collect();
        places.map(|places| places.into_iter().collect()).ok_or(Refusal::ForeignAudience)
    }

    pub(super) fn place(&self, sender: Id) -> Result<usize, Refusal> {
        let foreign = Refusal::ForeignSender { channel: self.record.id, sender };
        self.record.place(sender).ok_or(foreign)
    }

    pub(super) fn check_open(&self, is_event: bool) -> Result<(), Refusal> {
        let (channel, state) = (self.record.id, self.record.state);
        match state {
            ChannelState::Active => Ok(()),
            ChannelState::Pending if is_event => Ok(()),
            ChannelState::Pending => Err(Refusal::ChannelNotActive { channel, state }),
            ChannelState::Closed | ChannelState::Expired => Err(Refusal::ChannelEnded { channel, state }),
        }
    }

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
    /// Invites; the answer comes when all have joined, or when that has failed.
    pub(super) fn create_channel(
        &mut self,
        endpoint: Id,
        request_id: &str,
        create: &CreateChannel,
    ) -> Result<Answer, Refusal> {
        let record = self.draft(endpoint, create)?;
        self.check_rules(&record)?;
        let (id, creator) = (record.id, record.creator_id());
        self.alarms.set(self.now.after(self.limits.joining), Alarm::Joining(id));
        if let Some(at) = record.expires_at {
            self.alarms.set(at, Alarm::Expiry(id));
        }
        for participant in &record.participants {
            if let Some(agent) = self.registry.agent_mut(*participant) {
                agent.channels.insert(id);
                agent.active += 1;
                agent.created += u64::from(*participant == creator);
            }
        }
        self.channels.insert(id, Channel::new(record, (endpoint, request_id.to_owned())));
        if let Err(refusal) = self.invite(id) {
            self.end(id, ChannelState::Closed, "invite_failed");
            self.settled.retain(|settlement| settlement.request_id != request_id); // told here
            return Err(refusal);
        }
        Ok(Answer::Later)
    }

    /// The record of a new channel, if what is asked for makes sense.
    fn draft(&mut self, endpoint: Id, create: &CreateChannel) -> Result<ChannelRecord, Refusal> {
        let creator = self.bound(endpoint, &create.creator_id)?;
        let participants = self.participants(creator, &create.participants)?;
        let (name, version) = (&create.manifest_type, create.manifest_version);
        let unknown = || Refusal::UnknownChannelType { kind: told(name), version };
        let kind = ChannelType::of(name, version).ok_or_else(unknown)?;
        check_count(kind, participants.len())?;
        let knobs = create.knobs.clone().unwrap_or_default();
        check_knobs(kind, &knobs)?;
        let mut labels = create.labels.clone().unwrap_or_default();
        if let Some(intent) = create.intent.as_ref().filter(|intent| !intent.is_empty()) {
            labels.set("intent", intent);
        }
        check_size("labels", size_of_json(&labels), self.limits.record)?;
        check_size("knobs", knobs.as_str().len(), self.limits.record)?;
        let default =
            || self.registry.agent(creator).map(|agent| agent.rule.limits.channel_ttl_default.clone());
        let ttl = create.ttl.clone().or_else(default).map(|ttl| ttl.duration()).transpose()?.flatten();
        Ok(ChannelRecord {
            id: self.ids.next(self.now),
            kind,
            creator: participants.iter().position(|agent| *agent == creator).unwrap_or(0),
            pending_acks: participants.iter().copied().filter(|agent| *agent != creator).collect(),
            participants,
            state: ChannelState::Pending,
            created_at: self.now,
            expires_at: ttl.map(|ttl| self.now.after(ttl)),
            closed_at: None,
            close_reason: String::new(),
            knobs,
            labels,
            required_acks: create.required_acks,
            rejected_by: Vec::new(),
        })
    }

    /// Who is in it, with the creator in front when it is not listed.
    fn participants(&self, creator: Id, listed: &[String]) -> Result<Vec<Id>, Refusal> {
        if listed.is_empty() {
            return Err(Refusal::NoParticipants);
        }
        let limit = self.limits.participants;
        if listed.len() > limit {
            return Err(Refusal::LimitExceeded { what: "participants", limit });
        }
        let mut seen = BTreeSet::new();
        let mut participants = Vec::with_capacity(listed.len() + 1);
        for text in listed {
            if !seen.insert(text) {
                return Err(Refusal::ListedTwice { agent: told(text) });
            }
            let unknown = || Refusal::NotRegistered { what: "participant", id: told(text) };
            participants.push(self.registry.by_text(text).ok_or_else(unknown)?.0);
        }
        if !participants.contains(&creator) {
            participants.insert(0, creator);
        }
        Ok(participants)
    }

    /// What the rules of creator and invited say, asked before anyone is invited.
    fn check_rules(&self, record: &ChannelRecord) -> Result<(), Refusal> {
        let kind = record.kind.as_str();
        let creator_id = record.creator_id();
        let Some(creator) = self.registry.agent(creator_id) else { return Ok(()) }; // bound, so registered
        let name = |agent: &super::registry::Agent| agent.passport.name.clone();
        let limit = self.limits.channels_per_agent;
        if !creator.rule.access.channel_types.may_initiate(kind) {
            return Err(Refusal::ChannelTypeRefused { agent: name(creator), kind });
        }
        for participant in &record.participants {
            let Some(agent) = self.registry.agent(*participant) else { continue };
            let access = &agent.rule.access;
            if agent.active >= limit {
                return Err(Refusal::LimitExceeded { what: "channels of one agent", limit });
            }
            if *participant == creator_id {
                continue;
            }
            if !access.accepts_from(&creator.passport.name) {
                return Err(Refusal::InboundRefused { invitee: name(agent), creator: name(creator) });
            }
            if !access.channel_types.may_accept(kind) {
                return Err(Refusal::ChannelTypeRefused { agent: name(agent), kind });
            }
            if !creator.rule.access.may_address(&agent.passport.name) {
                return Err(Refusal::OutboundRefused { sender: name(creator), recipient: name(agent) });
            }
        }
        let (count, limit) = (creator.created, creator.rule.limits.max_concurrent_channels);
        if limit > 0 && count >= limit {
            return Err(Refusal::TooManyChannels { creator: creator_id, count, limit });
        }
        Ok(())
    }

    /// One invite for each of the invited, in their order.
    fn invite(&mut self, channel: Id) -> Result<(), Refusal> {
        let record = &self.channel(channel)?.record;
        let data = payload(&Invite {
            channel_id: channel,
            manifest_type: record.kind.as_str(),
            manifest_version: 1,
            creator_id: record.creator_id(),
            knobs: &record.knobs,
            labels: &record.labels,
        })?;
        let creator = record.creator_id();
        for invited in record.pending_acks.clone() {
            let Some(place) = self.channel(channel)?.record.place(invited) else { continue };
            let mut envelope =
                Envelope::new(channel.to_string(), creator.to_string(), Envelope::INVITE, data.clone());
            envelope.audience = Some(vec![invited.to_string()]);
            let to = Recipients { places: vec![place], content: false, expires_at: None };
            self.publish(channel, &mut envelope, &to)?;
        }
        Ok(())
    }

    /// An invited agent joins; with the last one the channel opens.
    pub(super) fn joined(&mut self, channel: Id, agent: Id) {
        let Some(known) = self.channels.get_mut(&channel) else { return };
        if known.record.state != ChannelState::Pending {
            return;
        }
        known.record.pending_acks.retain(|pending| *pending != agent);
        if known.record.pending_acks.is_empty() {
            self.open(channel);
        }
    }

    fn open(&mut self, channel: Id) {
        let Some(known) = self.channels.get_mut(&channel) else { return };
        known.record.state = ChannelState::Active;
        let joining = known.record.created_at.after(self.limits.joining);
        self.alarms.unset(joining, Alarm::Joining(channel));
        let data = payload(&About { channel_id: channel });
        self.announce(channel, Envelope::OPENED, data);
        let Some(known) = self.channels.get_mut(&channel) else { return };
        if let Some((endpoint, request_id)) = known.creation.take() {
            let outcome = to_text(&known.record.metadata()).map_err(|error| InvalidJson::from(error).into());
            self.settled.push(Settlement { endpoint, request_id, outcome });
        }
    }

    /// An invited agent stays away, which is the end of the channel.
    pub(super) fn rejected(&mut self, channel: Id, agent: Id) {
        let Some(known) = self.channels.get_mut(&channel) else { return };
        if known.record.state != ChannelState::Pending {
            return;
        }
        known.record.pending_acks.retain(|pending| *pending != agent);
        known.record.rejected_by.push(agent);
        self.end(channel, ChannelState::Closed, "invite_rejected");
    }

    pub(super) fn joining_is_over(&mut self, channel: Id) {
        let Some(known) = self.channels.get_mut(&channel) else { return };
        if known.record.state != ChannelState::Pending {
            return;
        }
        if let Some((endpoint, request_id)) = known.creation.take() {
            let outcome = Err(Refusal::AckTimeout { channel });
            self.settled.push(Settlement { endpoint, request_id, outcome });
        }
        self.end(channel, ChannelState::Closed, "invite_timeout");
    }

    pub(super) fn expire(&mut self, channel: Id) {
        self.end(channel, ChannelState::Expired, "ttl_expired");
    }

    /// A type that knows its own end.
    pub(super) fn close_if_complete(&mut self, channel: Id) {
        if self.channels.get(&channel).is_some_and(|known| known.turn == Turn::Over) {
            self.end(channel, ChannelState::Closed, "consulting_complete");
        }
    }

    /// Ends a channel, tells everyone, and forgets what only an open one needs. Nothing happens to one that has ended.
    pub(super) fn end(&mut self, channel: Id, state: ChannelState, reason: &str) {
        let now = self.now;
        let joining = self.limits.joining;
        let Some(known) = self.channels.get_mut(&channel).filter(|known| !known.record.state.is_terminal())
        else {
            return;
        };
        let was_pending = known.record.state == ChannelState::Pending;
        let record = &mut known.record;
        (record.state, record.closed_at, record.close_reason) = (state, Some(now), reason.to_owned());
        known.causes = BTreeMap::new();
        if let Some(at) = record.expires_at {
            self.alarms.unset(at, Alarm::Expiry(channel));
        }
        if was_pending {
            self.alarms.unset(record.created_at.after(joining), Alarm::Joining(channel));
        }
        if let Some((endpoint, request_id)) = known.creation.take() {
            let outcome = Err(Refusal::ClosedDuringHandshake { channel, reason: reason.to_owned() });
            self.settled.push(Settlement { endpoint, request_id, outcome });
        }
        let event = if state == ChannelState::Expired { Envelope::EXPIRED } else { Envelope::CLOSED };
        self.announce(channel, event, payload(&Ending { reason, channel_id: channel }));
        self.release(channel);
        self.ended.push_back(channel);
        self.forget_ended();
    }

    /// Says something in the creator's name to everyone, the creator too.
    fn announce(&mut self, channel: Id, event: &str, data: Result<Payload, Refusal>) {
        let (Some(known), Ok(data)) = (self.channels.get(&channel), data) else { return };
        let to = known.everyone();
        let creator = known.record.creator_id().to_string();
        let mut envelope = Envelope::new(channel.to_string(), creator, event, data);
        envelope.audience = Some(known.record.participants.iter().map(Id::to_string).collect());
        // A store that is full takes no more; the state of the channel is right without the envelope.
        if self.publish(channel, &mut envelope, &to).is_err() {
            self.stats.given_up += to.places.len() as u64;
        }
    }

    /// The counts of its participants; and what is owed to those who are not there, since what has ended is not replayed.
    fn release(&mut self, channel: Id) {
        let Some(known) = self.channels.get(&channel) else { return };
        let creator = known.record.creator_id();
        for participant in known.record.participants.clone() {
            let Some(agent) = self.registry.agent_mut(participant) else { continue };
            agent.active = agent.active.saturating_sub(1);
            agent.created = agent.created.saturating_sub(u64::from(participant == creator));
            if agent.endpoint.is_none() {
                self.clear(participant, channel);
            }
        }
    }

    fn forget_ended(&mut self) {
        while self.ended.len() > self.limits.closed_channels {
            let Some(channel) = self.ended.pop_front() else { return };
            let Some(known) = self.channels.get_mut(&channel) else { continue };
            let posted = std::mem::take(&mut known.posted);
            for (participant, posted) in known.record.participants.clone().into_iter().zip(posted) {
                self.clear(participant, channel);
                if let Some(agent) = self.registry.agent_mut(participant) {
                    agent.channels.remove(&channel);
                    agent.posted = agent.posted.saturating_sub(posted);
                }
            }
            self.channels.remove(&channel);
            self.store.remove(channel);
        }
    }

    pub(super) fn channel(&self, channel: Id) -> Result<&Channel, Refusal> {
        let missing = || Refusal::NotFound { what: "channel", id: channel.to_string() };
        self.channels.get(&channel).ok_or_else(missing)
    }

    /// The channel of an id as it is on the wire.
    pub(super) fn known_channel(&self, id: &str) -> Option<&Channel> {
        self.channels.get(&id.parse().ok()?)
    }
}

#[derive(Serialize)]
struct Invite<'a> {
    channel_id: Id,
    manifest_type: &'a str,
    manifest_version: u8,
    creator_id: Id,
    knobs: &'a Payload,
    labels: &'a Labels,
}

#[derive(Serialize)]
struct About {
    channel_id: Id,
}

#[derive(Serialize)]
struct Ending<'a> {
    reason: &'a str,
    channel_id: Id,
}

fn payload<T: Serialize>(data: &T) -> Result<Payload, Refusal> {
    Ok(Payload::of(data)?)
}

fn check_count(kind: ChannelType, count: usize) -> Result<(), Refusal> {
    let name = kind.as_str();
    match kind.participants() {
        Some(exactly) if count != exactly => Err(Refusal::NotTwo { kind: name }),
        None if count < 2 => Err(Refusal::TooFew { kind: name, count }),
        Some(_) | None => Ok(()),
    }
}

/// The one setting that a type knows: the order of a discussion.
fn check_knobs(kind: ChannelType, knobs: &Payload) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Knobs {
        ordering: Option<Payload>,
    }
    match kind {
        ChannelType::Conversation | ChannelType::Consulting => Ok(()),
        ChannelType::Discussion => match knobs.to::<Knobs>()?.ordering {
            Some(ordering) if ordering.as_str() != r#""round_robin""# => {
                // As Python writes it, for the one case that will come up: a text without quotes in it.
                Err(Refusal::UnknownOrdering { ordering: told(ordering.as_str()).replace('"', "'") })
            }
            Some(_) | None => Ok(()),
        },
    }
}

/// As much of a tenant's own text as is told back in a refusal.
pub(super) fn told(text: &str) -> String {
    text.chars().take(128).collect()
}
