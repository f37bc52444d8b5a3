//! Futures that are dropped half-way.

use std::{cell::Cell, future::pending};

use wscope::testing::{Census, Simulation, polled};

use super::SECOND;

#[test]
fn zero_polls_drop_it_unpolled() {
    let census = Census::new();
    let presence = census.join();
    let outcome = Simulation::new().run(polled(0, async {
        let _presence = presence;
        panic!("polled");
    }));
    assert_eq!((outcome, census.present()), (None::<()>, 0));
}

#[test]
fn it_is_polled_so_often_and_gone_when_that_returns() {
    let (census, polls) = (Census::new(), Cell::new(0));
    Simulation::new().run(async {
        for most in 1..5 {
            polls.set(0);
            let presence = census.join();
            let work = async {
                let _presence = presence;
                loop {
                    polls.set(polls.get() + 1);
                    wscope::sleep(SECOND).await;
                }
            };
            let mut work = Box::pin(polled(most, work));
            assert_eq!(work.as_mut().await, None::<()>);
            assert_eq!((polls.get(), census.present()), (most, 0));
        }
    });
}

#[test]
fn a_future_that_is_ready_in_time_gives_its_value() {
    assert_eq!(Simulation::new().run(polled(1, async { 5 })), Some(5));
    assert_eq!(Simulation::new().run(polled(usize::MAX, async { 5 })), Some(5));
    assert_eq!(Simulation::new().run(polled(1, pending::<()>())), None);
}
