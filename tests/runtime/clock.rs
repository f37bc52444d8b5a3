//! Which clock is asked.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use wscope::{
    blocking, parallel,
    runtime::{Clock, now, sleep, unix_time},
    testing::Simulation,
};

use super::SECOND;

#[test]
fn without_a_nursery_it_is_the_systems() {
    let (before, seen, after) = (Instant::now(), now(), Instant::now());
    assert!(before <= seen && seen <= after);
}

#[test]
fn its_calendar_is_the_systems() {
    let of_system = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (before, seen, after) = (of_system(), unix_time(), of_system());
    assert!(before <= seen && seen <= after);
}

#[test]
fn it_never_goes_back() {
    let mut last = now();
    for _ in 0..10_000 {
        let seen = now();
        assert!(seen >= last);
        last = seen;
    }
}

#[test]
fn it_is_that_of_whoever_polls_on_whatever_thread() {
    let simulation = Simulation::new();
    simulation.run(async {
        let start = now();
        sleep(SECOND * 1000).await;
        assert_eq!(now() - start, SECOND * 1000);
        assert_eq!(unix_time(), simulation.clock().unix_time());
        assert_eq!(parallel(async { now() }).await - start, SECOND * 1000);
        assert_eq!(blocking(now).await - start, SECOND * 1000);
    });
    assert!(now() < Instant::now() + SECOND, "and nothing of it is left");
}
