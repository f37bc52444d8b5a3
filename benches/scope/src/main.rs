//! What a child costs: to start and finish, to wake among many, and in memory. Nurseries of wscope beside what else there is, in
//! one run on the same machine.
//!
//! `cargo run --release` here. Two worker threads everywhere; the comparisons are of the best of many rounds, taken in turn.

mod measure;
mod memory;

use std::{
    future::{pending, poll_fn},
    hint::black_box,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use async_executors::AsyncStd;
use async_nursery::NurseExt;
use futures::{
    StreamExt,
    future::BoxFuture,
    stream::{FuturesUnordered, Stream},
};
use measure::{Contestant, Spent, race, report, spend};
use tokio::{runtime::Runtime, task::JoinSet};
use tokio_util::task::TaskTracker;
use wscope::{Nursery, nursery};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

type Outcome = Result<(), u64>;

/// What every child does: something, but nothing worth mentioning.
async fn child(i: usize) -> Outcome {
    if black_box(i) == usize::MAX { Err(1) } else { Ok(()) }
}

fn main() {
    // SAFETY: nothing else runs yet.
    unsafe { std::env::set_var("ASYNC_STD_THREAD_COUNT", "2") };
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    println!("nanoseconds per child, or per wake-up; bytes per child");
    for (count, rounds) in [(100, 2000), (1_000, 400), (10_000, 40), (100_000, 10)] {
        in_task(count, rounds);
        on_pool(count, rounds, &tokio);
    }
    for count in [100, 1_000, 10_000, 100_000] {
        wake(count, 0, "always of the same");
        wake(count, 7919, "each time of another");
    }
    memory(&tokio);
}

fn in_task(count: usize, rounds: usize) {
    let mut contestants = [
        Contestant::timed("FuturesUnordered", |count| {
            async_std::task::block_on(async {
                let mut set = FuturesUnordered::<BoxFuture<'_, Outcome>>::new();
                for i in 0..count {
                    set.push(Box::pin(child(i)));
                }
                while let Some(outcome) = set.next().await {
                    outcome.unwrap();
                }
            });
        }),
        Contestant::timed("wscope start_soon", |count| {
            async_std::task::block_on(nursery(async |n: Nursery<'_, u64>| {
                for i in 0..count {
                    n.start_soon(child(i));
                }
                Ok(())
            }))
            .unwrap();
        }),
        Contestant::timed("moro-local", |count| {
            async_std::task::block_on(async {
                let scope = moro_local::async_scope!(|scope| {
                    for i in 0..count {
                        scope.spawn(async move { child(i).await.unwrap() });
                    }
                    Ok::<(), u64>(())
                });
                scope.await.unwrap();
            });
        }),
    ];
    let figures = race(&mut contestants, count, count, rounds);
    report(&format!("start and finish, in one task, {count} children"), &figures, "FuturesUnordered");
}

fn on_pool(count: usize, rounds: usize, tokio: &Runtime) {
    let mut contestants = [
        Contestant::timed("TaskTracker", |count| {
            tokio.block_on(async {
                let tracker = TaskTracker::new();
                for i in 0..count {
                    drop(tracker.spawn(child(i)));
                }
                tracker.close();
                tracker.wait().await;
            });
        }),
        Contestant::timed("JoinSet", |count| {
            tokio.block_on(async {
                let mut set = JoinSet::new();
                for i in 0..count {
                    set.spawn(child(i));
                }
                while let Some(outcome) = set.join_next().await {
                    outcome.unwrap().unwrap();
                }
            });
        }),
        Contestant::timed("async-std spawn and join", |count| {
            async_std::task::block_on(async {
                let tasks: Vec<_> = (0..count).map(|i| async_std::task::spawn(child(i))).collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
        }),
        Contestant::timed("async_nursery", |count| {
            async_std::task::block_on(async {
                let (nursery, output) = async_nursery::Nursery::new(AsyncStd);
                for i in 0..count {
                    nursery.nurse(async move { child(i).await.unwrap() }).unwrap();
                }
                drop(nursery);
                output.await;
            });
        }),
        Contestant::timed("wscope spawn", |count| {
            async_std::task::block_on(nursery(async |n: Nursery<'_, u64>| {
                for i in 0..count {
                    n.spawn(child(i));
                }
                Ok(())
            }))
            .unwrap();
        }),
        Contestant::timed("wscope start_soon(parallel)", |count| {
            async_std::task::block_on(nursery(async |n: Nursery<'_, u64>| {
                for i in 0..count {
                    n.start_soon(wscope::parallel(child(i)));
                }
                Ok(())
            }))
            .unwrap();
        }),
    ];
    let figures = race(&mut contestants, count, count, rounds);
    report(&format!("start and finish, on two threads, {count} children"), &figures, "TaskTracker");
}

/// Where parked children leave their wakers.
type Wakers = Arc<Mutex<Vec<Waker>>>;

