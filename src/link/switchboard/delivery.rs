//! When an envelope goes out, and to whom.
//!
//! An envelope that is taken is owed to its recipients. What is owed goes out while the recipient's connection has room in
//! its window, the rest waits in the log: a tenant that does not read costs a few bytes for each envelope, and no one else
//! a thing.

use std::sync::Arc;

use super::{
    board::Switchboard,
    effect::{NOTIFY_LEN, Outgoing},
};
use crate::link::{
    cursor::{Cursor, Settled},
    envelope::Envelope,
    id::Id,
    json::{InvalidJson, to_text},
    refusal::Refusal,
    store::{Entry, StoreError},
    time::Timestamp,
};

/// From where deliveries to an agent go on.
pub(super) enum Resume<'a> {
    /// All that is not acknowledged and later than this.
    After(&'a str),
    /// What comes from now on.
    Live,
}

/// To whom an envelope goes.
pub(super) struct Recipients {
    /// Places in the channel, each once.
    pub(super) places: Vec<usize>,
    /// Whether it counts in their inboxes.
    pub(super) content: bool,
    /// From when on it is no longer delivered.
    pub(super) expires_at: Option<Timestamp>,
}

/// Where an envelope stands, now that it is taken.
pub(super) struct Published {
    pub(super) id: Id,
    /// In the log.
    pub(super) place: u64,
    /// In bytes, as a delivery.
    pub(super) size: usize,
}

impl Switchboard {
    /// Stamps an envelope, keeps it, owes it to its recipients, and sends what has room.
    pub(super) fn publish(
        &mut self,
        channel: Id,
        envelope: &mut Envelope,
        to: &Recipients,
    ) -> Result<Published, Refusal> {
        let id = self.ids.next(self.now);
        envelope.envelope_id = id.to_string();
        envelope.created_at = self.now.to_string();
        let json: Arc<str> = to_text(envelope).map_err(InvalidJson::from)?.into();
        let (size, limit) = (json.len() + NOTIFY_LEN, self.limits.max_message_size);
        if size > limit {
            return Err(Refusal::TooLarge { what: "delivery", size, limit });
        }
        let mut entry = Entry::new(id, self.now, json);
        entry.expires_at = to.expires_at;
        let published = Published { id, place: self.append(channel, &entry)?, size };
        for recipient in &to.places {
            self.owe(channel, *recipient, &published, to.content);
        }
        Ok(published)
    }

    /// Puts an envelope into the log of its channel. For want of room the channels that have ended are forgotten, oldest first.
    fn append(&mut self, channel: Id, entry: &Entry) -> Result<u64, StoreError> {
        loop {
            match self.store.append(channel, entry.clone()) {
                Err(StoreError::Full { .. }) if self.forget_oldest() => {}
                outcome => return outcome,
            }
        }
    }

    /// Owes an envelope to a participant. With a connection that has room it goes out before this returns, so that
    /// deliveries come before the answer to the post that caused them.
    fn owe(&mut self, channel: Id, recipient: usize, envelope: &Published, content: bool) {
        let Some(known) = self.channels.get_mut(&channel) else { return };
        let agent = known.record.participants[recipient];
        let Some(holder) = self.registry.agent_mut(agent) else { return }; // unregistered since
        known.cursors[recipient].owe(envelope.id, envelope.place, content);
        holder.inbox += u64::from(content);
        if let Some(endpoint) = holder.endpoint {
            self.ready(endpoint, agent, channel);
            self.pump(endpoint);
        }
    }

    /// Sends what is owed to the agents of a connection, a channel at a time, while there is room.
    pub(super) fn pump(&mut self, endpoint: Id) {
        while let Some(connection) = self.endpoints.get_mut(&endpoint)
            && connection.unsent < self.limits.window.max(1)
            && let Some((agent, channel)) = connection.ready.pop()
        {
            if connection.agents.contains(&agent) {
                self.deliver_next(endpoint, agent, channel);
            }
        }
    }

