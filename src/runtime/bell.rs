//! Wakes one task that is often polled and seldom rung for.

use std::task::Waker;

use super::sync::{Mutex, lock};

/// Like an `AtomicWaker`, but ringing leaves the waker where it is; so a task that is polled again and again with the same waker
/// has nothing to do.
#[derive(Default)]
pub(crate) struct Bell {
    waker: Mutex<Option<Waker>>,
}

impl Bell {
    /// Rings for `waker` from now on. `known` is the caller's memory of what it said last.
    pub(crate) fn hang(&self, waker: &Waker, known: &mut Option<Waker>) {
        if known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        *known = Some(waker.clone());
        let waker = waker.clone();
        let replaced = lock(&self.waker).replace(waker);
        drop(replaced);
    }

    /// Wakes the task, if it was ever polled.
    pub(crate) fn ring(&self) {
        let waker = lock(&self.waker).clone();
        waker.into_iter().for_each(Waker::wake);
    }

    /// There is nobody left to wake.
    pub(crate) fn take_down(&self) {
        let waker = lock(&self.waker).take();
        drop(waker);
    }
}
