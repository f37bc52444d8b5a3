//! A turn for everybody else.

use std::{future::poll_fn, mem, task::Poll};

/// Gives way once: other tasks, and other futures of this one, have their turn before this goes on. Trio's word.
pub(crate) async fn checkpoint() {
    let mut given_way = false;
    poll_fn(|cx| {
        if mem::replace(&mut given_way, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
