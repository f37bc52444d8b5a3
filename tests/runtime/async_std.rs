//! The runtime without any other being named.

use std::{rc::Rc, thread};

use futures::channel::oneshot;
use wscope::{
    blocking, parallel,
    runtime::{block_on, sleep},
    scope::Join,
};

use super::SECOND;

#[test]
fn block_on_drives_a_future_on_this_thread() {
    let here = thread::current().id();
    let text = Rc::new("not `Send`"); // and need not be
    let seen = block_on(async { (thread::current().id(), text.len()) });
    assert_eq!(seen, (here, 10));
}

#[test]
fn block_on_drives_timers() {
    block_on(sleep(SECOND / 1000));
}

#[test]
fn it_can_be_used_inside_itself() {
    assert_eq!(block_on(async { block_on(async { parallel(async { block_on(async { 7 }) }).await }) }), 7);
}

#[test]
fn a_wake_from_another_thread_arrives() {
    for _ in 0..100 {
        let (sender, receiver) = oneshot::channel();
        let thread = thread::spawn(|| sender.send(7).unwrap());
        assert_eq!(block_on(receiver), Ok(7));
        thread.join().unwrap();
    }
}

#[test]
fn tasks_run_elsewhere_and_are_tasks_of_async_std() {
    let here = thread::current().id();
    let there = block_on(parallel(async {
        async_std::task::yield_now().await;
        (thread::current().id(), async_std::task::try_current().is_some())
    }));
    assert_ne!(there.0, here);
    assert!(there.1, "so that its task-local values work");
}

#[test]
fn what_blocks_does_not_hold_tasks_up() {
    block_on(async {
        let (sender, receiver) = std::sync::mpsc::channel();
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (begun, go_on) = std::sync::mpsc::channel();
                sender.send(begun).unwrap();
                blocking(move || go_on.recv().unwrap())
            })
            .collect();
        let waiting = futures::future::join_all(threads);
        let freeing = parallel(async move { receiver.try_iter().for_each(|begun| begun.send(()).unwrap()) });
        (waiting, freeing).join().await;
    });
}
