//! Where asynchronous clean-up goes: each nursery has a sink, and does not finish before what was put in it has.
//!
//! ```text
//!   Open ──close_if_empty──▶ Closed(heir)     the nursery is through
//!     └────────bequeath────▶ Closed(heir)     the nursery was dropped; what is in the sink moves on to the heir
//! ```
//!
//! Invariant: nothing leaves `Closed`, and a closed sink holds nothing. A clean-up that comes to a closed sink (from a child
//! that is still unwinding on another thread) is passed on to its heir, the sink of the nursery around it.

use std::{mem, ptr};

use super::{
    BoxFuture,
    bell::Bell,
    sync::{Arc, AtomicBool, Mutex, Ordering, lock},
};

/// Adopts clean-ups on behalf of a nursery, and wakes it.
#[derive(Default)]
pub(crate) struct Sink {
    state: Mutex<State>,
    /// Whether a look is worth the lock. Set and cleared under it.
    waiting: AtomicBool,
    /// The task that polls the nursery.
    pub(crate) bell: Bell,
}

/// A clean-up on its way to the sink that takes it, kept small until one does.
pub(crate) trait Adoption {
    fn boxed(self) -> BoxFuture<'static, ()>;
}

impl Adoption for BoxFuture<'static, ()> {
    fn boxed(self) -> Self {
        self
    }
}

enum State {
    Open { waiting: Vec<BoxFuture<'static, ()>>, adopted: u64 },
    Closed { heir: Option<Arc<Sink>>, adopted: u64 },
}

impl Default for State {
    fn default() -> Self {
        Self::Open { waiting: Vec::new(), adopted: 0 }
    }
}

impl Sink {
    /// Takes `cleanup`, or passes it on to the first heir that is open, or gives it back.
    pub(crate) fn adopt<C: Adoption>(&self, cleanup: C) -> Result<(), C> {
        let (mut cleanup, mut heir) = match self.take_in(cleanup) {
            Ok(()) => return Ok(()),
            Err(given_back) => given_back,
        };
        // Two nurseries become heirs of each other when each is dropped by a child of the other. Closed sinks never change; so
        // whoever walks in a circle comes by a landmark that was set early enough, and here they are set ever further apart.
        let (mut landmark, mut hops) = (ptr::from_ref(self), 0_u32);
        while let Some(sink) = heir {
            if ptr::eq(landmark, &*sink) {
                break;
            }
            match sink.take_in(cleanup) {
                Ok(()) => return Ok(()),
                Err(given_back) => (cleanup, heir) = given_back,
            }
            hops += 1;
            if hops.is_power_of_two() {
                landmark = ptr::from_ref(&*sink);
            }
        }
        Err(cleanup)
    }

    fn take_in<C: Adoption>(&self, cleanup: C) -> Result<(), (C, Option<Arc<Self>>)> {
        match &mut *lock(&self.state) {
            State::Open { waiting, adopted } => {
                waiting.push(cleanup.boxed());
                *adopted += 1;
                self.waiting.store(true, Ordering::Release);
            }
            State::Closed { heir, .. } => return Err((cleanup, heir.clone())),
        }
        self.bell.ring();
        Ok(())
    }

    /// What has come since the last time.
    pub(crate) fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        if !self.waiting.load(Ordering::Acquire) {
            return Vec::new(); // who comes right after this rings the bell
        }
        match &mut *lock(&self.state) {
            State::Open { waiting, .. } => {
                self.waiting.store(false, Ordering::Release);
                mem::take(waiting)
            }
            State::Closed { .. } => Vec::new(), // uncovered: a nursery that is through does not ask again
        }
    }

    /// How many clean-ups this sink has taken so far.
    pub(crate) fn adopted(&self) -> u64 {
        match &*lock(&self.state) {
            State::Open { adopted, .. } | State::Closed { adopted, .. } => *adopted,
        }
    }

    /// Closes, unless somebody is waiting to be let in. Says whether it is closed.
    pub(crate) fn close_if_empty(&self, heir: Option<&Arc<Self>>) -> bool {
        let mut state = lock(&self.state);
        match &*state {
            State::Open { waiting, adopted } if waiting.is_empty() => {
                *state = State::Closed { heir: self.heir(heir), adopted: *adopted };
                true
            }
            State::Open { .. } => false,
            State::Closed { .. } => true, // uncovered: as above
        }
    }

    /// Closes, and leaves what there is, and what may yet come, to `heir`. Gives back what nobody takes.
    pub(crate) fn bequeath(&self, heir: Option<&Arc<Self>>) -> Vec<BoxFuture<'static, ()>> {
        let heir = self.heir(heir);
        let waiting = {
            let mut state = lock(&self.state);
            let State::Open { waiting, adopted } = &mut *state else { return Vec::new() };
            let (waiting, adopted) = (mem::take(waiting), *adopted);
            *state = State::Closed { heir, adopted };
            waiting
        };
        waiting.into_iter().filter_map(|cleanup| self.adopt(cleanup).err()).collect()
    }

    /// A nursery that is dropped by its own child is no heir of its own.
    fn heir(&self, heir: Option<&Arc<Self>>) -> Option<Arc<Self>> {
        heir.filter(|heir| !ptr::eq(&***heir, self)).cloned()
    }
}
