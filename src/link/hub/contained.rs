//! Adapters and stores are a user's, and may panic. Here that becomes a refusal, so that the switchboard is never left half-way
//! through an input; the link whose input it was is closed.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::link::{
    auth::{AuthAdapter, AuthError, Claim},
    id::Id,
    record::Passport,
    store::{Entry, Store, StoreError},
};

/// Whether a panic was contained since it was last asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fuse(Arc<AtomicBool>);

impl Fuse {
    /// Asks, and forgets.
    pub(super) fn has_blown(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed) // under the switchboard's lock, as are those who set it
    }

    fn run<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        let outcome = catch_unwind(AssertUnwindSafe(act)).ok();
        if outcome.is_none() {
            self.0.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

/// One that may panic.
#[derive(Debug)]
pub(crate) struct Contained<T> {
    inner: T,
    fuse: Fuse,
}

impl<T> Contained<T> {
    pub(crate) fn new(inner: T, fuse: Fuse) -> Self {
        Self { inner, fuse }
    }
}

impl AuthAdapter for Contained<Box<dyn AuthAdapter>> {
    fn scheme(&self) -> &str {
        self.inner.scheme()
    }

    fn validate(&self, passport: &Passport, claim: &Claim) -> Result<(), AuthError> {
        let validated = self.fuse.run(|| self.inner.validate(passport, claim));
        validated.unwrap_or_else(|| Err(AuthError::Refused { name: passport.name.clone() }))
    }
}

impl Store for Contained<Box<dyn Store>> {
    fn append(&mut self, channel: Id, entry: Entry) -> Result<u64, StoreError> {
        let Self { inner, fuse } = self;
        fuse.run(|| inner.append(channel, entry)).unwrap_or(Err(StoreError::Failed))
    }

    fn len(&self, channel: Id) -> u64 {
        self.fuse.run(|| self.inner.len(channel)).unwrap_or(0)
    }

    fn entry(&self, channel: Id, place: u64) -> Option<Entry> {
        self.fuse.run(|| self.inner.entry(channel, place)).flatten()
    }

    fn remove(&mut self, channel: Id) {
        let Self { inner, fuse } = self;
        let _ = fuse.run(|| inner.remove(channel));
    }
}
