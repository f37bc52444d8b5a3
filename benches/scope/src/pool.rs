//! Children on an executor: async-std's for us and async_nursery, tokio's for the others, and ours on tokio's as well. Each
//! executor has as many threads as the machine has processors; whoever starts the children is on none of them.

use std::{
    any::Any,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
    time::Instant,
};

use async_executors::AsyncStd;
use async_nursery::NurseExt;
use futures::FutureExt;
use tokio::{runtime::Handle, task::JoinSet};
use tokio_util::task::TaskTracker;
use wscope::{
    Nursery, nursery,
    runtime::{Alarm, Clock, Executor, Runtime, Task, Timer, block_on},
    scope::root,
};

use crate::{
    BURST, Contender, Keeper, Step,
    child::{Bells, Child, Outcome, Parked, Weight, ready},
};

pub const START: [Contender; 6] = [
    ("wscope", start_wscope),
    ("TaskTracker", start_tracker),
    ("JoinSet", start_join_set),
    ("async_nursery", start_async_nursery),
    ("wscope on tokio", start_wscope_on_tokio),
    ("async-std alone", start_async_std),
];
pub const WAKE: [Contender; 6] = [
    ("wscope", |count| wake(count, |bells| keep_wscope(count, parked(bells)))),
    ("TaskTracker", |count| wake(count, |bells| keep_tracker(count, parked(bells)))),
    ("JoinSet", |count| wake(count, |bells| keep_join_set(count, parked(bells)))),
    ("async_nursery", |count| wake(count, |bells| keep_async_nursery(count, parked(bells)))),
    ("wscope on tokio", |count| wake(count, |bells| keep_wscope_on_tokio(count, parked(bells)))),
    ("async-std alone", |count| wake(count, |bells| keep_async_std(count, parked(bells)))),
];
pub const KEEP: [Keeper; 6] = [
    ("wscope `spawn`", |count| begun(count, || keep_wscope(count, Weight::new))),
    ("TaskTracker", |count| begun(count, || keep_tracker(count, Weight::new))),
    ("JoinSet", |count| begun(count, || keep_join_set(count, Weight::new))),
    ("async_nursery", |count| begun(count, || keep_async_nursery(count, Weight::new))),
    ("wscope `spawn` on tokio", |count| begun(count, || keep_wscope_on_tokio(count, Weight::new))),
    ("async-std alone", |count| begun(count, || keep_async_std(count, Weight::new))),
];

static TOKIO: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().build().expect("threads"));

fn start_wscope(count: usize) -> Step {
    Box::new(move || {
        let all = nursery(async |n: Nursery<'_, ()>| {
            (0..count).for_each(|index| n.spawn(ready(index)));
            Ok(())
        });
        assert_eq!(block_on(all), Ok(()));
    })
}

fn start_wscope_on_tokio(count: usize) -> Step {
    Box::new(move || {
        let all = nursery(async |n: Nursery<'_, ()>| {
            (0..count).for_each(|index| n.spawn(ready(index)));
            Ok(())
        });
        assert_eq!(TOKIO.block_on(root(on_tokio(), all)), Ok(()));
    })
}

fn start_tracker(count: usize) -> Step {
    Box::new(move || {
        TOKIO.block_on(async {
            let all = TaskTracker::new();
            (0..count).for_each(|index| drop(all.spawn(ready(index))));
            all.close();
            all.wait().await;
        });
    })
}

fn start_join_set(count: usize) -> Step {
    Box::new(move || {
        TOKIO.block_on(async {
            let mut all = JoinSet::new();
            (0..count).for_each(|index| drop(all.spawn(ready(index))));
            while let Some(joined) = all.join_next().await {
                assert_eq!(joined.expect("it does not panic"), Ok(()));
            }
        });
    })
}

fn start_async_nursery(count: usize) -> Step {
    Box::new(move || {
        async_std::task::block_on(async {
            let (all, ended) = async_nursery::Nursery::new(AsyncStd);
            (0..count).for_each(|index| all.nurse(ready(index).map(drop::<Outcome>)).expect("it is open"));
            drop(all);
            ended.await;
        });
    })
}

