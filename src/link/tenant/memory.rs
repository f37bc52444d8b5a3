//! What is known of an agent beyond one link: who it is, how it proves it, and what it has handled.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::Mutex,
};

use crate::{
    link::{auth::Claim, id::Id, record::Passport},
    runtime::sync::lock,
};

/// An agent, as its own side knows it. Shared by all its handles, on this link and on later ones.
pub(super) struct Memory {
    pub(super) id: String,
    pub(super) passport: Passport,
    claim: Mutex<Claim>,
    handled: Mutex<Window>,
}

impl Memory {
    /// `None` when the hub gave the passport without an id.
    pub(super) fn new(passport: Passport, claim: Claim, window: usize) -> Option<Self> {
        let id = passport.agent_id.clone().filter(|id| !id.is_empty())?;
        Some(Self { id, passport, claim: Mutex::new(claim), handled: Mutex::new(Window::new(window)) })
    }

    /// What proves that the agent is ours: the last claim that was not refused.
    pub(super) fn claim(&self) -> Claim {
        lock(&self.claim).clone()
    }

    /// A hub took this claim.
    pub(super) fn claimed(&self, claim: Claim) {
        *lock(&self.claim) = claim;
    }

    /// Whether this envelope has been handled. An id of another form than the hub's is never known: rather twice than never.
    pub(super) fn has_handled(&self, envelope_id: &str) -> bool {
        envelope_id.parse().is_ok_and(|id| lock(&self.handled).contains(id))
    }

    /// This envelope has been handled, and is not handled again.
    pub(super) fn handled(&self, envelope_id: &str) {
        if let Ok(id) = envelope_id.parse() {
            lock(&self.handled).insert(id);
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("id", &self.id)
            .field("name", &self.passport.name)
            .finish_non_exhaustive()
    }
}

/// The last so many ids; the oldest goes first.
#[derive(Debug)]
struct Window {
    ids: HashSet<Id>,
    order: VecDeque<Id>,
    size: usize,
}

impl Window {
    fn new(size: usize) -> Self {
        Self { ids: HashSet::new(), order: VecDeque::new(), size: size.max(1) }
    }

    fn contains(&self, id: Id) -> bool {
        self.ids.contains(&id)
    }

    fn insert(&mut self, id: Id) {
        if !self.ids.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > self.size
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}
