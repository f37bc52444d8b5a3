//! Work that blocks a thread.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use futures::FutureExt;
use wscope::{
    Nursery, blocking, defer, fail_after, move_on_after, nursery, sleep,
    testing::{Census, Simulation, polled},
};

use super::{Boom, Gate, Opener, SECOND, everywhere, forever, quiet, until};

#[test]
fn returns_what_the_work_does() {
    everywhere(async || {
        let here = thread::current().id();
        let (there, value) = blocking(|| (thread::current().id(), 5)).await;
        assert!(there != here && value == 5);
    });
}

#[test]
fn is_lazy_and_not_begun_when_it_is_dropped_before() {
    everywhere(async || {
        let census = Census::new();
        let presence = census.join();
        drop(blocking(move || {
            drop(presence);
            panic!("begun")
        }));
        assert_eq!(census.present(), 0);
    });
}

#[test]
fn a_failing_nursery_waits_for_it() {
    everywhere(async || {
        let (census, gate) = (Census::new(), Gate::default());
        let presence = census.join();
        let outcome: Result<(), _> = nursery(async |n| {
            let opener = gate.opener();
            let gate = gate.clone();
            let begun = Census::new();
            let here = begun.join();
            n.spawn_blocking(move || {
                drop(here);
                gate.wait();
                drop(presence);
                Err(Boom::No(2)) // second
            });
            until(|| begun.present() == 0).await;
            n.start_service(async move {
                let _opener: Opener = opener; // services live on while the work is waited for
                Err(Boom::No(1))
            });
            forever().await
        })
        .await;
        assert_eq!((outcome, census.present()), (Err(Boom::No(1)), 0));
    });
}

#[test]
fn its_error_and_its_panic_are_those_of_a_child() {
    quiet();
    everywhere(async || {
        let failed: Result<(), _> = nursery(async |n| {
            n.spawn_blocking(|| Err(Boom::No(1)));
            forever().await
        })
        .await;
        assert_eq!(failed, Err(Boom::No(1)));
        let panicked = AssertUnwindSafe(nursery(async |n: Nursery<'_, Boom>| {
            n.spawn_blocking(|| panic!("expected"));
            forever::<Result<(), _>>().await
        }))
        .catch_unwind()
        .await;
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"expected"));
    });
}

#[test]
fn a_late_panic_reaches_the_nursery_that_waits() {
    quiet();
    everywhere(async || {
        let gate = Gate::default();
        let begun = Census::new();
        let caught = AssertUnwindSafe(nursery(async |_outer: Nursery<'_, Boom>| {
            let _opener = gate.opener();
            let (gate, here) = (gate.clone(), begun.join());
            let mut work = Box::pin(blocking(move || {
                drop(here);
                gate.wait();
                panic!("expected");
            }));
            assert!(polled(1, work.as_mut()).await.is_none());
            until(|| begun.present() == 0).await;
            drop(work);
            Ok(())
        }))
        .catch_unwind()
        .await;
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"expected"));
    });
}

#[test]
fn a_timeout_around_it_returns_in_time() {
    let simulation = Simulation::new();
    simulation.run(async {
        let (census, gate) = (Census::new(), Gate::default());
        let presence = census.join();
        let outcome: Result<(), Boom> = nursery(async |_outer| {
            let begun = Arc::new(AtomicBool::new(false));
            let flag = begun.clone();
            let opener = gate.opener();
            let gate = gate.clone();
            let work = fail_after(
                Duration::ZERO,
                blocking(move || {
                    flag.store(true, SeqCst);
                    gate.wait();
                    drop(presence);
                }),
            );
            let late = work.await;
            assert!(late.is_err());
            drop(opener);
            Ok(())
        })
        .await;
        assert_eq!((outcome, census.present()), (Ok(()), 0));
    });
}

#[test]
fn time_stands_still_in_a_simulation_while_a_thread_works() {
    let simulation = Simulation::new();
    let value = simulation.run(async {
        move_on_after(
            SECOND,
            blocking(|| {
                for _ in 0..100 {
                    thread::yield_now();
                }
                5
            }),
        )
        .await
    });
    assert_eq!(value, Some(5));
    assert_eq!(simulation.clock().passed(), Duration::ZERO);
}

#[test]
fn what_the_work_drops_may_defer_to_the_nursery() {
    everywhere(async || {
        let said = Arc::new(AtomicBool::new(false));
        let flag = said.clone();
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            n.spawn_blocking(|| {
                let goodbye = async move {
                    sleep(SECOND / 1000).await;
                    flag.store(true, SeqCst);
                };
                assert!(defer(SECOND, goodbye).is_ok());
                Ok(())
            });
            Ok(())
        })
        .await;
        assert_eq!((outcome, said.load(SeqCst)), (Ok(()), true));
    });
}

#[test]
fn without_a_nursery_the_thread_is_left_to_itself() {
    let (census, gate) = (Census::new(), Gate::default());
    let (presence, begun) = (census.join(), census.join());
    let work = {
        let gate = gate.clone();
        blocking(move || {
            drop(begun);
            gate.wait();
            drop(presence);
        })
    };
    let mut work = Box::pin(work);
    wscope::runtime::block_on(async {
        assert!(polled(1, work.as_mut()).await.is_none());
        until(|| census.present() == 1).await;
    });
    drop(work); // does not wait
    assert_eq!(census.present(), 1);
    drop(gate.opener());
    while census.present() > 0 {
        thread::yield_now();
    }
}

#[test]
fn it_says_whether_it_has_been_launched() {
    Simulation::new().run(async {
        let mut work = blocking(|| 7);
        assert_eq!(format!("{work:?}"), "Blocking { launched: false, .. }");
        assert_eq!((&mut work).await, 7);
        assert_eq!(format!("{work:?}"), "Blocking { launched: true, .. }");
    });
}
