//! The place of a future that one thread polls and another may stop.
//!
//! ```text
//!            begin                    finish
//!   Idle ───────────▶ Polling ──────────────▶ Gone
//!    ▲                 │   │ stop               ▲
//!    └──── suspend ────┘   └─▶ Polling(stop) ───┤ finish
//!    │                                          │
//!    └───────────────── stop ───────────────────┘
//! ```
//!
//! Invariant: the future is in the slot (`Idle`) or with exactly one thread (`Polling`), never in two places; nothing leaves
//! `Gone`; and `Gone` means that the future has been destroyed, or is with the caller of `stop` who is about to destroy it.
//!
//! This file knows nothing of polling, so that `tests/model` can try its interleavings with anything in the slot.

use std::{mem, sync::PoisonError, task::Waker, time::Duration};

use crate::runtime::sync::{Condvar, Mutex, Patience, ThreadId, current_thread, lock};

pub(crate) struct Slot<F> {
    state: Mutex<State<F>>,
    gone: Condvar,
}

enum State<F> {
    /// Between two polls. The waker is that of the executor's task.
    Idle(F, Option<Waker>),
    Polling {
        by: ThreadId,
        stop: bool,
    },
    Gone,
}

/// What the owner finds who stops a slot.
pub(crate) enum Stopped<F> {
    /// Destroy it, and wake the executor's task so that it can end.
    Idle(F, Option<Waker>),
    /// Another thread is polling it, and will destroy it when that poll returns: [`Slot::wait`] for that.
    InFlight,
    /// There is nothing to wait for: it has gone, or this very thread is polling it.
    Nothing,
}

impl<F> Slot<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { state: Mutex::new(State::Idle(future, None)), gone: Condvar::new() }
    }

    /// Takes the future out to poll it, and the waker of the last time; `None` when there is nothing to poll.
    pub(crate) fn begin(&self) -> Option<(F, Option<Waker>)> {
        let mut state = lock(&self.state);
        let polling = State::Polling { by: current_thread(), stop: false };
        match mem::replace(&mut *state, polling) {
            State::Idle(future, waker) => Some((future, waker)),
            other @ (State::Polling { .. } | State::Gone) => {
                *state = other;
                None
            }
        }
    }

    /// Puts the future back after a poll that was pending; gives it back when it has been stopped meanwhile: destroy it,
    /// then [`finish`](Self::finish).
    pub(crate) fn suspend(&self, future: F, waker: Waker) -> Result<(), F> {
        let mut state = lock(&self.state);
        match &*state {
            State::Polling { stop: false, .. } => {
                *state = State::Idle(future, Some(waker));
                Ok(())
            }
            State::Polling { stop: true, .. } | State::Idle(..) | State::Gone => Err(future),
        }
    }

    /// Says that the future, and all that came of it, has been destroyed or delivered.
    pub(crate) fn finish(&self) {
        let before = mem::replace(&mut *lock(&self.state), State::Gone);
        if let State::Polling { stop: true, .. } = before {
            self.gone.notify_all();
        }
    }

    /// Sees to it that the future is not polled again.
    pub(crate) fn stop(&self) -> Stopped<F> {
        let mut state = lock(&self.state);
        match mem::replace(&mut *state, State::Gone) {
            State::Idle(future, waker) => Stopped::Idle(future, waker),
            State::Polling { by, .. } => {
                *state = State::Polling { by, stop: true };
                if by == current_thread() { Stopped::Nothing } else { Stopped::InFlight }
            }
            State::Gone => Stopped::Nothing,
        }
    }

    /// Waits until the slot is `Gone`, or `patience` has run out.
    pub(crate) fn wait(&self, patience: &Patience) {
        let mut state = lock(&self.state);
        while !matches!(*state, State::Gone) {
            let left = patience.left();
            if left == Duration::ZERO {
                return;
            }
            let waited = self.gone.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
