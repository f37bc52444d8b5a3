//! Whether an envelope is taken.
//!
//! The order of the checks is AG2's, so that a tenant meets the same refusal there and here. Ours stand where they change
//! none of them: the idempotency key before the state of the channel (the answer to a post may get lost while the channel
//! closes), rate and budget before the inboxes. A refused envelope leaves no trace, but for the token it cost.

use super::{
    board::Switchboard,
    channel::Channel,
    delivery::{Published, Recipients},
};
use crate::link::{
    envelope::Envelope,
    id::Id,
    recent::MAX_KEY_LEN,
    refusal::{Refusal, told},
    rule::Overflow,
    time::Timestamp,
};
use std::{collections::BTreeSet, time::Duration};

impl Switchboard {
    /// Takes an envelope of an agent that this connection holds, and gives its id.
    pub(super) fn post(&mut self, endpoint: Id, mut envelope: Envelope) -> Result<Id, Refusal> {
        let sender = self.bound(endpoint, &envelope.sender_id)?;
        check_event(&envelope)?;
        let (channel, places) = self.addressed(sender, &envelope)?;
        let known = self.channel(channel)?;
        let place = known.place(sender)?;
        if let Some(id) = envelope.idempotency_key.as_ref().and_then(|key| known.keys[place].id(key)) {
            return Ok(id); // said before, and delivered then
        }
        let is_event = is_protocol(&envelope.event_type);
        known.check_open(is_event)?;
        if envelope.event_type == Envelope::TEXT {
            known.check_turn(place)?;
        }
        let mut to = Recipients { places, content: !is_event, expires_at: None };
        if is_answer(&envelope.event_type) {
            to.places.clear(); // it is kept in the log, and goes to nobody
        }
        self.check_budget(sender)?;
        if is_event {
            self.check_backlog(channel, &to.places)?;
        } else {
            to.expires_at = expiry(&envelope, self.now);
            self.take_token(sender)?;
            self.make_room(channel, place, &mut to.places)?;
        }
        self.publish_post(channel, place, &mut envelope, &to)
    }

    /// Takes a checked envelope, and does what it stands for.
    fn publish_post(
        &mut self,
        channel: Id,
        place: usize,
        envelope: &mut Envelope,
        to: &Recipients,
    ) -> Result<Id, Refusal> {
        let Published { id, place: position, size } = self.publish(channel, envelope, to)?;
        self.stats.posted += 1;
        let Some(known) = self.channels.get_mut(&channel) else { return Ok(id) };
        let sender = known.record.participants[place];
        known.remember(place, envelope, id, position);
        let is_text = envelope.event_type == Envelope::TEXT;
        if is_text {
            known.turn_is_over(id);
        }
        self.count_posted(channel, place, size);
        match envelope.event_type.as_str() {
            Envelope::INVITE_ACK => self.joined(channel, sender),
            Envelope::INVITE_REJECT => self.rejected(channel, sender),
            _ if is_text => self.close_if_complete(channel),
            _ => {}
        }
        Ok(id)
    }

    /// The channel of an envelope, and the places that it goes to.
    fn addressed(&self, sender: Id, envelope: &Envelope) -> Result<(Id, Vec<usize>), Refusal> {
        let channel = self.known_channel(&envelope.channel_id);
        let places = match (channel, &envelope.audience) {
            (Some(channel), None) => channel.others(sender),
            (Some(channel), Some(audience)) => channel.places(audience)?,
            (None, _) => Vec::new(),
        };
        self.check_rule(sender, envelope, channel.filter(|_| envelope.audience.is_some()), &places)?;
        let missing = || Refusal::NotFound { what: "channel", id: envelope.channel_id.clone() };
        let channel = channel.ok_or_else(missing)?;
        // A recipient whose rule refuses the sender is left out without a word, as AG2 does.
        let places = places.into_iter().filter(|place| self.accepts(channel, *place, sender)).collect();
        Ok((channel.record.id, places))
    }