    /// One delivery, and its channel goes to the end of the row when it has more: none waits behind another's log.
    fn deliver_next(&mut self, endpoint: Id, agent: Id, channel: Id) {
        let Some(cursor) = self.cursor(agent, channel) else { return };
        let Some(owed) = cursor.take_next() else { return };
        if cursor.has_next() {
            self.ready(endpoint, agent, channel);
        }
        match self.store.entry(channel, owed.place) {
            Some(entry) if !entry.is_expired(self.now) => {
                self.stats.notified += 1;
                self.send(endpoint, Outgoing::notify(entry.json, agent));
            }
            Some(_) | None => self.give_up(agent, channel, owed.id),
        }
    }

    /// A delivery that is not made any more.
    pub(super) fn give_up(&mut self, agent: Id, channel: Id, envelope: Id) {
        let Some(cursor) = self.cursor(agent, channel) else { return };
        let settled = cursor.give_up(envelope);
        if settled != Settled::Nothing {
            self.stats.given_up += 1;
        }
        self.lower_inbox(agent, settled);
    }

    /// Begins, or begins again, to deliver to an agent that has just been bound. What has ended is not replayed.
    pub(super) fn resume(&mut self, agent: Id, from: Resume<'_>) {
        let Some(known) = self.registry.agent(agent) else { return };
        let Some(endpoint) = known.endpoint else { return };
        let channels: Vec<Id> = known.channels.iter().copied().collect();
        for channel in channels {
            if self.has_ended(channel) {
                continue;
            }
            let Some(cursor) = self.cursor(agent, channel) else { continue };
            match from {
                Resume::After(since) => cursor.replay(since),
                Resume::Live => cursor.skip(),
            }
            if cursor.has_next() {
                self.ready(endpoint, agent, channel);
            }
        }
        self.pump(endpoint);
    }

    /// The agent has no connection any more.
    pub(super) fn went_offline(&mut self, agent: Id) {
        if let Some(known) = self.registry.agent_mut(agent) {
            known.endpoint = None;
        }
        self.clear_ended(agent);
    }

    /// The agent leaves a connection: what it has not acknowledged in channels that have ended is over.
    pub(super) fn clear_ended(&mut self, agent: Id) {
        let Some(known) = self.registry.agent(agent) else { return };
        let ended = known.channels.iter().copied().filter(|channel| self.has_ended(*channel));
        for channel in ended.collect::<Vec<Id>>() {
            self.clear(agent, channel);
        }
    }

    fn has_ended(&self, channel: Id) -> bool {
        self.channels.get(&channel).is_some_and(|known| known.record.state.is_terminal())
    }

    /// Nothing is owed to the agent in this channel any more.
    pub(super) fn clear(&mut self, agent: Id, channel: Id) {
        let Some(cursor) = self.cursor(agent, channel) else { return };
        let content = cursor.clear();
        if let Some(known) = self.registry.agent_mut(agent) {
            known.inbox = known.inbox.saturating_sub(content);
        }
    }

    pub(super) fn cursor(&mut self, agent: Id, channel: Id) -> Option<&mut Cursor> {
        let channel = self.channels.get_mut(&channel)?;
        let place = channel.record.place(agent)?;
        channel.cursors.get_mut(place)
    }

    pub(super) fn lower_inbox(&mut self, agent: Id, settled: Settled) {
        match (settled, self.registry.agent_mut(agent)) {
            (Settled::Content, Some(agent)) => agent.inbox = agent.inbox.saturating_sub(1),
            (Settled::Content | Settled::Event | Settled::Nothing, _) => {}
        }
    }

    fn ready(&mut self, endpoint: Id, agent: Id, channel: Id) {
        if let Some(connection) = self.endpoints.get_mut(&endpoint) {
            connection.ready.push(agent, channel);
        }
    }
}
