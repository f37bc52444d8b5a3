//! One connection: the agents it holds, and what is on its way to it.

use std::collections::{BTreeSet, VecDeque};

use crate::link::{id::Id, time::Timestamp};

/// One connection.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The agents that it holds.
    pub(super) agents: BTreeSet<Id>,
    /// Whether it has held one, ever: only those that have not are closed for it.
    pub(super) was_bound: bool,
    /// By when it has to hold one.
    pub(super) bind_by: Timestamp,
    /// Refused claims.
    pub(super) refusals: usize,
    /// Bytes given out as effects, and not yet told to have left.
    pub(super) unsent: usize,
    pub(super) ready: Ready,
}

impl Endpoint {
    pub(super) fn new(bind_by: Timestamp) -> Self {
        Self {
            agents: BTreeSet::new(),
            was_bound: false,
            bind_by,
            refusals: 0,
            unsent: 0,
            ready: Ready::default(),
        }
    }

    /// Whether nothing is on its way, and nothing waits to be.
    pub(super) fn is_idle(&self) -> bool {
        self.unsent == 0 && self.ready.queue.is_empty()
    }
}

/// Agents and channels with something to deliver on this connection, each once, in turn: no channel starves another.
#[derive(Debug, Default)]
pub(super) struct Ready {
    queue: VecDeque<(Id, Id)>,
    members: BTreeSet<(Id, Id)>,
}

impl Ready {
    /// Puts it last, unless it waits already.
    pub(super) fn push(&mut self, agent: Id, channel: Id) {
        if self.members.insert((agent, channel)) {
            self.queue.push_back((agent, channel));
        }
    }

    pub(super) fn pop(&mut self) -> Option<(Id, Id)> {
        let first = self.queue.pop_front()?;
        self.members.remove(&first);
        Some(first)
    }
}
