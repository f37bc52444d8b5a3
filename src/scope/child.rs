//! The receipt for a child whose value is wanted.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::channel::oneshot;

use super::Cancelled;

/// The value that a child started by [`Nursery::child`](super::Nursery::child) will have, or [`Cancelled`] if the child failed
/// or was stopped.
///
/// Dropping it does not stop the child: the nursery owns the child, this is only a receipt. So it is a shield, too: work given
/// to an outer nursery survives the inner scope that waits for it.
///
/// ```
/// use std::time::Duration;
/// use wscope::{Nursery, move_on_after, nursery, sleep};
///
/// wscope::run(nursery(async |outer: Nursery| {
///     let saved = outer.child(async {
///         sleep(Duration::from_millis(5)).await;
///         Ok("saved")
///     });
///     move_on_after(Duration::ZERO, saved).await; // gives up waiting, not the work
///     Ok(())
/// }))
/// .unwrap();
/// ```
#[must_use = "`start_soon` starts a child whose value is not wanted"]
#[derive(Debug)]
pub struct Child<T> {
    receiver: oneshot::Receiver<T>,
}

impl<T> Future for Child<T> {
    type Output = Result<T, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver).poll(cx).map_err(|oneshot::Canceled| Cancelled)
    }
}

impl<T> Child<T> {
    /// A receipt, and where its value is to be put.
    pub(super) fn receipt() -> (oneshot::Sender<T>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self { receiver })
    }
}