    /// The sender's rule: whom it addresses by name, and how deep it delegates.
    fn check_rule(
        &self,
        sender: Id,
        envelope: &Envelope,
        addressed: Option<&Channel>,
        places: &[usize],
    ) -> Result<(), Refusal> {
        let Some(agent) = self.registry.agent(sender) else { return Ok(()) }; // bound, so registered
        let name = || agent.passport.name.clone();
        for place in places {
            let recipient = addressed.map(|channel| channel.record.participants[*place]);
            let recipient = recipient.filter(|id| *id != sender).and_then(|id| self.registry.agent(id));
            if let Some(recipient) = recipient
                && !agent.rule.access.may_address(&recipient.passport.name)
            {
                return Err(Refusal::OutboundRefused {
                    sender: name(),
                    recipient: recipient.passport.name.clone(),
                });
            }
        }
        let limit = agent.rule.limits.delegation_depth;
        if limit > 0 && envelope.depth > limit {
            return Err(Refusal::TooManyDelegations { sender: name(), depth: envelope.depth, limit });
        }
        Ok(())
    }

    /// Whether the rule of the participant in that place lets the sender in; what an agent sends to itself always comes in.
    fn accepts(&self, channel: &Channel, place: usize, sender: Id) -> bool {
        let recipient = channel.record.participants[place];
        let sender_name = self.registry.agent(sender).map(|agent| agent.passport.name.as_str());
        match (self.registry.agent(recipient), sender_name) {
            (Some(agent), Some(name)) => recipient == sender || agent.rule.access.accepts_from(name),
            (None, _) | (_, None) => false,
        }
    }

    /// A token of the sender's own rule, and one of the hub's.
    fn take_token(&mut self, sender: Id) -> Result<(), Refusal> {
        let (now, hub) = (self.now, self.limits.rate);
        let Some(agent) = self.registry.agent_mut(sender) else { return Ok(()) }; // bound, so registered
        let rule = agent.rule.limits.rate;
        let per_minute = match (agent.bucket.take(rule, now), agent.hub_bucket.take(hub, now)) {
            (true, true) => return Ok(()),
            (false, _) => rule.per_minute,
            (true, false) => hub.per_minute,
        };
        Err(Refusal::RateLimited { sender: agent.passport.name.clone(), per_minute })
    }

    /// So many bytes stand in the log of a channel in the name of the participant in that place.
    pub(super) fn count_posted(&mut self, channel: Id, place: usize, size: usize) {
        let Some(known) = self.channels.get_mut(&channel) else { return };
        known.posted[place] += size;
        if let Some(agent) = self.registry.agent_mut(known.record.participants[place]) {
            agent.posted += size;
        }
    }

