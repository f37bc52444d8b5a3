//! Futures that are dropped half-way.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

/// Polls `future` at most `polls` times, and drops it right after the last if it is not ready: `None`. With zero it is dropped
/// unpolled.
///
/// Counting up from zero until it is `Some` drops the future at each place where it can be dropped, once:
///
/// ```
/// use wscope::testing::{Simulation, polled};
/// use std::time::Duration;
///
/// let mut polls = 0;
/// while Simulation::new()
///     .run(polled(polls, async {
///         wscope::sleep(Duration::from_secs(1)).await;
///         wscope::sleep(Duration::from_secs(1)).await;
///     }))
///     .is_none()
/// {
///     polls += 1;
/// }
/// assert_eq!(polls, 3);
/// ```
pub fn polled<F: Future>(polls: usize, future: F) -> Polled<F> {
    Polled { future: Some(future), polls }
}

pin_project! {
    /// The future of [`polled`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Polled<F> {
        #[pin]
        future: Option<F>,
        polls: usize,
    }
}

impl<F: Future> Future for Polled<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let polled = match this.future.as_mut().as_pin_mut() {
            Some(future) if *this.polls > 0 => future.poll(cx),
            Some(_) | None => Poll::Pending,
        };
        *this.polls = this.polls.saturating_sub(1);
        if polled.is_pending() && *this.polls > 0 {
            return Poll::Pending;
        }
        this.future.set(None);
        match polled {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        }
    }
}
