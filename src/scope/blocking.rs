//! Work that blocks its thread: waited for, never stopped half-way.
//!
//! A thread cannot be stopped from outside. So a nursery that must end while such work is under way does the only thing that
//! keeps its promise: it waits. The wait is handed to the nursery as a clean-up without a limit; so a nursery that fails waits
//! itself, and of one that is dropped the nursery around it waits instead.

use std::{
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    thread,
};

use super::contain::discard;
use crate::runtime::{
    Adoption, Ambient, BoxFuture, current, enter,
    sync::{lock, poll_locked},
};

/// Runs `work`, which may block, on a thread that may be blocked.
///
/// It starts when it is first polled, and its panics reach whoever awaits it. Dropping it stops work that has not begun; of work
/// under way, the innermost running nursery waits for the end, without a limit, and drops what it returns. So a timeout around it
/// returns in time, and the nursery around that does not return before the work does. Without any nursery the thread is left to
/// itself.
///
/// What `work` drops on its thread may still [`defer`](super::defer) clean-up to the nursery.
///
/// ```
/// let text = wscope::run(wscope::blocking(|| std::fs::read_to_string("Cargo.toml")));
/// assert!(text.unwrap().contains("wscope"));
/// ```
pub fn blocking<T, F>(work: F) -> Blocking<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Blocking {
        call: Arc::new(Mutex::new(Call { state: State::Waiting(Box::new(work)), waker: None })),
        launched: false,
    }
}

/// The future of [`blocking`].
#[must_use = "futures do nothing unless polled"]
pub struct Blocking<T: Send + 'static> {
    call: Arc<Mutex<Call<T>>>,
    launched: bool,
}

struct Call<T> {
    state: State<T>,
    /// Of the task that waits for the end.
    waker: Option<Waker>,
}

enum State<T> {
    /// No thread has begun with it.
    Waiting(Box<dyn FnOnce() -> T + Send>),
    Running,
    Done(thread::Result<T>),
    Gone,
}

impl<T: Send + 'static> Future for Blocking<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let polled = poll_end(&self.call, cx);
        if !mem::replace(&mut self.launched, true) {
            let (call, ambient) = (self.call.clone(), current(Ambient::clone));
            let runtime = ambient.runtime.clone();
            runtime.unblock(Box::new(move || run(&call, ambient)));
        }
        polled.map(|outcome| outcome.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl<T: Send + 'static> Drop for Blocking<T> {
    fn drop(&mut self) {
        let state = {
            let mut call = lock(&self.call);
            match &call.state {
                State::Running => None,
                State::Waiting(_) | State::Done(_) | State::Gone => {
                    Some(mem::replace(&mut call.state, State::Gone))
                }
            }
        };
        match state {
            Some(state) => discard(state),
            None => {
                if let Some(sink) = current(|ambient| ambient.sink.clone()) {
                    drop(sink.adopt(Rest(self.call.clone())));
                }
            }
        }
    }
}

/// What is left of a call that nobody awaits any more.
struct Rest<T>(Arc<Mutex<Call<T>>>);

impl<T: Send + 'static> Adoption for Rest<T> {
    fn boxed(self) -> BoxFuture<'static, ()> {
        Box::pin(self)
    }
}

impl<T> Future for Rest<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        poll_end(&self.0, cx).map(|outcome| match outcome {
            Ok(value) => drop(value),
            Err(panic) => resume_unwind(panic), // a child's panic reaches its nursery, late as it may come
        })
    }
}

fn poll_end<T>(call: &Mutex<Call<T>>, cx: &mut Context<'_>) -> Poll<thread::Result<T>> {
    let look = |call: &mut Call<T>| match mem::replace(&mut call.state, State::Gone) {
        State::Done(outcome) => Some(outcome),
        other @ (State::Waiting(_) | State::Running | State::Gone) => {
            call.state = other;
            None
        }
    };
    poll_locked(call, cx, look, |call| &mut call.waker)
}

/// On a thread that may block.
fn run<T>(call: &Mutex<Call<T>>, ambient: Ambient) {
    let work = {
        let mut call = lock(call);
        match mem::replace(&mut call.state, State::Running) {
            State::Waiting(work) => work,
            other @ (State::Running | State::Done(_) | State::Gone) => {
                call.state = other; // stopped before it began
                return;
            }
        }
    };
    let outcome = {
        let _entered = enter(Arc::new(ambient));
        catch_unwind(AssertUnwindSafe(work))
    };
    let waker = {
        let mut call = lock(call);
        call.state = State::Done(outcome);
        call.waker.take()
    };
    waker.into_iter().for_each(Waker::wake);
}

impl<T: Send + 'static> fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").field("launched", &self.launched).finish_non_exhaustive()
    }
}