    /// Whether the sender may fill more of the store.
    pub(super) fn check_budget(&self, sender: Id) -> Result<(), Refusal> {
        let limit = self.limits.max_posted_size;
        match self.registry.agent(sender) {
            Some(agent) if agent.posted >= limit => {
                Err(Refusal::LimitExceeded { what: "bytes posted by one agent", limit })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Room in the inbox and the cursor of each recipient, or the refusal of the first that has none. What a rule says to drop is
    /// dropped only when nobody refuses.
    fn make_room(&mut self, channel: Id, sender: usize, places: &mut Vec<usize>) -> Result<(), Refusal> {
        let (mut oldest, mut fronts, mut newest) = (Vec::new(), Vec::new(), BTreeSet::new());
        let Some(known) = self.channels.get(&channel) else { return Ok(()) };
        for place in places.iter().copied().filter(|place| *place != sender) {
            let (recipient, cursor) = (known.record.participants[place], &known.cursors[place]);
            let Some(agent) = self.registry.agent(recipient) else { continue };
            let inbox = agent.rule.limits.inbox;
            let limit = match inbox.max_pending {
                0 => self.limits.max_inbox,
                limit => limit.min(self.limits.max_inbox),
            };
            let (is_crowded, is_full) = (cursor.len() >= self.limits.max_inbox, agent.inbox >= limit);
            match (is_crowded || is_full, inbox.overflow) {
                (false, _) => {}
                (true, Overflow::Reject) => {
                    let (count, limit) =
                        if is_full { (agent.inbox, limit) } else { (cursor.len(), self.limits.max_inbox) };
                    return Err(Refusal::InboxFull { recipient, count, limit });
                }
                (true, Overflow::DropOldest) if is_crowded => {
                    fronts.extend(cursor.front().map(|front| (recipient, front)));
                }
                (true, Overflow::DropOldest) => oldest.push(recipient),
                (true, Overflow::DropNewest) => drop(newest.insert(place)),
            }
        }
        self.stats.given_up += newest.len() as u64;
        places.retain(|place| !newest.contains(place));
        for recipient in oldest {
            self.drop_oldest(recipient);
        }
        for (recipient, front) in fronts {
            self.give_up(recipient, channel, front);
        }
        Ok(())
    }

    /// Room in the cursor of each recipient, for what counts in no inbox.
    fn check_backlog(&self, channel: Id, places: &[usize]) -> Result<(), Refusal> {
        let (known, limit) = (self.channel(channel)?, self.limits.max_inbox);
        let full = places.iter().find(|place| known.cursors[**place].len() >= limit);
        let refused = |place: &usize| {
            let (recipient, count) = (known.record.participants[*place], known.cursors[*place].len());
            Err(Refusal::InboxFull { recipient, count, limit })
        };
        full.map_or(Ok(()), refused)
    }

    /// Gives up the oldest content that waits for an agent, in whichever channel. O(its channels), when it is full.
    fn drop_oldest(&mut self, agent: Id) {
        let Some(known) = self.registry.agent(agent) else { return };
        let oldest = |channel: &Id| {
            let known = self.channels.get(channel)?;
            Some((known.cursors.get(known.record.place(agent)?)?.oldest_content()?, *channel))
        };
        if let Some((envelope, channel)) = known.channels.iter().filter_map(oldest).min() {
            self.give_up(agent, channel, envelope);
        }
    }
}

/// What a tenant may not say, whoever it is.
fn check_event(envelope: &Envelope) -> Result<(), Refusal> {
    if let Some(task_id) = envelope.task_id.as_ref().filter(|id| !is_task_id(id)) {
        return Err(Refusal::InvalidTaskId { task_id: told(task_id) });
    }
    let event = envelope.event_type.as_str();
    if event.starts_with(CHANNEL_EVENTS) && !is_answer(event) {
        return Err(Refusal::HubEvent { event: told(event) });
    }
    let key = envelope.idempotency_key.as_ref().map_or(0, String::len);
    if key > MAX_KEY_LEN {
        return Err(Refusal::TooLarge { what: "idempotency_key", size: key, limit: MAX_KEY_LEN });
    }
    Ok(())
}

/// Events that move the protocol: they need no turn, no room in an inbox and no token.
pub(super) fn is_protocol(event: &str) -> bool {
    event.starts_with(CHANNEL_EVENTS) || event.starts_with(TASK_EVENTS)
}

/// The two events of a channel that are a tenant's.
fn is_answer(event: &str) -> bool {
    matches!(event, Envelope::INVITE_ACK | Envelope::INVITE_REJECT)
}

/// A task id becomes part of a path at a hub that keeps files: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
fn is_task_id(id: &str) -> bool {
    id.len() <= MAX_TASK_ID
        && id.starts_with(|first: char| first.is_ascii_alphanumeric())
        && id.chars().all(|character| character.is_ascii_alphanumeric() || "._-".contains(character))
}

/// The end of an envelope's time; zero and less have none, as with the time of a channel.
fn expiry(envelope: &Envelope, now: Timestamp) -> Option<Timestamp> {
    let seconds = envelope.ttl_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.filter(|seconds| *seconds > 0).map(|seconds| now.after(Duration::from_secs(seconds)))
}

const CHANNEL_EVENTS: &str = "ag2.channel.";
const TASK_EVENTS: &str = "ag2.task.";
const MAX_TASK_ID: usize = 128;
