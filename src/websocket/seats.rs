//! Seats, counted: a limit on those who come in, and a wait until all have left.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
};

use crate::runtime::sync::lock;

#[derive(Default)]
pub(super) struct Seats(Mutex<State>);

#[derive(Default)]
struct State {
    taken: usize,
    /// Who waits until all are free.
    waiting: Option<Waker>,
}

impl Seats {
    /// A seat, if fewer than `most` are taken.
    pub(super) fn take(self: &Arc<Self>, most: usize) -> Option<Seat> {
        let mut state = lock(&self.0);
        (state.taken < most).then(|| {
            state.taken += 1;
            Seat(self.clone())
        })
    }

    /// Waits until all are free. For one task at a time.
    pub(super) async fn empty(&self) {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut state = lock(&self.0);
            if state.taken == 0 {
                return Poll::Ready(());
            }
            let replaced = state.waiting.replace(waker);
            drop(state);
            drop(replaced);
            Poll::Pending
        })
        .await;
    }
}

/// Free again when it is dropped.
pub(super) struct Seat(Arc<Seats>);

impl Drop for Seat {
    fn drop(&mut self) {
        let waiting = {
            let mut state = lock(&self.0.0);
            state.taken -= 1;
            if state.taken == 0 { state.waiting.take() } else { None }
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}
