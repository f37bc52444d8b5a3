//! What is known of an agent beyond one link: who it is, how it proves it, and what it has handled.

use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map::Entry},
    fmt,
    future::poll_fn,
    sync::Mutex,
    task::{Poll, Waker},
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
    work: Mutex<Work>,
}

/// What was handled, and what is being handled.
struct Work {
    handled: Window,
    /// Envelopes that a handler is at, on any link, and who waits until it is through.
    running: HashMap<Id, Vec<Waker>>,
}

/// The right to handle one envelope, which one handler has at a time. Dropped, it goes to whoever waits for it.
pub(super) struct Handling<'a> {
    memory: &'a Memory,
    /// `None` for an id of another form than the hub's: that is never known.
    id: Option<Id>,
}

impl Memory {
    /// `None` when the hub gave the passport without an id.
    pub(super) fn new(passport: Passport, claim: Claim, window: usize) -> Option<Self> {
        let id = passport.agent_id.clone().filter(|id| !id.is_empty())?;
        let work = Work { handled: Window::new(window), running: HashMap::new() };
        Some(Self { id, passport, claim: Mutex::new(claim), work: Mutex::new(work) })
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
        envelope_id.parse().is_ok_and(|id| lock(&self.work).handled.contains(id))
    }

    /// Begins to handle an envelope, once no handler is at it: the one of an older link may be, from which the agent was taken over.
    /// `None` when it has been handled.
    pub(super) async fn begin(&self, envelope_id: &str) -> Option<Handling<'_>> {
        let Ok(id) = envelope_id.parse() else { return Some(Handling { memory: self, id: None }) };
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut work = lock(&self.work);
            if work.handled.contains(id) {
                return Poll::Ready(None);
            }
            match work.running.entry(id) {
                Entry::Vacant(place) => {
                    place.insert(Vec::new());
                    Poll::Ready(Some(Handling { memory: self, id: Some(id) }))
                }
                Entry::Occupied(mut waiting) => {
                    waiting.get_mut().push(waker);
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Handling<'_> {
    /// It has been handled, and is not handled again.
    pub(super) fn done(self) {
        if let Some(id) = self.id {
            lock(&self.memory.work).handled.insert(id);
        }
    }
}

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let waiting = lock(&self.memory.work).running.remove(&id);
        waiting.into_iter().flatten().for_each(Waker::wake);
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
