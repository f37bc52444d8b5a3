//! What time it is, and who tells us when it is later.

use std::{
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{async_std, current};

/// A clock, with alarms.
///
/// [`Runtime::new`](super::Runtime::new) has an example.
pub trait Clock: Send + Sync + 'static {
    /// The time. Never earlier than what it said before.
    fn now(&self) -> Instant;

    /// The time that calendars show: how long ago 1970 began, in UTC. Unlike [`now`](Self::now) it may jump, both ways. Default:
    /// the system's.
    fn unix_time(&self) -> Duration {
        async_std::unix_time()
    }

    /// An alarm that goes off at `at`, or at once when that has passed.
    fn alarm(&self, at: Instant) -> Box<dyn Alarm>;
}

/// Goes off once, and can be set again. What a [`Timer`](super::Timer) is made of.
///
/// [`Runtime::new`](super::Runtime::new) has an example.
pub trait Alarm: Send + Sync {
    /// Sets it to another time, whether or not it has gone off.
    fn reset(&mut self, at: Instant);

    /// Ready from the time it is set to; else the task is woken then. The waker does not outlive the alarm.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// The time on the clock in force: that of the nursery that is being polled on this thread, or the system's.
///
/// ```
/// use std::time::Duration;
/// use wscope::runtime::{now, sleep};
///
/// wscope::run(async {
///     let begin = now();
///     sleep(Duration::from_millis(1)).await;
///     assert!(now() - begin >= Duration::from_millis(1));
/// });
/// ```
#[must_use]
pub fn now() -> Instant {
    current(|ambient| ambient.runtime.now())
}

/// What calendars show on the clock in force: how long ago 1970 began, in UTC.
///
/// ```
/// println!("{} s since 1970 began", wscope::runtime::unix_time().as_secs());
/// ```
#[must_use]
pub fn unix_time() -> Duration {
    current(|ambient| ambient.runtime.unix_time())
}
