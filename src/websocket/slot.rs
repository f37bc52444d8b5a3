//! Where an accepted request puts its driver: the future that serves it takes it from here, and drives.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use super::{ConnectionId, WebSocketConnection, driver::Driver, registry::Registry};
use crate::runtime::sync::{lock, poll_locked};

pub(super) struct Slot {
    state: Mutex<State>,
    /// Where the connection is listed.
    live: Arc<Registry>,
}

#[derive(Default)]
struct State {
    /// In a box: it is soon taken out, and the place for it stays.
    driver: Option<Box<Driver>>,
    /// The request has been answered, or given up.
    answered: bool,
    /// It may be answered at any time.
    unlimited: bool,
    /// It was not answered in time.
    late: bool,
    /// Nobody will drive any more.
    over: bool,
    /// The connection, as it is listed.
    listed: Option<ConnectionId>,
    waker: Option<Waker>,
}

impl Slot {
    pub(super) fn new(live: Arc<Registry>) -> Self {
        Self { state: Mutex::default(), live }
    }

    /// The request is accepted. Gives the driver back when nobody will drive it.
    pub(super) fn fill(&self, driver: Driver) -> Result<(), Driver> {
        let waker = {
            let mut state = lock(&self.state);
            if state.over {
                return Err(driver);
            }
            state.answered = true;
            state.driver = Some(Box::new(driver));
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Lists the connection, until nobody drives it any more.
    pub(super) fn list(&self, ws: &WebSocketConnection) {
        self.live.insert(ws);
        let over = {
            let mut state = lock(&self.state);
            state.listed = Some(ws.id());
            state.over
        };
        if over {
            self.live.remove(ws.id());
        }
    }

    /// The request is answered, and there is nothing to drive.
    pub(super) fn answered(&self) {
        let waker = {
            let mut state = lock(&self.state);
            state.answered = true;
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// No timeout for the decision any more.
    pub(super) fn lift(&self) {
        lock(&self.state).unlimited = true;
    }

    pub(super) fn is_late(&self) -> bool {
        lock(&self.state).late
    }

    /// Whether there is nobody who would drive.
    pub(super) fn is_over(&self) -> bool {
        lock(&self.state).over
    }

    /// Says that the time for an answer is over, if there was a limit and there is no answer.
    pub(super) fn expire(&self) -> bool {
        let mut state = lock(&self.state);
        state.late = !state.answered && !state.unlimited;
        state.late
    }

    /// The driver, once there is one; `Ready(None)` when there will be none.
    pub(super) fn poll_driver(&self, cx: &mut Context<'_>) -> Poll<Option<Driver>> {
        let look = |state: &mut State| match state.driver.take() {
            Some(driver) => Some(Some(*driver)),
            None => state.answered.then_some(None),
        };
        poll_locked(&self.state, cx, look, |state| &mut state.waker)
    }
}

/// The right of who drives: when it is dropped, a request can no longer be accepted.
pub(super) struct Owner(pub(super) Arc<Slot>);

impl Drop for Owner {
    fn drop(&mut self) {
        let left = {
            let mut state = lock(&self.0.state);
            state.over = true;
            if let Some(id) = state.listed.take() {
                self.0.live.remove(id);
            }
            (state.driver.take(), state.waker.take())
        };
        drop(left);
    }
}
