//! How a channel begins: asked for, invited to, joined.
//!
//! Everything that can be refused is refused before anyone is invited. From then on the request waits as state of the
//! channel: it is answered when the last of the invited has joined, when one stays away, or when their time is over.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    alarm::Alarm,
    board::{Answer, Switchboard},
    channel::Channel,
    delivery::Recipients,
    registry::{Agent, check_size, size_of_json},
};
use crate::link::{
    channel::{ChannelRecord, ChannelState, ChannelType, Labels},
    envelope::Envelope,
    id::Id,
    json::{InvalidJson, Payload, to_text},
    operation::CreateChannel,
    refusal::{Refusal, told},
};

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
        self.check_budget(creator)?;
        self.alarms.set(self.now.after(self.limits.join_timeout), Alarm::Joining(id));
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
        check_size("labels", size_of_json(&labels), self.limits.max_record_size)?;
        check_size("knobs", knobs.as_str().len(), self.limits.max_record_size)?;
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
        let limit = self.limits.max_participants;
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
        let name = |agent: &Agent| agent.passport.name.clone();
        let limit = self.limits.max_channels_per_agent;
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
        let (creator, creators_place) = (record.creator_id(), record.creator);
        for invited in record.pending_acks.clone() {
            let Some(place) = self.channel(channel)?.record.place(invited) else { continue };
            let mut envelope =
                Envelope::new(channel.to_string(), creator.to_string(), Envelope::INVITE, data.clone());
            envelope.audience = Some(vec![invited.to_string()]);
            let to = Recipients { places: vec![place], content: false, expires_at: None };
            let published = self.publish(channel, &mut envelope, &to)?;
            self.count_posted(channel, creators_place, published.size);
        }
        Ok(())
    }

    /// An invited agent joins; with the last one the channel opens.
    pub(super) fn joined(&mut self, channel: Id, agent: Id) {
        let Some(known) = self.pending(channel) else { return };
        known.record.pending_acks.retain(|pending| *pending != agent);
        if known.record.pending_acks.is_empty() {
            self.open(channel);
        }
    }

    /// Everyone has joined. The opening is told first, then the ack is answered that caused it, then the creation.
    fn open(&mut self, channel: Id) {
        let Some(known) = self.channels.get_mut(&channel) else { return };
        known.record.state = ChannelState::Active;
        let joining = known.record.created_at.after(self.limits.join_timeout);
        self.alarms.unset(joining, Alarm::Joining(channel));
        let data = payload(&About { channel_id: channel });
        self.announce(channel, Envelope::OPENED, data);
        let Some(known) = self.channels.get_mut(&channel) else { return };
        let outcome = to_text(&known.record.metadata()).map_err(|error| InvalidJson::from(error).into());
        self.settled.extend(known.settle(outcome));
    }

    /// An invited agent stays away, which is the end of the channel.
    pub(super) fn rejected(&mut self, channel: Id, agent: Id) {
        let Some(known) = self.pending(channel) else { return };
        known.record.pending_acks.retain(|pending| *pending != agent);
        known.record.rejected_by.push(agent);
        self.end(channel, ChannelState::Closed, "invite_rejected");
    }

    /// Some of the invited have not answered in time.
    pub(super) fn joining_is_over(&mut self, channel: Id) {
        let Some(known) = self.pending(channel) else { return };
        let settled = known.settle(Err(Refusal::AckTimeout { channel }));
        self.settled.extend(settled);
        self.end(channel, ChannelState::Closed, "invite_timeout");
    }

    /// The channel, while not all of the invited have joined.
    fn pending(&mut self, channel: Id) -> Option<&mut Channel> {
        self.channels.get_mut(&channel).filter(|known| known.record.state == ChannelState::Pending)
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

/// The data of an event of the hub's own.
pub(super) fn payload<T: Serialize>(data: &T) -> Result<Payload, Refusal> {
    Ok(Payload::of(data)?)
}