/// What an executor costs without anybody to look after the tasks: the floor.
fn start_async_std(count: usize) -> Step {
    Box::new(move || {
        async_std::task::block_on(async {
            let all: Vec<_> = (0..count).map(|index| async_std::task::spawn(ready(index))).collect();
            for child in all {
                assert_eq!(child.await, Ok(()));
            }
        });
    })
}

/// Wakes [`BURST`] of `count` parked children, and waits until they have been polled.
fn wake(count: usize, keep: impl FnOnce(Arc<Bells>) -> Box<dyn Any>) -> Step {
    let bells = Bells::new(count);
    let mut kept = None;
    bells.poll_after(count, || kept = Some(keep(bells.clone())));
    let mut next = 0;
    Box::new(move || {
        assert!(kept.is_some());
        bells.poll_after(BURST, || {
            for _ in 0..BURST {
                bells.ring(next);
                next = (next + 1) % count;
            }
        });
    })
}

fn parked(bells: Arc<Bells>) -> impl Fn(usize) -> Parked {
    move |index| Parked::new(&bells, index)
}

fn begun(count: usize, keep: impl FnOnce() -> Box<dyn Any>) -> Box<dyn Any> {
    let before = crate::child::polls();
    let kept = keep();
    while crate::child::polls() - before < count {
        std::thread::yield_now();
    }
    kept
}

fn keep_wscope<F: Child>(count: usize, child: impl Fn(usize) -> F + 'static) -> Box<dyn Any> {
    polled(nursery(async move |n: Nursery<'_, ()>| {
        (0..count).for_each(|index| n.spawn(child(index)));
        std::future::pending::<Outcome>().await
    }))
}

fn keep_wscope_on_tokio<F: Child>(count: usize, child: impl Fn(usize) -> F + 'static) -> Box<dyn Any> {
    polled(root(
        on_tokio(),
        nursery(async move |n: Nursery<'_, ()>| {
            (0..count).for_each(|index| n.spawn(child(index)));
            std::future::pending::<Outcome>().await
        }),
    ))
}

fn keep_tracker<F: Child>(count: usize, child: impl Fn(usize) -> F) -> Box<dyn Any> {
    let all = TaskTracker::new();
    (0..count).for_each(|index| drop(all.spawn_on(child(index), TOKIO.handle())));
    Box::new(all)
}

fn keep_join_set<F: Child>(count: usize, child: impl Fn(usize) -> F) -> Box<dyn Any> {
    let mut all = JoinSet::new();
    (0..count).for_each(|index| drop(all.spawn_on(child(index), TOKIO.handle())));
    Box::new(all)
}

fn keep_async_nursery<F: Child>(count: usize, child: impl Fn(usize) -> F) -> Box<dyn Any> {
    let (all, mut ended) = async_nursery::Nursery::new(AsyncStd);
    (0..count).for_each(|index| {
        let child = child(index);
        all.nurse(child.map(drop)).expect("it is open");
    });
    let mut cx = Context::from_waker(Waker::noop());
    assert!(std::pin::Pin::new(&mut ended).poll(&mut cx).is_pending());
    Box::new((all, ended))
}

fn keep_async_std<F: Child>(count: usize, child: impl Fn(usize) -> F) -> Box<dyn Any> {
    let all: Vec<_> = (0..count).map(|index| async_std::task::spawn(child(index))).collect();
    Box::new(all)
}

fn polled<F: Future + 'static>(future: F) -> Box<dyn Any> {
    let mut future = Box::pin(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    Box::new(future)
}

/// Our tasks on tokio's executor. The clock and its alarms are the usual ones.
fn on_tokio() -> Runtime {
    Runtime::new(OnTokio(TOKIO.handle().clone()), System)
}

struct OnTokio(Handle);

impl Executor for OnTokio {
    fn spawn(&self, task: Task) {
        drop(self.0.spawn(task));
    }

    fn unblock(&self, work: Box<dyn FnOnce() + Send>) {
        drop(self.0.spawn_blocking(work));
    }
}

struct System;

impl Clock for System {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn alarm(&self, at: Instant) -> Box<dyn Alarm> {
        Box::new(SystemAlarm(Timer::at(at)))
    }
}

struct SystemAlarm(Timer);

impl Alarm for SystemAlarm {
    fn reset(&mut self, at: Instant) {
        self.0.reset(at);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx)
    }
}
