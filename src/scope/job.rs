//! A future on the executor that still belongs to whoever started it. The only file of this layer that spawns.
//!
//! The executor gets one end of a [`Job`], the owner keeps the other. Stopping needs no progress of the executor: whoever stops
//! takes the future out of its [`Slot`] and destroys it there and then; only a poll in flight on another thread is waited for.
//!
//! Order of a poll that is the last one: the future is destroyed, its outcome is delivered, the slot is `Gone`. So whoever
//! finds an outcome knows that the future is gone, and whoever finds `Gone` knows that nothing of the child is left.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use super::{
    contain::{contain, discard},
    slot::{Slot, Stopped},
};
use crate::runtime::{Ambient, BoxFuture, Runtime, Surrounded, Task, Work, sync::Patience};

/// How long stopping waits for polls in flight on other threads: one that is blocked on a lock held by the stopping thread
/// would else hang both.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Job<T, R> {
    slot: Slot<BoxFuture<'static, T>>,
    report: R,
    ended: AtomicBool,
}

/// Who wants to know how a job ended.
pub(super) trait Report<T>: Send + Sync + 'static {
    /// What is in force while the job is polled.
    fn ambient(&self) -> &Ambient;

    /// Takes the outcome. Must not panic, and must not keep the outcome where nobody will look for it.
    fn finished(&self, outcome: thread::Result<T>);
}

/// What owners of jobs of various types do with them.
pub(super) trait Launch: Send + Sync {
    fn launch(self: Arc<Self>, runtime: &Runtime);

    /// Destroys the future now; if another thread is polling it, [`wait`](Self::wait) says when that thread has.
    fn stop(&self) -> InFlight;

    fn wait(&self, patience: &Patience);

    /// Whether nothing is left of its future and its outcome.
    fn has_ended(&self) -> bool;
}

/// Whether a poll was in flight when the job was stopped.
pub(super) type InFlight = bool;

impl<T: Send + 'static, R: Report<T>> Job<T, R> {
    pub(super) fn new(future: BoxFuture<'static, T>, report: R) -> Self {
        Self { slot: Slot::new(future), report, ended: AtomicBool::new(false) }
    }

    pub(super) fn report(&self) -> &R {
        &self.report
    }
}

impl<T: Send + 'static, R: Report<T>> Surrounded for Job<T, R> {
    fn ambient(&self) -> &Ambient {
        self.report.ambient()
    }
}

impl<T: Send + 'static, R: Report<T>> Launch for Job<T, R> {
    fn launch(self: Arc<Self>, runtime: &Runtime) {
        runtime.spawn(Task::new(self));
    }

    fn stop(&self) -> InFlight {
        match self.slot.stop() {
            Stopped::Idle(future, waker) => {
                discard(future);
                waker.into_iter().for_each(Waker::wake); // the executor's task finds an empty slot, and ends
                false
            }
            Stopped::InFlight => true,
            Stopped::Nothing => false,
        }
    }

    fn wait(&self, patience: &Patience) {
        self.slot.wait(patience);
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }
}

impl<T: Send + 'static, R: Report<T>> Work for Job<T, R> {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((mut future, waker)) = self.slot.begin() else { return Poll::Ready(()) };
        let outcome = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => {
                let known = waker.filter(|waker| waker.will_wake(cx.waker()));
                match self.slot.suspend(future, known.unwrap_or_else(|| cx.waker().clone())) {
                    Ok(()) => return Poll::Pending,
                    Err(stopped) => future = stopped,
                }
                None
            }
            Ok(Poll::Ready(value)) => Some(Ok(value)),
            Err(panic) => Some(Err(panic)),
        };
        let destroyed = contain(|| drop(future));
        match (outcome, destroyed) {
            (None, destroyed) => discard(destroyed), // stopped: nobody waits for it
            (Some(Ok(value)), Err(panic)) => {
                discard(value); // a destructor that runs because its child is done is part of the child
                self.report.finished(Err(panic));
            }
            (Some(outcome), destroyed) => {
                discard(destroyed);
                self.report.finished(outcome);
            }
        }
        self.slot.finish();
        self.ended.store(true, Relaxed);
        Poll::Ready(())
    }
}
