//! What is on its way to one link: filled under the switchboard's lock, emptied without it.

use std::{
    collections::VecDeque,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use crate::{
    link::switchboard::{Farewell, Outgoing},
    runtime::sync::{lock, poll_locked},
};

/// Messages in order, then perhaps a farewell. Bounded by the switchboard, which counts what has not been
/// [`sent`](crate::link::Switchboard::sent).
#[derive(Default)]
pub(super) struct Outbox(Mutex<State>);

#[derive(Default)]
struct State {
    messages: VecDeque<Outgoing>,
    farewell: Option<Farewell>,
    /// The link is not to be read from now.
    is_full: bool,
    /// Nothing can be sent any more.
    is_abandoned: bool,
    /// Of the one task that serves the link.
    waker: Option<Waker>,
}

/// All that there was.
pub(super) struct Batch {
    pub(super) messages: VecDeque<Outgoing>,
    pub(super) farewell: Option<Farewell>,
}

impl Outbox {
    /// Puts a message in. `wake` are those to be woken later.
    pub(super) fn push(&self, message: Outgoing, wake: &mut Vec<Waker>) {
        let mut state = lock(&self.0);
        if state.is_abandoned {
            return;
        }
        state.messages.push_back(message);
        wake.extend(state.waker.take());
    }

    /// Nothing comes after this.
    pub(super) fn end(&self, farewell: Farewell, wake: &mut Vec<Waker>) {
        let mut state = lock(&self.0);
        state.farewell = Some(farewell);
        wake.extend(state.waker.take());
    }

    /// Whether the link is to be read from; said after each input that may have changed it.
    pub(super) fn let_in(&self, wants_input: bool, wake: &mut Vec<Waker>) {
        let mut state = lock(&self.0);
        let was_full = std::mem::replace(&mut state.is_full, !wants_input);
        if was_full && wants_input {
            wake.extend(state.waker.take());
        }
    }

    /// Nothing can be sent any more. What the peer has said is heard to its end, however much is unsent.
    pub(super) fn abandon(&self) {
        let mut state = lock(&self.0);
        state.is_abandoned = true;
        let unsent = std::mem::take(&mut state.messages);
        drop(state);
        drop(unsent);
    }

    /// Ready with all that is there, once there is something.
    pub(super) fn poll_take(&self, cx: &Context<'_>) -> Poll<Batch> {
        let taken = self.poll(cx, |state| {
            (!state.messages.is_empty() || state.farewell.is_some())
                .then(|| Batch { messages: std::mem::take(&mut state.messages), farewell: state.farewell })
        });
        if matches!(&taken, Poll::Ready(batch) if batch.messages.len() >= MOST) {
            cx.waker().wake_by_ref(); // reading goes on, which is the affair of the same task
        }
        taken
    }

    /// Ready once there is a farewell: who waits for room need not wait any more.
    pub(super) fn poll_farewell(&self, cx: &Context<'_>) -> Poll<Farewell> {
        self.poll(cx, |state| state.farewell)
    }

    /// Ready when the link is to be read from.
    pub(super) fn poll_wants_input(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll(cx, |state| {
            let has_room = !state.is_full && state.messages.len() < MOST;
            (has_room || state.is_abandoned).then_some(())
        })
    }

    /// Wakes whoever serves the link, to look what has changed elsewhere.
    pub(super) fn nudge(&self, wake: &mut Vec<Waker>) {
        wake.extend(lock(&self.0).waker.take());
    }

    fn poll<T>(&self, cx: &Context<'_>, look: impl FnOnce(&mut State) -> Option<T>) -> Poll<T> {
        poll_locked(&self.0, cx, look, |state| &mut state.waker)
    }
}

/// Messages beyond which the link is not read from: short ones cost more than their bytes. A window of deliveries has fewer.
const MOST: usize = 2_048;
