//! Seats, counted: a limit on those who come in, and a wait until all have left.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::Waker,
};

use crate::runtime::sync::{lock, poll_locked};

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
        let empty = |state: &mut State| (state.taken == 0).then_some(());
        poll_fn(|cx| poll_locked(&self.0, cx, empty, |state| &mut state.waiting)).await;
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