/// A child that leaves its waker at its first poll, and is never ready.
fn parked(wakers: &Wakers) -> impl Future<Output = Outcome> + Send + use<> {
    let wakers = wakers.clone();
    let mut left = false;
    poll_fn(move |cx| {
        if !left {
            wakers.lock().unwrap().push(cx.waker().clone());
            left = true;
        }
        Poll::Pending
    })
}

/// Polls until all children are parked, then wakes one after the other and lets it be polled.
fn wake_all(count: usize, stride: usize, wakers: &Wakers, mut poll: impl FnMut(&mut Context<'_>)) -> Spent {
    let mut cx = Context::from_waker(Waker::noop());
    while wakers.lock().unwrap().len() < count {
        poll(&mut cx);
    }
    let wakers = std::mem::take(&mut *wakers.lock().unwrap());
    spend(|| {
        for i in 0..WAKES {
            wakers[i * stride % count].wake_by_ref();
            poll(&mut cx);
        }
    })
}

const WAKES: usize = 50_000;

/// `stride`: how far apart in the order of their starts those are who are woken one after the other.
fn wake(count: usize, stride: usize, who: &str) {
    let mut contestants = [
        Contestant::new("FuturesUnordered", |count| {
            let wakers = Wakers::default();
            let mut set = FuturesUnordered::<BoxFuture<'_, Outcome>>::new();
            for _ in 0..count {
                set.push(Box::pin(parked(&wakers)));
            }
            wake_all(count, stride, &wakers, |cx| assert!(Pin::new(&mut set).poll_next(cx).is_pending()))
        }),
        Contestant::new("wscope nursery", |count| {
            let wakers = Wakers::default();
            let mut future = Box::pin(nursery(async |n: Nursery<'_, u64>| {
                for _ in 0..count {
                    n.start_soon(parked(&wakers));
                }
                pending::<Outcome>().await
            }));
            wake_all(count, stride, &wakers, |cx| assert!(future.as_mut().poll(cx).is_pending()))
        }),
    ];
    let figures = race(&mut contestants, count, WAKES, 15);
    report(&format!("one wake-up among {count} parked children, {who}"), &figures, "FuturesUnordered");
}

const PARKED: usize = 100_000;

/// Waits until `PARKED` children are parked, and says what each has cost beside its own future.
fn weigh(name: &str, wakers: &Wakers, before: (isize, usize)) {
    while wakers.lock().unwrap().len() < PARKED {
        std::thread::yield_now();
    }
    let own = size_of_val(&parked(wakers)) as f64;
    let bytes = (memory::live() - before.0) as f64 / PARKED as f64 - own;
    let allocations = (memory::allocations() - before.1) as f64 / PARKED as f64;
    println!("  {name:<34} {bytes:>6.1} bytes   {allocations:.2} allocations");
}

fn parking() -> (Wakers, (isize, usize)) {
    let wakers = Wakers::default();
    wakers.lock().unwrap().reserve_exact(PARKED);
    let before = (memory::live(), memory::allocations());
    (wakers, before)
}

fn memory(tokio: &Runtime) {
    println!("\nmemory of a parked child beside its own future, {PARKED} children");
    let (wakers, before) = parking();
    let mut set = FuturesUnordered::<BoxFuture<'_, Outcome>>::new();
    (0..PARKED).for_each(|_| set.push(Box::pin(parked(&wakers))));
    while wakers.lock().unwrap().len() < PARKED {
        assert!(Pin::new(&mut set).poll_next(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    weigh("FuturesUnordered", &wakers, before);
    drop(set);

    for on_pool in [false, true] {
        let (wakers, before) = parking();
        let mut future = Box::pin(nursery(async |n: Nursery<'_, u64>| {
            for _ in 0..PARKED {
                if on_pool { n.spawn(parked(&wakers)) } else { n.start_soon(parked(&wakers)) }
            }
            pending::<Outcome>().await
        }));
        loop {
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            if on_pool || wakers.lock().unwrap().len() == PARKED {
                break;
            }
        }
        weigh(if on_pool { "wscope spawn" } else { "wscope start_soon" }, &wakers, before);
    }

    let (wakers, before) = parking();
    let tracker = TaskTracker::new();
    let _inside = tokio.enter();
    let tasks: Vec<_> = (0..PARKED).map(|_| tracker.spawn(parked(&wakers)).abort_handle()).collect();
    weigh("TaskTracker (with abort handles)", &wakers, before);
    tasks.into_iter().for_each(|task| task.abort());

    let (wakers, before) = parking();
    let mut set = JoinSet::new();
    (0..PARKED).for_each(|_| drop(set.spawn(parked(&wakers))));
    weigh("JoinSet", &wakers, before);
    drop(set);

    let (wakers, before) = parking();
    let tasks: Vec<_> = (0..PARKED).map(|_| async_std::task::spawn(parked(&wakers))).collect();
    weigh("async-std spawn (with join handles)", &wakers, before);
    drop(tasks);
}
