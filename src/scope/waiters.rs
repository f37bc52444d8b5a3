//! Wakers of tasks that wait for the same thing, each of which is forgotten when its task no longer waits.

use std::{collections::BTreeMap, task::Waker};

/// Kept under somebody's lock; so what it gives back is to be dropped or woken outside of it.
#[derive(Default)]
pub(super) struct Waiters {
    wakers: BTreeMap<Ticket, Waker>,
    /// Never used twice, since a task may come to sign off long after it has been woken.
    next: Ticket,
}

pub(super) type Ticket = u64;

impl Waiters {
    /// Remembers `waker` under `ticket`, which is filled in the first time. Gives back the waker that it replaces.
    #[must_use = "drop it outside the lock"]
    pub(super) fn sign_in(&mut self, ticket: &mut Option<Ticket>, waker: Waker) -> Option<Waker> {
        let ticket = *ticket.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.wakers.insert(ticket, waker)
    }

    #[must_use = "drop it outside the lock"]
    pub(super) fn sign_off(&mut self, ticket: Ticket) -> Option<Waker> {
        self.wakers.remove(&ticket)
    }

    pub(super) fn len(&self) -> usize {
        self.wakers.len()
    }

    /// All of them, to be woken.
    #[must_use = "wake them outside the lock"]
    pub(super) fn take(&mut self) -> Woken {
        Woken(std::mem::take(&mut self.wakers))
    }
}

/// Wakers taken out from under a lock.
#[derive(Default)]
pub(super) struct Woken(BTreeMap<Ticket, Waker>);

impl Woken {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn wake(self) {
        self.0.into_values().for_each(Waker::wake);
    }
}
