//! Deadlines as plain combinators. Nesting composes by construction: an outer timeout drops everything inside it, so the
//! nearest deadline wins.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;

use super::TooSlow;
use crate::runtime::{Timer, now};

/// Runs `future` for at most `limit`, or gives up on it with [`TooSlow`]. A limit of `None` is none.
///
/// - The clock starts at the first poll. `future` is polled at least once, also with a limit of zero: what is ready at once
///   is never too slow.
/// - `future` has been dropped before this returns, and all that it owned.
/// - It limits what is awaited *in* it. Around `async { n.start_soon(x) }` it limits nothing: put it around the nursery, or
///   inside the child.
///
/// ```
/// use std::time::Duration;
/// use wscope::{TooSlow, fail_after};
///
/// async fn answer() -> Result<u32, TooSlow> {
///     fail_after(Duration::from_millis(1), std::future::pending()).await
/// }
/// let outcome = wscope::run(answer());
/// assert_eq!(outcome.unwrap_err().limit, Duration::from_millis(1));
/// ```
///
/// Cancel-safe if `future` is.
///
/// # Errors
///
/// `Err(TooSlow)` when the limit was reached first.
pub fn fail_after<F: Future>(limit: impl Into<Option<Duration>>, future: F) -> FailAfter<F> {
    let limit = limit.into().unwrap_or(Duration::MAX); // later than the clock can tell
    FailAfter { limit, deadline: None, bounded: Bounded::new(future) }
}

/// [`fail_after`] with a point in time on the [clock in force](crate::runtime::now). The `limit` in the error is the time there
/// was at the first poll.
///
/// ```
/// use std::time::Duration;
/// use wscope::{fail_at, runtime::now};
///
/// wscope::run(async {
///     let deadline = now() + Duration::from_millis(1);
///     assert!(fail_at(deadline, std::future::pending::<()>()).await.is_err());
///     assert_eq!(fail_at(deadline, async { 1 }).await, Ok(1)); // ready at once is never too late
/// });
/// ```
///
/// Cancel-safe if `future` is.
///
/// # Errors
///
/// `Err(TooSlow)` when the deadline came first.
pub fn fail_at<F: Future>(deadline: Instant, future: F) -> FailAfter<F> {
    FailAfter { limit: Duration::ZERO, deadline: Some(deadline), bounded: Bounded::new(future) }
}

/// Runs `future` for at most `limit`, or gives up on it and returns `None`. Otherwise, a limit of `None` included, as [`fail_after`].
///
/// ```
/// use std::time::Duration;
/// use wscope::move_on_after;
///
/// wscope::run(async {
///     assert_eq!(move_on_after(Duration::ZERO, async { 1 }).await, Some(1));
///     assert_eq!(move_on_after(Duration::ZERO, std::future::pending::<u8>()).await, None);
/// });
/// ```
///
/// Cancel-safe if `future` is.
pub fn move_on_after<F: Future>(limit: impl Into<Option<Duration>>, future: F) -> MoveOnAfter<F> {
    MoveOnAfter { inner: fail_after(limit, future) }
}

/// [`move_on_after`] with a point in time on the [clock in force](crate::runtime::now).
///
/// ```
/// use std::time::Duration;
/// use wscope::{move_on_at, runtime::now};
///
/// wscope::run(async {
///     let deadline = now() + Duration::from_millis(1); // for both together
///     assert_eq!(move_on_at(deadline, std::future::pending::<u8>()).await, None);
///     assert_eq!(move_on_at(deadline, std::future::pending::<u8>()).await, None);
/// });
/// ```
///
/// Cancel-safe if `future` is.
pub fn move_on_at<F: Future>(deadline: Instant, future: F) -> MoveOnAfter<F> {
    MoveOnAfter { inner: fail_at(deadline, future) }
}

pin_project! {
    /// The future of [`fail_after`] and [`fail_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct FailAfter<F> {
        // With a deadline, known from the first poll on.
        limit: Duration,
        deadline: Option<Instant>,
        #[pin]
        bounded: Bounded<F>,
    }
}

pin_project! {
    /// The future of [`move_on_after`] and [`move_on_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct MoveOnAfter<F> {
        #[pin]
        inner: FailAfter<F>,
    }
}

impl<F: Future> Future for FailAfter<F> {
    type Output = Result<F::Output, TooSlow>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (limit, deadline) = (this.limit, *this.deadline);
        let start = || match deadline {
            Some(deadline) => {
                *limit = deadline.saturating_duration_since(now());
                Some(deadline)
            }
            None => now().checked_add(*limit), // `None`: later than the clock can tell
        };
        let outcome = ready!(this.bounded.poll(cx, start));
        Poll::Ready(outcome.ok_or(TooSlow { limit: *limit }))
    }
}

impl<F: Future> Future for MoveOnAfter<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map(Result::ok)
    }
}

pin_project! {
    /// A future and what it has left of time. The future is gone once this is ready.
    #[derive(Debug)]
    struct Bounded<F> {
        #[pin]
        future: Option<F>,
        clock: Watch,
    }
}

/// What a timeout knows of time. A timer is only made for a future that is not ready at once.
#[derive(Debug)]
enum Watch {
    Unread,
    Deadline(Option<Instant>),
    Running(Timer),
}

impl<F: Future> Bounded<F> {
    fn new(future: F) -> Self {
        Self { future: Some(future), clock: Watch::Unread }
    }

    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce() -> Option<Instant>,
    ) -> Poll<Option<F::Output>> {
        let mut this = self.project();
        if let Watch::Unread = this.clock {
            *this.clock = Watch::Deadline(start());
        }
        let future = this.future.as_mut().as_pin_mut();
        let polled = future.map_or(Poll::Pending, |future| future.poll(cx).map(Some));
        if polled.is_pending() && poll_timer(this.clock, cx).is_pending() {
            return Poll::Pending;
        }
        this.future.set(None);
        match polled {
            Poll::Ready(output) => Poll::Ready(output),
            Poll::Pending => Poll::Ready(None),
        }
    }
}

fn poll_timer(clock: &mut Watch, cx: &mut Context<'_>) -> Poll<()> {
    if let Watch::Deadline(Some(deadline)) = *clock {
        *clock = Watch::Running(Timer::at(deadline));
    }
    match clock {
        Watch::Running(timer) => timer.poll(cx),
        Watch::Unread | Watch::Deadline(_) => Poll::Pending,
    }
}
