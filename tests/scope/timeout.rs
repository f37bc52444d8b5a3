//! Timeouts, in virtual time.

use std::{cell::Cell, time::Duration};

use wscope::{
    TooSlow, fail_after, fail_at, move_on_after, move_on_at,
    runtime::now,
    sleep,
    testing::{Census, Simulation},
};

use super::{Boom, SECOND, forever, turns};

#[test]
fn the_nearest_deadline_wins() {
    let simulation = Simulation::new();
    simulation.run(async {
        assert_eq!(move_on_after(SECOND, move_on_after(SECOND * 9, forever::<()>())).await, None);
        assert_eq!(simulation.clock().passed(), SECOND);
        assert_eq!(move_on_after(SECOND * 9, move_on_after(SECOND, forever::<()>())).await, Some(None));
        assert_eq!(simulation.clock().passed(), SECOND * 2);
    });
}

#[test]
fn a_limit_of_none_is_none() {
    let simulation = Simulation::new();
    simulation.run(async {
        let endless = move_on_after(None, forever::<()>());
        assert_eq!(move_on_after(SECOND * 1_000_000, endless).await, None);
        assert_eq!(fail_after(None, async { sleep(SECOND).await }).await, Ok(()));
    });
}

#[test]
fn the_error_names_the_limit() {
    Simulation::new().run(async {
        let slow = fail_after(SECOND * 3, forever::<()>()).await.unwrap_err();
        assert_eq!((slow.limit, slow.to_string()), (SECOND * 3, "did not finish within 3s".into()));
        let deadline = now() + SECOND * 5;
        sleep(SECOND).await;
        let slow = fail_at(deadline, forever::<()>()).await.unwrap_err();
        assert_eq!((slow.limit, now()), (SECOND * 4, deadline));
        let slow = fail_at(deadline - SECOND, forever::<()>()).await.unwrap_err();
        assert_eq!((slow.limit, now()), (Duration::ZERO, deadline));
        assert_eq!(move_on_at(deadline + SECOND, forever::<()>()).await, None);
        assert_eq!(now(), deadline + SECOND);
    });
}

#[test]
fn goes_through_a_question_mark_into_ones_own_error() {
    async fn work() -> Result<u32, Boom> {
        Ok(fail_after(SECOND, forever()).await?)
    }
    let outcome = Simulation::new().run(work());
    assert!(matches!(outcome, Err(Boom::TooSlow(TooSlow { limit: SECOND }))));
}

#[test]
fn what_is_ready_at_once_is_never_too_slow() {
    Simulation::new().run(async {
        assert_eq!(fail_after(Duration::ZERO, async { 1 }).await, Ok(1));
        assert_eq!(move_on_after(Duration::ZERO, forever::<()>()).await, None);
    });
}

#[test]
fn later_than_the_clock_can_tell_is_never() {
    let simulation = Simulation::new();
    simulation.run(async {
        assert!(move_on_after(Duration::MAX, sleep(SECOND * 1_000_000)).await.is_some());
        assert!(move_on_after(SECOND, sleep(Duration::MAX)).await.is_none());
    });
    assert_eq!(simulation.clock().passed(), SECOND * 1_000_001);
}

#[test]
fn the_clock_starts_at_the_first_poll() {
    let simulation = Simulation::new();
    simulation.run(async {
        let work = move_on_after(SECOND, sleep(SECOND / 2));
        sleep(SECOND * 10).await;
        assert!(work.await.is_some());
    });
}

#[test]
fn the_work_is_gone_when_it_returns() {
    Simulation::new().run(async {
        let census = Census::new();
        let presence = census.join();
        let work = async {
            let _presence = presence;
            forever::<()>().await;
        };
        let mut timeout = Box::pin(move_on_after(SECOND, work));
        assert_eq!(timeout.as_mut().await, None);
        assert_eq!(census.present(), 0);
    });
}

#[test]
fn a_ready_result_beats_a_deadline_of_the_same_moment() {
    Simulation::new().run(async {
        let polls = Cell::new(0);
        let work = async {
            sleep(SECOND).await;
            polls.set(polls.get() + 1);
        };
        assert_eq!(move_on_after(SECOND, work).await, Some(()));
        assert_eq!(polls.get(), 1);
    });
}

#[test]
fn works_on_the_system_clock_too() {
    wscope::run(async {
        let begin = now();
        let limit = SECOND / 200;
        assert_eq!(fail_after(limit, forever::<()>()).await.unwrap_err().limit, limit);
        assert!(now() >= begin + limit);
        assert!(fail_after(SECOND * 60, turns(10)).await.is_ok());
    });
}
