//! The default runtime: async-std's thread pool and block-on, async-io's timers (they are async-std's own), the system's clock.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::Task;

/// Drives `future` on this thread, and the reactor with it.
///
/// There is no nursery around it: [`scope::run`](crate::scope::run) is the same with one.
///
/// ```
/// assert_eq!(wscope::runtime::block_on(async { 42 }), 42);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    async_std::task::block_on(future)
}

pub(super) fn spawn(task: Task) {
    drop(async_std::task::spawn(task)); // async-std detaches here; the task's owner is whoever holds the other end
}

pub(super) fn unblock(work: Box<dyn FnOnce() + Send>) {
    drop(async_std::task::spawn_blocking(work));
}

pub(super) fn now() -> Instant {
    Instant::now()
}

/// Zero on a machine whose clock stands before 1970.
pub(super) fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// An async-io timer that stays ready once it has gone off.
pub(super) struct Timer {
    timer: async_io::Timer,
    gone_off: bool,
}

impl Timer {
    pub(super) fn at(deadline: Instant) -> Self {
        Self { timer: async_io::Timer::at(deadline), gone_off: false }
    }

    pub(super) fn reset(&mut self, deadline: Instant) {
        self.timer.set_at(deadline);
        self.gone_off = false;
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.gone_off {
            self.gone_off = Pin::new(&mut self.timer).poll(cx).is_ready();
        }
        if self.gone_off { Poll::Ready(()) } else { Poll::Pending }
    }
}
