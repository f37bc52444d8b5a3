//! Runtimes of one's own: what an executor is asked for, and what it may do with a task.

use std::{
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    thread,
};

use futures::FutureExt;
use wscope::{
    Nursery, blocking, nursery, parallel,
    runtime::{Executor, Runtime, Task, block_on},
    scope::root,
    testing::{Census, VirtualClock, polled},
};

/// Keeps what it is given until somebody polls it by hand.
#[derive(Clone, Default)]
struct Shelf {
    tasks: Arc<Mutex<Vec<Task>>>,
    threads: Arc<AtomicU32>,
}

impl Executor for Shelf {
    fn spawn(&self, task: Task) {
        self.tasks.lock().unwrap().push(task);
    }

    fn unblock(&self, work: Box<dyn FnOnce() + Send>) {
        self.threads.fetch_add(1, SeqCst);
        thread::spawn(work);
    }
}

impl Shelf {
    fn runtime(&self) -> Runtime {
        Runtime::new(self.clone(), VirtualClock::new())
    }

    fn take(&self) -> Vec<Task> {
        mem::take(&mut self.tasks.lock().unwrap())
    }
}

fn poll(task: &mut Task) -> Poll<()> {
    task.poll_unpin(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn each_child_on_the_pool_is_one_task() {
    let shelf = Shelf::default();
    let mut work = Box::pin(root(
        shelf.runtime(),
        nursery(async |n: Nursery<'_>| {
            n.spawn(async { Ok(()) });
            n.start_soon(parallel(async { Ok(()) }));
            n.start_soon(async { Ok(()) });
            Ok(())
        }),
    ));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(work.as_mut().poll(&mut cx).is_pending());
    let mut tasks = shelf.take();
    assert_eq!(tasks.len(), 2);
    for task in &mut tasks {
        assert_eq!(poll(task), Poll::Ready(()));
        assert_eq!(poll(task), Poll::Ready(()), "once more does no harm");
    }
    assert!(matches!(work.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
}

#[test]
fn a_task_whose_owner_is_gone_is_empty() {
    let (shelf, census) = (Shelf::default(), Census::new());
    let presence = census.join();
    let child = parallel(async move {
        let _presence = presence;
        std::future::pending::<()>().await
    });
    block_on(root(shelf.runtime(), async { assert!(polled(1, child).await.is_none()) }));
    assert_eq!(census.present(), 0, "it was never polled, and is gone");
    assert_eq!(poll(&mut shelf.take()[0]), Poll::Ready(()));
}

#[test]
fn an_executor_that_drops_its_tasks_loses_no_value() {
    let (shelf, census) = (Shelf::default(), Census::new());
    let presence = census.join();
    let mut work = Box::pin(root(
        shelf.runtime(),
        nursery(async |n: Nursery<'_>| {
            n.spawn(async move {
                let _presence = presence;
                std::future::pending().await
            });
            Ok(())
        }),
    ));
    assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(shelf.take());
    assert_eq!(census.present(), 1, "the nursery still owns its child");
    drop(work);
    assert_eq!(census.present(), 0);
}

#[test]
fn work_that_blocks_goes_to_it_too() {
    let shelf = Shelf::default();
    let here = thread::current().id();
    let there = block_on(root(shelf.runtime(), blocking(|| thread::current().id())));
    assert_ne!(here, there);
    assert_eq!(shelf.threads.load(SeqCst), 1);
}

#[test]
fn debug_says_whose_it_is() {
    assert_eq!(format!("{:?}", Runtime::default()), "Runtime(\"async-std\")");
    let shelf = Shelf::default();
    assert_eq!(format!("{:?}", shelf.runtime()), "Runtime(\"brought along\")");
    block_on(root(shelf.runtime(), async { assert!(polled(1, parallel(async {})).await.is_none()) }));
    assert_eq!(format!("{:?}", shelf.take()), "[Task { .. }]");
}
