//! A future on the executor that behaves like a plain one.

use std::{
    fmt,
    panic::resume_unwind,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    thread,
};

use futures::task::AtomicWaker;

use super::{
    contain::discard,
    job::{Job, Launch, PATIENCE, Report},
};
use crate::runtime::{
    Ambient, BoxFuture, current,
    sync::{Patience, lock},
};

/// Runs `future` on the executor, in parallel with whoever awaits the result.
///
/// It behaves like `future` itself in every other respect: it starts when it is first polled, its panics reach whoever awaits
/// it, and dropping it *stops it now*: when the drop returns, `future` has been destroyed, even if it was running on another
/// thread. (A poll in flight is waited for, at most one second; one that takes longer is the last.)
///
/// ```
/// wscope::run(async {
///     let here = std::thread::current().id();
///     let there = wscope::parallel(async { std::thread::current().id() }).await;
///     assert_ne!(here, there);
/// });
/// ```
pub fn parallel<F>(future: F) -> Parallel<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    Parallel { stage: Stage::Waiting(Box::pin(future)) }
}

/// The future of [`parallel`].
#[must_use = "futures do nothing unless polled"]
pub struct Parallel<T: Send + 'static> {
    stage: Stage<T>,
}

enum Stage<T: Send + 'static> {
    /// Until the first poll, when the executor in force is known.
    Waiting(BoxFuture<'static, T>),
    Running(Arc<Job<T, Receipt<T>>>),
    Done,
}

impl<T: Send + 'static> Future for Parallel<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let job = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Waiting(future) => {
                let receipt = Receipt::new(current(Ambient::clone));
                receipt.waker.register(cx.waker());
                let runtime = receipt.ambient.runtime.clone();
                let job = Arc::new(Job::new(future, receipt));
                self.stage = Stage::Running(job.clone());
                job.launch(&runtime);
                return Poll::Pending;
            }
            Stage::Running(job) => job,
            // Nobody polls a future again that was ready: that is the contract of `Future`.
            Stage::Done => panic!("`Parallel` was polled after it had finished"),
        };
        let receipt = job.report();
        receipt.waker.register(cx.waker());
        let outcome = lock(&receipt.outcome).take();
        match outcome {
            Some(Ok(value)) => Poll::Ready(value),
            Some(Err(panic)) => resume_unwind(panic),
            None => {
                self.stage = Stage::Running(job);
                Poll::Pending
            }
        }
    }
}

impl<T: Send + 'static> Drop for Parallel<T> {
    fn drop(&mut self) {
        let Stage::Running(job) = &self.stage else { return };
        if job.stop() {
            job.wait(&Patience::of(PATIENCE));
        }
        let outcome = lock(&job.report().outcome).take();
        discard(outcome); // it came, and nobody fetched it
    }
}

/// Where a [`Parallel`] finds its outcome.
struct Receipt<T> {
    outcome: Mutex<Option<thread::Result<T>>>,
    waker: AtomicWaker,
    ambient: Ambient,
}

impl<T> Receipt<T> {
    fn new(ambient: Ambient) -> Self {
        Self { outcome: Mutex::new(None), waker: AtomicWaker::new(), ambient }
    }
}

impl<T: Send + 'static> Report<T> for Receipt<T> {
    fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    fn finished(&self, outcome: thread::Result<T>) {
        *lock(&self.outcome) = Some(outcome);
        self.waker.wake();
    }
}

impl<T: Send + 'static> fmt::Debug for Parallel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Waiting(_) => "waiting",
            Stage::Running(_) => "running",
            Stage::Done => "done",
        };
        f.debug_struct("Parallel").field("stage", &stage).finish_non_exhaustive()
    }
}
