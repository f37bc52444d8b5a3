//! The layer `runtime`, used from outside. Files are named after those of `src/runtime`; the state machines of the layer are in
//! `tests/model`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod ambient;
mod async_std;
mod clock;
mod executor;
mod sink;
mod timer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::Wake,
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

/// Counts how often it is woken.
#[derive(Default)]
struct Rings(AtomicU32);

impl Rings {
    fn count(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

impl Wake for Rings {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}
