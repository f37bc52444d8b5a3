//! One deadline that can be moved: the only thing in this crate that waits for time.

use std::{
    fmt,
    future::{pending, poll_fn},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{Alarm, async_std, current, now};

/// Goes off at a deadline, on the clock that was in force when it was made.
///
/// ```
/// use std::{future::poll_fn, time::{Duration, Instant}};
/// use wscope::runtime::{Timer, block_on, now};
///
/// block_on(async {
///     let mut timer = Timer::at(now() + Duration::from_secs(3600));
///     timer.reset(now());
///     poll_fn(|cx| timer.poll(cx)).await;
/// });
/// ```
pub struct Timer(Kind);

pub(super) enum Kind {
    System(async_std::Timer),
    Other(Box<dyn Alarm>),
}

impl Timer {
    /// Goes off at `deadline`, or at once when that has passed.
    #[must_use]
    pub fn at(deadline: Instant) -> Self {
        current(|ambient| ambient.runtime.timer(deadline))
    }

    pub(super) fn of(kind: Kind) -> Self {
        Self(kind)
    }

    /// Moves the deadline, whether or not the timer has gone off.
    pub fn reset(&mut self, deadline: Instant) {
        match &mut self.0 {
            Kind::System(timer) => timer.reset(deadline),
            Kind::Other(alarm) => alarm.reset(deadline),
        }
    }

    /// Ready once the deadline has passed; until then the task will be woken when it does.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Kind::System(timer) => timer.poll(cx),
            Kind::Other(alarm) => alarm.poll(cx),
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}

/// Waits for `limit` on the clock in force; for ever, when that is later than the clock can tell.
///
/// ```
/// use std::time::Duration;
/// wscope::run(wscope::sleep(Duration::from_millis(1)));
/// ```
///
/// Cancel-safe.
pub async fn sleep(limit: Duration) {
    match now().checked_add(limit) {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Waits until `deadline` on the clock in force.
///
/// ```
/// use std::time::Duration;
/// use wscope::runtime::{now, sleep_until};
///
/// wscope::run(async {
///     let mut next = now();
///     for _ in 0..3 {
///         next += Duration::from_millis(1); // a beat that does not drift, however long the work between takes
///         sleep_until(next).await;
///     }
/// });
/// ```
///
/// Cancel-safe.
pub async fn sleep_until(deadline: Instant) {
    let mut timer = Timer::at(deadline);
    poll_fn(|cx| timer.poll(cx)).await;
}
