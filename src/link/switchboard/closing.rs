//! How a channel ends: by someone, by its type, or by its time.
//!
//! An end is told to everyone, the creator too, and is final. What is owed to those who are there stays owed until they
//! leave; what is owed to those who are away is over, since AG2 replays nothing of a channel that has ended. The log can
//! still be read, until so many other channels have ended, or so much been said in others, that it is forgotten.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{alarm::Alarm, board::Switchboard, effect::Outgoing, opening::payload};
use crate::link::{
    channel::{ChannelState, Turn},
    envelope::Envelope,
    id::Id,
    json::{Payload, to_text},
    refusal::Refusal,
};

impl Switchboard {
    /// A channel's time is over.
    pub(super) fn expire(&mut self, channel: Id) {
        self.end(channel, ChannelState::Expired, "ttl_expired");
    }

    /// A type that knows its own end.
    pub(super) fn close_if_complete(&mut self, channel: Id) {
        if self.channels.get(&channel).is_some_and(|known| known.turn == Turn::Over) {
            self.end(channel, ChannelState::Closed, "consulting_complete");
        }
    }

    /// With nobody who is registered in it, a channel can be neither used nor closed; it might have no time that is over.
    pub(super) fn end_if_deserted(&mut self, channel: Id) {
        let Some(known) = self.channels.get(&channel) else { return };
        if known.record.participants.iter().all(|agent| self.registry.agent(*agent).is_none()) {
            self.end(channel, ChannelState::Closed, "deserted");
        }
    }

    /// Ends a channel, tells everyone, and forgets what only an open one needs. Nothing happens to one that has ended.
    pub(super) fn end(&mut self, channel: Id, state: ChannelState, reason: &str) {
        let now = self.now;
        let joining = self.limits.join_timeout;
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
        let refused = Refusal::ClosedDuringHandshake { channel, reason: reason.to_owned() };
        self.settled.extend(known.settle(Err(refused)));
        let event = if state == ChannelState::Expired { Envelope::EXPIRED } else { Envelope::CLOSED };
        self.announce(channel, event, payload(&Ending { reason, channel_id: channel }));
        self.release(channel);
        self.ended.push_back(channel);
        self.forget_ended();
    }

    /// Says something in the creator's name to everyone, the creator too.
    ///
    /// When the store does not take it, whoever is there is told all the same: the state has changed, and waiting for it
    /// would be in vain.
    pub(super) fn announce(&mut self, channel: Id, event: &str, data: Result<Payload, Refusal>) {
        let (Some(known), Ok(data)) = (self.channels.get(&channel), data) else { return };
        let (to, participants) = (known.everyone(), known.record.participants.clone());
        let (creator, place) = (known.record.creator_id().to_string(), known.record.creator);
        let mut envelope = Envelope::new(channel.to_string(), creator, event, data);
        envelope.audience = Some(participants.iter().map(Id::to_string).collect());
        if let Ok(published) = self.publish(channel, &mut envelope, &to) {
            return self.count_posted(channel, place, published.size);
        }
        let Ok(json) = to_text(&envelope) else { return };
        let json: Arc<str> = json.into();
        for participant in participants {
            if let Some(endpoint) = self.registry.agent(participant).and_then(|agent| agent.endpoint) {
                self.send(endpoint, Outgoing::notify(json.clone(), participant));
            }
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
        while self.ended.len() > self.limits.max_closed_channels {
            self.forget_oldest();
        }
    }

    /// Forgets the channel that ended first; `false` when there is none.
    pub(super) fn forget_oldest(&mut self) -> bool {
        let Some(channel) = self.ended.pop_front() else { return false };
        let Some(known) = self.channels.get_mut(&channel) else { return true };
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
        true
    }
}

#[derive(Serialize)]
struct Ending<'a> {
    reason: &'a str,
    channel_id: Id,
}
