//! Who polls tasks and who runs blocking work: the [`Executor`], and with the [`Clock`] beside it the [`Runtime`].

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{Clock, Surrounded, Timer, async_std, enter, timer};

/// A future whose type does not matter.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Polls tasks on some thread, and runs blocking work where it holds nobody up.
///
/// [`Runtime::new`] has an example.
pub trait Executor: Send + Sync + 'static {
    /// Polls `task` soon, and again each time its waker is woken, until it is ready.
    ///
    /// Not on the caller's stack: the caller may hold locks of its own.
    fn spawn(&self, task: Task);

    /// Runs `work` on a thread that may block.
    fn unblock(&self, work: Box<dyn FnOnce() + Send>);
}

/// What an [`Executor`] is given to poll. It is ready when there is nothing left to do, which may be sooner than it thinks:
/// the owner of a task can empty it from outside.
#[must_use = "a task does nothing unless it is polled"]
pub struct Task(Arc<dyn Work>);

impl Task {
    pub(crate) fn new(work: Arc<dyn Work>) -> Self {
        Self(work)
    }
}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let _entered = enter(self.0.clone());
        self.0.poll(cx)
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

/// A task that is shared between the executor, who polls it, and its owner.
pub(crate) trait Work: Surrounded {
    /// Goes on with it, in its ambient. Never panics.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()>;
}

/// An executor and a clock. The default is async-std on the system's clock.
///
/// A runtime is brought by [`scope::root`](crate::scope::root) and inherited by every nursery below. [`new`](Self::new) has an example of
/// one of your own.
#[derive(Clone, Default)]
pub struct Runtime(Option<Arc<Parts>>);

struct Parts {
    executor: Box<dyn Executor>,
    clock: Box<dyn Clock>,
}

impl Runtime {
    pub(super) const ASYNC_STD: Self = Self(None);

    /// A runtime of your own making.
    ///
    /// ```
    /// use wscope::runtime::{Alarm, Clock, Executor, Runtime, Task, Timer};
    /// use std::{task::{Context, Poll}, time::Instant};
    ///
    /// /// One thread for each task: wasteful, but an executor.
    /// struct Threads;
    ///
    /// impl Executor for Threads {
    ///     fn spawn(&self, task: Task) {
    ///         std::thread::spawn(|| wscope::runtime::block_on(task));
    ///     }
    ///     fn unblock(&self, work: Box<dyn FnOnce() + Send>) {
    ///         std::thread::spawn(work);
    ///     }
    /// }
    ///
    /// struct System;
    ///
    /// impl Clock for System {
    ///     fn now(&self) -> Instant {
    ///         Instant::now()
    ///     }
    ///     fn alarm(&self, at: Instant) -> Box<dyn Alarm> {
    ///         Box::new(SystemAlarm(Timer::at(at)))
    ///     }
    /// }
    ///
    /// struct SystemAlarm(Timer);
    ///
    /// impl Alarm for SystemAlarm {
    ///     fn reset(&mut self, at: Instant) {
    ///         self.0.reset(at);
    ///     }
    ///     fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
    ///         self.0.poll(cx)
    ///     }
    /// }
    ///
    /// let runtime = Runtime::new(Threads, System);
    /// let sum = wscope::runtime::block_on(wscope::scope::root(runtime, async {
    ///     wscope::parallel(async { 1 + 1 }).await
    /// }));
    /// assert_eq!(sum, 2);
    /// ```
    pub fn new(executor: impl Executor, clock: impl Clock) -> Self {
        Self(Some(Arc::new(Parts { executor: Box::new(executor), clock: Box::new(clock) })))
    }

    pub(crate) fn spawn(&self, task: Task) {
        match &self.0 {
            Some(parts) => parts.executor.spawn(task),
            None => async_std::spawn(task),
        }
    }

    pub(crate) fn unblock(&self, work: Box<dyn FnOnce() + Send>) {
        match &self.0 {
            Some(parts) => parts.executor.unblock(work),
            None => async_std::unblock(work),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        match &self.0 {
            Some(parts) => parts.clock.now(),
            None => async_std::now(),
        }
    }

    pub(crate) fn unix_time(&self) -> Duration {
        match &self.0 {
            Some(parts) => parts.clock.unix_time(),
            None => async_std::unix_time(),
        }
    }

    pub(crate) fn timer(&self, deadline: Instant) -> Timer {
        Timer::of(match &self.0 {
            Some(parts) => timer::Kind::Other(parts.clock.alarm(deadline)),
            None => timer::Kind::System(async_std::Timer::at(deadline)),
        })
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runtime").field(&self.0.as_ref().map_or("async-std", |_| "brought along")).finish()
    }
}
