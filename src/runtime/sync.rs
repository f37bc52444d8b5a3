//! Locks and threads. The state machines that take them from here are also compiled into `tests/model`, where a scheduler
//! that tries many interleavings stands behind the same names.

use std::time::{Duration, Instant};

pub(crate) use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::ThreadId,
};

/// Locks `mutex`, also after a panic under it: what we keep under locks is consistent between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Who is asking.
pub(crate) fn current_thread() -> ThreadId {
    std::thread::current().id()
}

/// How long a thread lets another keep it waiting. In real time on every runtime, since threads are real.
pub(crate) struct Patience {
    until: Instant,
}

impl Patience {
    pub(crate) fn of(limit: Duration) -> Self {
        Self { until: Instant::now() + limit }
    }

    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}
