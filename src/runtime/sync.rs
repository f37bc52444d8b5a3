//! Locks and threads. The state machines that take them from here are also compiled into `tests/model`, where a scheduler
//! that tries many interleavings stands behind the same names.

use std::{
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

pub(crate) use std::sync::{
    Arc, Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};

/// Locks `mutex`, also after a panic under it: what we keep under locks is consistent between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Ready with what `look` finds under the lock; else the task waits at `waiting`, for whoever changes that to wake it.
///
/// Wakers are cloned before the lock and dropped after it: both run the code of an executor.
pub(crate) fn poll_locked<S, T>(
    mutex: &Mutex<S>,
    cx: &Context<'_>,
    look: impl FnOnce(&mut S) -> Option<T>,
    waiting: impl FnOnce(&mut S) -> &mut Option<Waker>,
) -> Poll<T> {
    let waker = cx.waker().clone();
    let mut state = lock(mutex);
    if let Some(found) = look(&mut state) {
        return Poll::Ready(found);
    }
    let replaced = waiting(&mut state).replace(waker);
    drop(state);
    drop(replaced);
    Poll::Pending
}

/// Tells threads apart that are alive at the same time.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct ThreadId(usize);

/// Who is asking. (`std::thread::current` counts references; the address of a local does for us.)
pub(crate) fn current_thread() -> ThreadId {
    thread_local! { static LOCAL: u8 = const { 0 } }
    ThreadId(LOCAL.with(|local| std::ptr::from_ref(local).addr()))
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
