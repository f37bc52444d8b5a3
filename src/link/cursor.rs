//! What one agent is owed in one channel: sent or not, acknowledged or not.
//!
//! ```text
//!   id:     3     5     8     9     12
//!   acked:        x           x            the front is never acknowledged: what was before it is done for good
//!   sent:   x     x     x
//!                             ^ next
//! ```
//!
//! So the front is the highest contiguous acknowledgement, and the acknowledged ones behind it are the set of later ones.
//! Live delivery and replay are one thing, the walk of `next` over what is owed: neither can double or overtake the other.

use std::collections::VecDeque;

use super::id::Id;

/// One delivery that is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    pub(super) id: Id,
    /// In the log of the channel.
    pub(super) place: u64,
    /// Counts in the inbox; events of the channel and of tasks do not.
    pub(super) content: bool,
    sent: bool,
    acked: bool,
}

/// The cursor of one agent in one channel. Ids strictly increase from front to back; `next <= owed.len()`.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    owed: VecDeque<Owed>,
    next: usize,
}

/// What became of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// One content less waits.
    Content,
    /// One of the hub's events less waits.
    Event,
    /// Nothing has changed: not owed, never sent, or acknowledged before.
    Nothing,
}

impl Cursor {
    /// Adds a delivery, later than all before it.
    pub(super) fn owe(&mut self, id: Id, place: u64, content: bool) {
        self.owed.push_back(Owed { id, place, content, sent: false, acked: false });
    }

    /// The next delivery to put on the wire, which counts as sent from now on.
    pub(super) fn take_next(&mut self) -> Option<Owed> {
        while let Some(owed) = self.owed.get_mut(self.next) {
            self.next += 1;
            if !owed.acked {
                owed.sent = true;
                return Some(*owed);
            }
        }
        None
    }

    /// Whether there is something to put on the wire.
    pub(super) fn has_next(&self) -> bool {
        self.owed.range(self.next..).any(|owed| !owed.acked)
    }

    /// Acknowledges a delivery that was sent. An id that was not is nobody's business.
    pub(super) fn ack(&mut self, id: Id) -> Settled {
        let Ok(at) = self.owed.binary_search_by_key(&id, |owed| owed.id) else { return Settled::Nothing };
        if self.owed[at].sent { self.settle(at) } else { Settled::Nothing }
    }

    /// Gives a delivery up: its time is over.
    pub(super) fn give_up(&mut self, id: Id) -> Settled {
        let at = self.owed.binary_search_by_key(&id, |owed| owed.id);
        at.map_or(Settled::Nothing, |at| self.settle(at))
    }

    /// How many deliveries it holds: those that are not acknowledged, and those behind them that are.
    pub(super) fn len(&self) -> u64 {
        self.owed.len() as u64
    }

    /// The oldest delivery that is not acknowledged.
    pub(super) fn front(&self) -> Option<Id> {
        self.owed.front().map(|owed| owed.id)
    }

    /// The oldest content that waits.
    pub(super) fn oldest_content(&self) -> Option<Id> {
        self.owed.iter().find(|owed| owed.content && !owed.acked).map(|owed| owed.id)
    }

    /// Starts again with what is not acknowledged and later than `since`, compared as texts.
    pub(super) fn replay(&mut self, since: &str) {
        self.next = self.owed.partition_point(|owed| owed.id.to_string().as_str() <= since);
    }

    /// Leaves out what waits: a hello without replay.
    pub(super) fn skip(&mut self) {
        self.next = self.owed.len();
    }

    /// Nothing is owed any more. Tells how much content that was.
    pub(super) fn clear(&mut self) -> u64 {
        let content = self.owed.iter().filter(|owed| owed.content && !owed.acked).count();
        *self = Self::default();
        content as u64
    }

    fn settle(&mut self, at: usize) -> Settled {
        let owed = &mut self.owed[at];
        if owed.acked {
            return Settled::Nothing;
        }
        owed.acked = true;
        let settled = if owed.content { Settled::Content } else { Settled::Event };
        while self.owed.front().is_some_and(|front| front.acked) {
            self.owed.pop_front();
            self.next = self.next.saturating_sub(1);
        }
        settled
    }
}
