//! Who may hold an agent: hello, takeover, receipts.
//!
//! A hello is not how a tenant begins (that is `register`) but how it comes back. It may come at any time and for several
//! names; a refused one leaves the connection as it was, but for the count of refusals.

use std::collections::BTreeSet;

use super::{
    board::Switchboard,
    delivery::Resume,
    effect::{Farewell, Outgoing},
};
use crate::link::{
    auth::AuthError,
    cursor::Settled,
    frame::{Frame, Hello, Receipt, ReceiptStatus, Welcome},
    id::Id,
    refusal::{Refusal, told},
};

impl Switchboard {
    pub(super) fn hello(&mut self, endpoint: Id, hello: &Hello) {
        match self.greet(endpoint, hello) {
            Ok(()) => {}
            Err(refusal) => self.refuse_hello(endpoint, &refusal),
        }
    }

    /// Binds, welcomes and replays, in this order, within one input: so nothing live can come between.
    fn greet(&mut self, endpoint: Id, hello: &Hello) -> Result<(), Refusal> {
        if self.draining {
            return Err(Refusal::ShuttingDown);
        }
        let unknown = || Refusal::UnknownName { name: told(&hello.name) };
        let agent = self.registry.named(&hello.name).ok_or_else(unknown)?;
        self.authenticate(agent, hello)?;
        self.check_room(endpoint, agent)?;
        let moved = self.bind(endpoint, agent);
        let welcome = Welcome { endpoint_id: endpoint.to_string(), hub_time: self.now.to_string() };
        self.send(endpoint, Outgoing::frame(&Frame::Welcome(welcome)));
        match (&hello.since_envelope_id, moved) {
            (Some(since), _) => self.resume(agent, Resume::After(since)),
            (None, true) => self.resume(agent, Resume::Live),
            (None, false) => {} // said again on the same connection: what is on its way stays so
        }
        Ok(())
    }

    /// In AG2's order, so that its messages come in the same cases: the form of the claim, the scheme, the claim.
    fn authenticate(&self, agent: Id, hello: &Hello) -> Result<(), AuthError> {
        let Some(agent) = self.registry.agent(agent) else { return Ok(()) }; // it was named a line ago
        let registered = &agent.passport.auth.scheme;
        if !hello.auth_claim.is_object() {
            return Err(AuthError::NotAnObject);
        }
        if hello.auth_scheme != *registered {
            return Err(AuthError::OtherScheme {
                name: hello.name.clone(),
                scheme: told(&hello.auth_scheme),
                registered: registered.clone(),
            });
        }
        self.auth.validate(registered, &agent.passport, &hello.auth_claim)
    }

    /// Whether the connection may hold one agent more.
    pub(super) fn check_room(&self, endpoint: Id, agent: Id) -> Result<(), Refusal> {
        let limit = self.limits.max_agents_per_endpoint;
        let full = |agents: &BTreeSet<Id>| agents.len() >= limit && !agents.contains(&agent);
        match self.endpoints.get(&endpoint) {
            Some(connection) if full(&connection.agents) => {
                Err(Refusal::LimitExceeded { what: "agents on one connection", limit })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// An unknown name and a wrong claim may be guesses; what the hub has no room for is none.
    fn refuse_hello(&mut self, endpoint: Id, refusal: &Refusal) {
        self.error(endpoint, refusal);
        if matches!(refusal, Refusal::UnknownName { .. } | Refusal::Auth(_)) {
            self.count_refusal(endpoint);
        }
    }

    /// A refused hello, or a refused claim: after a few of them the connection is closed, so that nobody guesses on.
    pub(super) fn count_refusal(&mut self, endpoint: Id) {
        self.stats.refused += 1;
        let Some(connection) = self.endpoints.get_mut(&endpoint) else { return };
        connection.refusals += 1;
        if connection.refusals >= self.limits.max_refusals {
            self.close(endpoint, Farewell::Refused);
        }
    }

    /// The connection holds the agent from now on; `false` when it did before. Whoever held it is told.
    pub(super) fn bind(&mut self, endpoint: Id, agent: Id) -> bool {
        let Some(known) = self.registry.agent_mut(agent) else { return false };
        let before = known.endpoint.replace(endpoint);
        if before == Some(endpoint) {
            return false;
        }
        if let Some(connection) = self.endpoints.get_mut(&endpoint) {
            connection.agents.insert(agent);
            connection.was_bound = true;
        }
        if let Some(before) = before {
            if let Some(connection) = self.endpoints.get_mut(&before) {
                connection.agents.remove(&agent);
            }
            self.clear_ended(agent);
            self.error(before, &Refusal::Superseded { agent });
        }
        true
    }

    /// An ack ends what is owed. What cannot be attributed is ignored, as AG2 does.
    pub(super) fn receipt(&mut self, endpoint: Id, receipt: &Receipt) {
        let Ok(agent) = receipt.recipient_id.parse::<Id>() else { return };
        if !self.holds(endpoint, agent) {
            return;
        }
        match receipt.status {
            ReceiptStatus::Ack => self.ack(agent, receipt),
            ReceiptStatus::Nack => self.stats.nacked += 1,
            ReceiptStatus::Other(_) => {}
        }
    }

    /// Whether the connection holds the agent.
    pub(super) fn holds(&self, endpoint: Id, agent: Id) -> bool {
        self.endpoints.get(&endpoint).is_some_and(|connection| connection.agents.contains(&agent))
    }

    /// An id that is not one, of an envelope or a channel, cannot have been sent to anyone.
    fn ack(&mut self, agent: Id, receipt: &Receipt) {
        let (Ok(channel), Ok(envelope)) = (receipt.channel_id.parse(), receipt.envelope_id.parse()) else {
            return;
        };
        let Some(cursor) = self.cursor(agent, channel) else { return };
        let settled = cursor.ack(envelope);
        if settled != Settled::Nothing {
            self.stats.acked += 1;
        }
        self.lower_inbox(agent, settled);
    }
}
