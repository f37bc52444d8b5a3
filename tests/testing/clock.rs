//! The virtual clock.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
};

use wscope::{
    Nursery, nursery,
    runtime::{Clock, now, sleep, sleep_until},
    testing::{Simulation, VirtualClock},
};

use super::SECOND;
use std::time::Duration;

#[test]
fn stands_still_until_it_is_moved() {
    let clock = VirtualClock::new();
    let begin = clock.now();
    assert_eq!(clock.now(), begin);
    clock.advance(SECOND * 7);
    assert_eq!((clock.now() - begin, clock.clone().passed()), (SECOND * 7, SECOND * 7));
}

#[test]
fn its_calendar_begins_at_the_same_time_and_goes_with_it() {
    let clock = VirtualClock::new();
    clock.advance(SECOND * 60);
    assert_eq!(clock.unix_time(), SECOND * 1_700_000_060);
}

#[test]
fn jumps_from_alarm_to_alarm() {
    let (simulation, log) = (Simulation::new(), Mutex::new(Vec::new()));
    simulation
        .run(nursery(async |n: Nursery<'_>| {
            for seconds in [3600, 1, 60, 1] {
                let log = &log;
                n.start_soon(async move {
                    sleep(SECOND * seconds).await;
                    log.lock().unwrap().push((seconds, now()));
                    Ok(())
                });
            }
            Ok(())
        }))
        .unwrap();
    let log = log.into_inner().unwrap();
    assert_eq!(log.iter().map(|(seconds, _)| *seconds).collect::<Vec<_>>(), [1, 1, 60, 3600]);
    assert_eq!(log[0].1, log[1].1, "the same moment");
    assert_eq!(simulation.clock().passed(), SECOND * 3600);
}

#[test]
fn is_inherited_by_the_pool_and_by_threads() {
    let simulation = Simulation::new();
    let (here, pool, thread) = simulation.run(async {
        sleep(SECOND * 1_000_000).await;
        (now(), wscope::parallel(async { now() }).await, wscope::blocking(now).await)
    });
    assert_eq!((here, here), (pool, thread));
    assert!(now() < here, "the system's clock has stayed where it was");
}

#[test]
fn an_alarm_in_the_past_goes_off_at_once() {
    let simulation = Simulation::new();
    simulation.run(async { sleep_until(now() - SECOND).await });
    assert_eq!(simulation.clock().passed(), Duration::ZERO);
}

#[test]
fn an_alarm_that_is_dropped_or_moved_does_not_go_off() {
    struct Count(AtomicU32);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let (clock, count) = (VirtualClock::new(), Arc::new(Count(AtomicU32::new(0))));
    let waker = Waker::from(count.clone());
    let mut cx = Context::from_waker(&waker);
    let begin = clock.now();
    let mut dropped = clock.alarm(begin + SECOND);
    let mut moved = clock.alarm(begin + SECOND);
    assert!(dropped.poll(&mut cx).is_pending() && moved.poll(&mut cx).is_pending());
    assert_eq!(Arc::strong_count(&count), 4);
    drop(dropped);
    moved.reset(begin + SECOND * 3);
    assert!(moved.poll(&mut cx).is_pending());
    clock.advance(SECOND * 2);
    assert_eq!(count.0.load(SeqCst), 0);
    clock.advance(SECOND);
    assert_eq!(count.0.load(SeqCst), 1);
    assert!(moved.poll(&mut cx).is_ready());
    assert_eq!(Arc::strong_count(&count), 2, "no waker is left");
}

#[test]
fn the_default_is_a_new_one() {
    let clock = VirtualClock::default();
    clock.advance(SECOND);
    assert_eq!((clock.passed(), VirtualClock::default().passed()), (SECOND, Duration::ZERO));
}
