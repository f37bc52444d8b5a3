//! Cancel scopes: cancellation from elsewhere, deadlines that can be moved, and graceful shutdown.
//!
//! ```text
//!   Open ──close──▶ Closing ──cancel──▶ Cancelled
//!     └─────────────────cancel──────────────▲
//! ```
//!
//! Nothing goes back, and what happens to a scope happens to all below it. A scope is cancelled by its own deadline and by that
//! of any scope above: whoever watches a scope arms a timer for the nearest of them, so no task exists for a deadline alone.
//!
//! Lock order: a scope before those above it, and never two at once on the way down. Nobody is woken and no waker is dropped
//! under a lock.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;

use super::{
    Cancelled,
    waiters::{Ticket, Waiters},
};
use crate::runtime::{Timer, now, sync::lock};

/// A handle with which to stop the work that [runs](Self::run) inside it, from any thread. Cheap to clone.
///
/// There are two stages. [`close`](Self::close) *asks*: whoever watches [`closing`](Self::closing) can finish in good order.
/// [`cancel`](Self::cancel) does not ask: the work is dropped. Both reach every [`child`](Self::child) scope, and none above.
///
/// ```
/// use std::time::Duration;
/// use wscope::{CancelScope, scope::Join};
///
/// wscope::run(async {
///     let scope = CancelScope::new();
///     let server = scope.run(async {
///         scope.closing().await; // serve until asked to stop
///         "in good order"
///     });
///     let shutdown = async { scope.close_within(Duration::from_secs(5)) };
///     assert_eq!((server, shutdown).join().await.0, Ok("in good order"));
/// });
/// ```
#[derive(Clone, Default)]
pub struct CancelScope {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// Keeps the chain upwards alive, and with it the links downwards that lead through it.
    parent: Option<CancelScope>,
}

#[derive(Default)]
struct State {
    stage: Stage,
    /// Of this scope alone.
    deadline: Option<Instant>,
    watchers: Waiters,
    children: Vec<Weak<Inner>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
enum Stage {
    #[default]
    Open,
    Closing,
    Cancelled,
}

impl CancelScope {
    /// A scope of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A scope that is closed or cancelled along with this one, and not the other way round.
    #[must_use]
    pub fn child(&self) -> Self {
        let mut state = lock(&self.inner.state);
        let child = Self {
            inner: Arc::new(Inner {
                state: Mutex::new(State { stage: state.stage, ..State::default() }),
                parent: Some(self.clone()),
            }),
        };
        if state.children.len() == state.children.capacity() {
            state.children.retain(|child| child.strong_count() > 0);
            let left = state.children.len();
            state.children.reserve(left); // or the next sweep would come too soon
        }
        state.children.push(Arc::downgrade(&child.inner));
        child
    }

    /// Asks the work in this scope to come to an end.
    pub fn close(&self) {
        self.inner.advance(Stage::Closing);
    }

    /// Asks the work in this scope to come to an end, and cancels it if it takes longer than `grace`. A deadline that comes
    /// sooner stays.
    pub fn close_within(&self, grace: Duration) {
        if let Some(by) = now().checked_add(grace) {
            self.inner.move_deadline(|deadline| Some(deadline.map_or(by, |deadline| deadline.min(by))));
        }
        self.close();
    }

    /// Drops the work in this scope.
    pub fn cancel(&self) {
        self.inner.advance(Stage::Cancelled);
    }

    /// Whether the scope has been asked to close, or is cancelled.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.reached(Stage::Closing)
    }

    /// Whether the scope is cancelled, be it because its deadline has passed.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.reached(Stage::Cancelled)
    }

    /// Waits until the scope is asked to close, or is cancelled. Cancel-safe.
    pub async fn closing(&self) {
        Reached { watch: Watch::of(self), stage: Stage::Closing }.await;
    }

    /// Waits until the scope is cancelled. Cancel-safe.
    pub async fn cancelled(&self) {
        Reached { watch: Watch::of(self), stage: Stage::Cancelled }.await;
    }

    /// When the scope will be cancelled by itself: the nearest deadline, of its own or of a scope above.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.chain().filter_map(|scope| lock(&scope.inner.state).deadline).min()
    }

    /// Moves the deadline of this scope, for work that is running in it too. What is cancelled stays cancelled.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wscope::{CancelScope, Cancelled, runtime::now};
    ///
    /// wscope::run(async {
    ///     let scope = CancelScope::new();
    ///     scope.set_deadline(Some(now() + Duration::from_millis(1)));
    ///     assert_eq!(scope.run(std::future::pending::<()>()).await, Err(Cancelled));
    /// });
    /// ```
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.inner.move_deadline(|_| deadline);
    }

    /// Runs `work` until it finishes, or until this scope is cancelled and `work` is dropped. In a scope that is cancelled
    /// already, `work` is not polled at all.
    ///
    /// `work` has been dropped before this returns. Cancel-safe if `work` is.
    ///
    /// # Errors
    ///
    /// [`Cancelled`], when the scope was.
    pub fn run<F: Future>(&self, work: F) -> impl Future<Output = Result<F::Output, Cancelled>> {
        Run { watch: Watch::of(self), work: Some(work) }
    }

    fn reached(&self, stage: Stage) -> bool {
        match self.deadline() {
            Some(deadline) if deadline <= now() => self.expire(deadline),
            Some(_) | None => {}
        }
        lock(&self.inner.state).stage >= stage
    }

    /// Cancels every scope from here up whose deadline is not later than `time`.
    fn expire(&self, time: Instant) {
        for scope in self.chain() {
            let deadline = lock(&scope.inner.state).deadline;
            if deadline.is_some_and(|deadline| deadline <= time) {
                scope.cancel();
            }
        }
    }

    /// This scope and those above it.
    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |scope| scope.inner.parent.as_ref())
    }
}

