//! The slot: whatever the interleaving, the future is destroyed once, and before whoever stops it goes on.

use std::task::Waker;

use shuttle::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
};

use super::{
    check,
    runtime::sync::Patience,
    scope::slot::{Slot, Stopped},
};

/// Counts polls and ends; fails when it is used after its end.
struct Life {
    polls: u32,
    ended: Arc<AtomicU32>,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.ended.fetch_add(1, SeqCst);
    }
}

/// What the executor does at each of its turns. Says whether it is through.
fn turn(slot: &Slot<Life>, ends_after: u32) -> bool {
    let Some((mut life, _)) = slot.begin() else { return true };
    life.polls += 1;
    thread::yield_now();
    if life.polls < ends_after {
        match slot.suspend(life, Waker::noop().clone()) {
            Ok(()) => return false,
            Err(stopped) => life = stopped,
        }
    }
    drop(life);
    slot.finish();
    true
}

/// What the owner does.
fn stop(slot: &Slot<Life>) {
    match slot.stop() {
        Stopped::Idle(life, waker) => drop((life, waker)),
        Stopped::InFlight => slot.wait(&Patience),
        Stopped::Nothing => {}
    }
}

fn slot() -> (Arc<Slot<Life>>, Arc<AtomicU32>) {
    let ended = Arc::new(AtomicU32::new(0));
    (Arc::new(Slot::new(Life { polls: 0, ended: ended.clone() })), ended)
}

#[test]
fn whoever_stops_goes_on_when_the_future_is_gone() {
    for ends_after in [1, 3, u32::MAX] {
        check(move || {
            let (slot, ended) = slot();
            let executor = slot.clone();
            let executor = thread::spawn(move || while !turn(&executor, ends_after) {});
            thread::yield_now();
            stop(&slot);
            assert_eq!(ended.load(SeqCst), 1);
            executor.join().unwrap();
            assert_eq!(ended.load(SeqCst), 1);
        });
    }
}

#[test]
fn two_who_stop_both_find_it_gone() {
    check(|| {
        let (slot, ended) = slot();
        let executor = slot.clone();
        let executor = thread::spawn(move || while !turn(&executor, u32::MAX) {});
        let other = slot.clone();
        let other_ended = ended.clone();
        let other = thread::spawn(move || {
            stop(&other);
            other_ended.load(SeqCst)
        });
        stop(&slot);
        // Who comes second while the first is destroying it may be told `Nothing`: it is the first who vouches.
        let seen = other.join().unwrap();
        assert!(seen <= 1);
        executor.join().unwrap();
        assert_eq!(ended.load(SeqCst), 1);
    });
}

#[test]
fn one_who_stops_from_inside_its_own_poll_does_not_wait() {
    check(|| {
        let (slot, ended) = slot();
        let executor = slot.clone();
        let executor = thread::spawn(move || {
            let Some((life, _)) = executor.begin() else { return };
            stop(&executor); // the future drops its own handle
            let Err(life) = executor.suspend(life, Waker::noop().clone()) else { panic!("it was stopped") };
            drop(life);
            executor.finish();
        });
        stop(&slot);
        executor.join().unwrap();
        assert_eq!(ended.load(SeqCst), 1);
    });
}

#[test]
fn two_executor_threads_never_both_have_it() {
    check(|| {
        let (slot, ended) = slot();
        let executors: Vec<_> = (0..2)
            .map(|_| {
                let slot = slot.clone();
                // A turn that finds another thread at work leaves it to that one.
                thread::spawn(move || {
                    for _ in 0..3 {
                        turn(&slot, 2);
                    }
                })
            })
            .collect();
        executors.into_iter().for_each(|executor| executor.join().unwrap());
        stop(&slot);
        assert_eq!(ended.load(SeqCst), 1);
    });
}
