//! The layer `scope`, used from outside. Files are named after those of `src/scope`; `ways_out`, `adversary`, `load` and `storm`
//! test what only all of them together can promise.
//!
//! No test waits for time to pass: time is virtual, or tasks give way to each other until something has happened.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod adversary;
mod blocking;
mod cancel;
mod child;
mod cleanup;
mod contain;
mod error;
mod future;
mod load;
mod named;
mod nursery;
mod parallel;
mod pool;
mod root;
mod send;
mod start;
mod statistics;
mod storm;
mod timeout;
mod ways_out;

use std::{
    future::{pending, poll_fn},
    sync::{Arc, Condvar, Mutex, Once},
    task::Poll,
    time::Duration,
};

use wscope::{Cancelled, Nursery, TooSlow, testing::Simulation};

/// An error of the tests' own.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Boom {
    #[error("boom {0}")]
    No(u32),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error(transparent)]
    TooSlow(#[from] TooSlow),
}

const SECOND: Duration = Duration::from_secs(1);

async fn forever<T>() -> T {
    pending().await
}

/// Gives way to every other task, so many times.
async fn turns(count: u32) {
    for _ in 0..count {
        let mut given_way = false;
        poll_fn(|cx| {
            if given_way {
                return Poll::Ready(());
            }
            given_way = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// Gives way until `condition` holds.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        turns(1).await;
    }
}

/// Starts a child on the executor, or in the nursery's own task.
fn start_on<E: Send + 'static>(
    n: &Nursery<'_, E>,
    pool: bool,
    child: impl Future<Output = Result<(), E>> + Send + 'static,
) {
    if pool { n.spawn(child) } else { n.start_soon(child) }
}

/// Runs `test` in virtual time, in ten orders, and on the thread pool.
fn everywhere(test: impl AsyncFn()) {
    Simulation::new().run(test());
    for seed in 0..9 {
        Simulation::seed(seed).run(test());
    }
    wscope::run(test());
}

/// Panics that a test expects are not printed.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.payload().downcast_ref::<&str>().copied();
            let text = text.or_else(|| info.payload().downcast_ref::<String>().map(String::as_str));
            let expected = [
                "expected",
                "a child gave back",
                "this nursery has finished",
                "a nursery was polled",
                "`Parallel` was",
            ];
            if !text.is_some_and(|text| expected.iter().any(|start| text.starts_with(start))) {
                loud(info);
            }
        }));
    });
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("expected of a bomb");
    }
}

/// Holds threads up until it is opened. Opens when the last [`Opener`] is gone.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

struct Opener(Gate);

impl Gate {
    fn opener(&self) -> Opener {
        Opener(self.clone())
    }

    fn wait(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        *self.0.0.0.lock().unwrap() = true;
        self.0.0.1.notify_all();
    }
}