impl Inner {
    fn advance(self: &Arc<Self>, stage: Stage) {
        self.descend(|state| {
            let below = state.stage < stage;
            if below {
                state.stage = stage;
            }
            below
        });
    }

    fn move_deadline(self: &Arc<Self>, to: impl FnOnce(Option<Instant>) -> Option<Instant>) {
        {
            let mut state = lock(&self.state);
            state.deadline = to(state.deadline);
        }
        self.descend(|_| true); // whoever watches a scope further down arms its timer for this one too
    }

    /// Wakes whoever watches this scope or one below, as far down as `visit` says.
    fn descend(self: &Arc<Self>, visit: impl Fn(&mut State) -> bool) {
        let mut todo = vec![self.clone()];
        while let Some(scope) = todo.pop() {
            let woken = {
                let mut state = lock(&scope.state);
                if !visit(&mut state) {
                    continue;
                }
                todo.extend(state.children.iter().filter_map(Weak::upgrade));
                state.watchers.take()
            };
            woken.wake();
        }
    }
}

impl Drop for Inner {
    /// One after the other: a long chain would else be dropped recursively, and a stack is short.
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(scope) = parent {
            parent = Arc::into_inner(scope.inner).and_then(|mut inner| inner.parent.take());
        }
    }
}

/// Somebody who waits for a scope to change. Leaves no waker behind.
struct Watch {
    scope: CancelScope,
    ticket: Option<Ticket>,
    alarm: Option<Alarm>,
}

struct Alarm {
    at: Instant,
    timer: Timer,
}

impl Watch {
    fn of(scope: &CancelScope) -> Self {
        Self { scope: scope.clone(), ticket: None, alarm: None }
    }

    /// How far the scope has come; the task is woken when it goes further.
    fn stage(&mut self, cx: &Context<'_>) -> Stage {
        let waker = cx.waker().clone();
        let (stage, _replaced) = {
            let mut state = lock(&self.scope.inner.state);
            if state.stage == Stage::Cancelled {
                return Stage::Cancelled;
            }
            (state.stage, state.watchers.sign_in(&mut self.ticket, waker))
        };
        stage
    }

    /// Ready, and the scope cancelled, when a deadline has passed; else the task is woken when one does.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(deadline) = self.scope.deadline() {
            let alarm = self.alarm.get_or_insert_with(|| Alarm { at: deadline, timer: Timer::at(deadline) });
            if alarm.at != deadline {
                alarm.at = deadline;
                alarm.timer.reset(deadline);
            }
            ready!(alarm.timer.poll(cx));
            self.scope.expire(deadline);
            if lock(&self.scope.inner.state).stage == Stage::Cancelled {
                return Poll::Ready(());
            } // uncovered: else it has been moved in this very moment, by another thread
        }
        self.alarm = None;
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let _waker = lock(&self.scope.inner.state).watchers.sign_off(ticket);
        }
    }
}

/// Waits for a scope to come as far as `stage`.
struct Reached {
    watch: Watch,
    stage: Stage,
}

impl Future for Reached {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.watch.stage(cx) >= this.stage {
            return Poll::Ready(());
        }
        this.watch.poll_deadline(cx)
    }
}

pin_project! {
    /// Work in a scope. It is gone once this is ready.
    struct Run<F> {
        watch: Watch,
        #[pin]
        work: Option<F>,
    }
}

impl<F: Future> Future for Run<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.watch.stage(cx) == Stage::Cancelled {
            this.work.set(None);
            return Poll::Ready(Err(Cancelled));
        }
        let polled = this.work.as_mut().as_pin_mut().map_or(Poll::Pending, |work| work.poll(cx));
        let outcome = match polled {
            Poll::Ready(output) => Ok(output),
            Poll::Pending if this.watch.poll_deadline(cx).is_ready() => Err(Cancelled),
            Poll::Pending => return Poll::Pending,
        };
        this.work.set(None);
        Poll::Ready(outcome)
    }
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.inner.state);
        f.debug_struct("CancelScope")
            .field("stage", &state.stage)
            .field("deadline", &state.deadline)
            .field("watchers", &state.watchers.len())
            .finish()
    }
}
