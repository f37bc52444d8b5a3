//! Timers, on the system's clock and on a virtual one.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::FutureExt;
use wscope::{
    runtime::{Timer, block_on, now, sleep, sleep_until},
    testing::Simulation,
};

use super::{Rings, SECOND};

/// The same on both clocks.
fn everywhere(test: impl AsyncFn()) {
    Simulation::new().run(test());
    wscope::run(test());
    block_on(test());
}

#[test]
fn a_time_that_has_passed_is_ready_at_once() {
    everywhere(async || {
        assert_eq!(sleep(Duration::ZERO).now_or_never(), Some(()));
        assert_eq!(sleep_until(now()).now_or_never(), Some(()));
    });
}

#[test]
fn it_is_not_early() {
    everywhere(async || {
        let until = now() + SECOND / 500;
        sleep_until(until).await;
        assert!(now() >= until);
    });
}

#[test]
fn it_stays_ready_until_it_is_set_again() {
    everywhere(async || {
        let mut cx = Context::from_waker(Waker::noop());
        let mut timer = Timer::at(now() + SECOND / 1000);
        poll_fn(|cx| timer.poll(cx)).await;
        for _ in 0..3 {
            assert_eq!(timer.poll(&mut cx), Poll::Ready(()));
        }
        timer.reset(now() + SECOND * 1000);
        assert_eq!(timer.poll(&mut cx), Poll::Pending);
        timer.reset(now());
        poll_fn(|cx| timer.poll(cx)).await;
    });
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let simulation = Simulation::new();
    simulation.run(async {
        let (first, last) = (Arc::new(Rings::default()), Arc::new(Rings::default()));
        let mut timer = Timer::at(now() + SECOND);
        for rings in [&first, &last] {
            assert!(timer.poll(&mut Context::from_waker(&rings.clone().into())).is_pending());
        }
        sleep(SECOND * 2).await;
        assert_eq!((first.count(), last.count()), (0, 1));
    });
}

#[test]
fn later_than_the_clock_can_tell_is_never() {
    everywhere(async || {
        assert_eq!(sleep(Duration::MAX).now_or_never(), None);
    });
}

#[test]
fn it_says_that_it_is_a_timer() {
    assert_eq!(format!("{:?}", Timer::at(now())), "Timer { .. }");
}
