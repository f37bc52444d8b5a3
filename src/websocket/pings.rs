//! Our pings that have no pong yet.

use std::{
    task::Waker,
    time::{Duration, Instant},
};

use super::after::After;
use crate::proto::Ping;

/// In the order in which they were sent. A pong answers its ping and all before it: a peer need only answer the latest
/// (RFC 6455 §5.5.3).
#[derive(Default)]
pub(super) struct Pings {
    in_flight: Vec<InFlight>,
    next: u64,
}

/// Names one ping in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PingId(u64);

struct InFlight {
    id: PingId,
    ping: Ping,
    sent: Instant,
    /// The round trip, once the pong is there and until who waits has seen it.
    answered: Option<Duration>,
    /// `None` for a keepalive ping, for which nobody waits.
    waker: Option<Waker>,
}

impl Pings {
    /// How many wait for a pong.
    pub(super) fn len(&self) -> usize {
        self.in_flight.iter().filter(|ping| ping.answered.is_none()).count()
    }

    pub(super) fn contains(&self, payload: &[u8]) -> bool {
        self.in_flight.iter().any(|ping| ping.answered.is_none() && ping.ping.payload() == payload)
    }

    /// Whether one more may wait for a pong. For want of room the oldest keepalive ping is forgotten: it was a try, and nobody waits.
    pub(super) fn make_room(&mut self, limit: usize) -> bool {
        if self.len() < limit {
            return true;
        }
        let keepalive =
            self.in_flight.iter().position(|ping| ping.answered.is_none() && ping.waker.is_none());
        keepalive.map(|place| self.in_flight.remove(place)).is_some()
    }

    pub(super) fn push(&mut self, ping: Ping, sent: Instant, waker: Option<Waker>) -> PingId {
        let id = PingId(self.next);
        self.next += 1;
        self.in_flight.push(InFlight { id, ping, sent, answered: None, waker });
        id
    }

    /// A pong has come: whom to wake, and its round trip, if it is the answer to anything.
    pub(super) fn answer(
        &mut self,
        payload: &[u8],
        now: impl FnOnce() -> Instant,
        after: &mut After,
    ) -> Option<Duration> {
        let latest = self
            .in_flight
            .iter()
            .rposition(|ping| ping.answered.is_none() && ping.ping.payload() == payload)?;
        let now = now();
        let round_trip = now.saturating_duration_since(self.in_flight[latest].sent);
        for ping in &mut self.in_flight[..=latest] {
            if ping.answered.is_none() {
                ping.answered = Some(now.saturating_duration_since(ping.sent));
                after.wake(ping.waker.clone());
            }
        }
        self.in_flight.retain(|ping| ping.answered.is_none() || ping.waker.is_some());
        Some(round_trip)
    }

    /// The round trip of `id`, if its pong is there; else its waker is kept. Gives back a waker to be dropped.
    pub(super) fn poll(&mut self, id: PingId, waker: &Waker) -> (Option<Duration>, Option<Waker>) {
        let Some(ping) = self.in_flight.iter_mut().find(|ping| ping.id == id) else { return (None, None) };
        if ping.answered.is_some() {
            return (ping.answered, None);
        }
        let known = ping.waker.as_ref().is_some_and(|known| known.will_wake(waker));
        (None, if known { None } else { ping.waker.replace(waker.clone()) })
    }

    /// Nobody waits for `id` any more. Gives back a waker to be dropped.
    pub(super) fn remove(&mut self, id: PingId) -> Option<Waker> {
        let place = self.in_flight.iter().position(|ping| ping.id == id)?;
        let ping = self.in_flight.remove(place);
        if self.in_flight.is_empty() {
            self.in_flight = Vec::new();
        }
        ping.waker
    }

    /// No pong will come any more: to be woken, all who wait. Those whose pong is there already have yet to see it.
    pub(super) fn dissolve(&mut self) -> Vec<Waker> {
        let unanswered = self.in_flight.extract_if(.., |ping| ping.answered.is_none());
        unanswered.filter_map(|ping| ping.waker).collect()
    }
}
