//! Who sees to a connection while nobody else does: reads what nobody waits for, answers, keeps deadlines, closes.
//!
//! The end of a turn is where the driver works. [`Driven`] polls a body and then the driver, in one task: what the body has queued
//! goes out together, and no wake-up is spent on it. Where there is no body, the driver is a task of its own.
//!
//! A driver that is dropped before the connection is closed says goodbye with 1001: it hands the rest of closing to the nursery
//! around, which waits for it, within the close timeout.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;

use super::{ConnectionClosed, ConnectionConfig, shared::Shared};
use crate::{
    proto::{CloseCode, CloseConnection},
    runtime::Timer,
    scope::defer,
};

pub(super) struct Driver {
    shared: Arc<Shared>,
    /// Made when the first deadline is known; set again only when it has gone off, or when something is due sooner.
    timer: Option<(Timer, Instant)>,
    /// Where it was hung up last.
    known: Option<Waker>,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Driving,
    /// Dropped, and carried on by a nursery.
    Leaving,
    Done,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, timer: None, known: None, state: State::Driving }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// One turn. Ready when the connection is closed and its transport gone.
    pub(super) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.known.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            drop(self.shared.bell.set_driver(Some(cx.waker())));
            self.known = Some(cx.waker().clone());
        }
        let mut fired = self.timer.as_mut().is_some_and(|(timer, _)| timer.poll(cx).is_ready());
        for first in [true, false] {
            let turn = self.shared.with(|engine, after| {
                self.shared.end_turn();
                engine.turn(fired, after)
            });
            if turn.done {
                self.state = State::Done;
                self.timer = None;
                self.shared.span.closed(&self.shared.with(|engine, after| engine.refuse(after)));
                drop(self.shared.bell.set_driver(None));
                return Poll::Ready(());
            }
            let gone_off = fired;
            fired = false;
            if let Some(deadline) = turn.deadline {
                match &mut self.timer {
                    Some((timer, set)) if gone_off || deadline < *set => {
                        timer.reset(deadline);
                        *set = deadline;
                        fired = timer.poll(cx).is_ready();
                    }
                    Some(_) => {}
                    None => {
                        let mut timer = Timer::at(deadline);
                        fired = timer.poll(cx).is_ready();
                        self.timer = Some((timer, deadline));
                    }
                }
            }
            if turn.again {
                cx.waker().wake_by_ref(); // let others have their turn
            }
            if !fired {
                break;
            }
            if !first {
                cx.waker().wake_by_ref(); // due again already; others have their turn first
            }
        }
        Poll::Pending
    }

    /// A turn, unless the connection is closed: a body that lives on learns of it by its own calls.
    pub(super) fn keep_on(&mut self, cx: &mut Context<'_>) {
        if self.state == State::Driving {
            let _ = self.poll_turn(cx);
        }
    }

    /// Closes with `code`, and drives until it is done: no longer than the close timeout.
    pub(super) async fn close(mut self, code: CloseCode) -> ConnectionClosed {
        self.shared.with(|engine, after| engine.close(CloseConnection::new(code), after));
        std::future::poll_fn(|cx| self.poll_turn(cx)).await;
        self.shared.with(|engine, after| engine.refuse(after))
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_turn(cx)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        match self.state {
            State::Done => {}
            State::Driving if self.shared.with(|engine, _| engine.is_over()) => {}
            State::Leaving => self.shared.with(|engine, after| engine.abort(after)),
            State::Driving => {
                let code =
                    if std::thread::panicking() { CloseCode::INTERNAL_ERROR } else { CloseCode::GOING_AWAY };
                self.shared.with(|engine, after| engine.close(CloseConnection::new(code), after));
                let goodbye = Self {
                    shared: self.shared.clone(),
                    timer: self.timer.take(),
                    known: None,
                    state: State::Leaving,
                };
                if let Err(mut goodbye) = defer(farewell(&self.shared.config), goodbye) {
                    // Nobody waits for us here: one try, without waiting. What is unread is read, or else the kernel would answer it
                    // with a reset, which eats the close frame.
                    goodbye.shared.with(|engine, _| engine.look_again());
                    let _ = goodbye.poll_turn(&mut Context::from_waker(Waker::noop()));
                }
            }
        }
    }
}

/// How long a goodbye may take.
pub(super) fn farewell(config: &ConnectionConfig) -> Duration {
    config
        .close_timeout
        .unwrap_or(ConnectionConfig::CLOSE_TIMEOUT)
        .saturating_add(ConnectionConfig::DRAIN_TIMEOUT)
}

pin_project! {
    /// A body, and the driver of its connection at the end of each turn. Gives both back, with what the body returned, or what it
    /// panicked with.
    pub(super) struct Driven<B> {
        #[pin]
        body: B,
        driver: Option<Driver>,
    }
}

impl<B> Driven<B> {
    pub(super) fn new(body: B, driver: Driver) -> Self {
        Self { body, driver: Some(driver) }
    }
}

impl<B: Future> Future for Driven<B> {
    type Output = (std::thread::Result<B::Output>, Driver);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Nobody polls a future again that was ready: that is the contract of `Future`.
        let Some(mut driver) = this.driver.take() else { panic!("polled after it was ready") };
        driver.shared.begin_turn();
        let body = driver.shared.span.within(|| catch_unwind(AssertUnwindSafe(|| this.body.poll(cx))));
        let body = match body {
            Ok(Poll::Pending) => {
                driver.keep_on(cx);
                *this.driver = Some(driver);
                return Poll::Pending;
            }
            Ok(Poll::Ready(output)) => Ok(output),
            Err(panic) => Err(panic),
        };
        Poll::Ready((body, driver))
    }
}
