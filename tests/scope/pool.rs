//! The children of a nursery that run on the executor.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use futures::FutureExt;
use wscope::{
    Nursery, defer, nursery,
    testing::{Census, Simulation},
};

use super::{Boom, Gate, SECOND, everywhere, forever, quiet, turns, until};

#[test]
fn children_on_the_pool_start_with_the_first_poll() {
    Simulation::new().run(async {
        let begun = Arc::new(AtomicBool::new(false));
        let flag = begun.clone();
        let work = nursery(move |n: Nursery<'_, Boom>| {
            n.spawn(async move {
                flag.store(true, SeqCst);
                Ok(())
            });
            async { Ok(()) }
        });
        turns(10).await;
        assert!(!begun.load(SeqCst));
        assert_eq!(work.await, Ok(()));
        assert!(begun.load(SeqCst));
    });
}

#[test]
fn many_children_come_from_many_threads() {
    wscope::run(async {
        let done = Arc::new(AtomicUsize::new(0));
        let outcome = nursery(async |n: Nursery<'static, Boom>| {
            for _ in 0..64 {
                let (m, done) = (n.clone(), done.clone());
                n.spawn(async move {
                    for i in 0..200 {
                        let done = done.clone();
                        let child = async move {
                            done.fetch_add(1, SeqCst);
                            Ok(())
                        };
                        if i % 2 == 0 {
                            m.spawn(child)
                        } else {
                            m.start_soon(child)
                        }
                        if i % 17 == 0 {
                            turns(1).await;
                        }
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await;
        assert_eq!((outcome, done.load(SeqCst)), (Ok(()), 64 * 200));
    });
}

#[test]
fn a_stuck_child_of_a_nursery_that_has_ended_still_gets_its_goodbye() {
    let (gate, polling, said) =
        (Gate::default(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    struct Polite(Arc<AtomicBool>);
    impl Drop for Polite {
        fn drop(&mut self) {
            let said = self.0.clone();
            assert!(defer(SECOND, async move { said.store(true, SeqCst) }).is_ok());
        }
    }
    wscope::run(async {
        let (wait, flag, polite) = (gate.clone(), polling.clone(), Polite(said.clone()));
        let outcome: Result<(), _> = nursery(async |n: Nursery<'_, Boom>| {
            n.spawn(async move {
                let _polite = polite;
                flag.store(true, SeqCst);
                wait.wait();
                forever().await
            });
            until(|| polling.load(SeqCst)).await;
            Err(Boom::No(1))
        })
        .await;
        assert_eq!(outcome, Err(Boom::No(1)), "it gave up on the child after a while");
        drop(gate.opener());
        until(|| said.load(SeqCst)).await;
    });
}

/// `work`, and how often it was polled.
async fn counted<F: Future>(work: F) -> (F::Output, u32) {
    let (mut work, mut polls) = (pin!(work), 0);
    let output = poll_fn(|cx| {
        polls += 1;
        work.as_mut().poll(cx)
    });
    (output.await, polls)
}

#[test]
fn children_that_end_well_do_not_wake_the_nursery_until_the_last_one_has() {
    everywhere(async || {
        let (outcome, polls) = counted(nursery(async |n: Nursery<'_, Boom>| {
            for i in 0..1000 {
                n.spawn(async move {
                    turns(i % 3).await;
                    Ok(())
                });
            }
            Ok(())
        }))
        .await;
        assert_eq!(outcome, Ok(()));
        assert!(polls < 10, "{polls} polls");
    });
}

#[test]
fn whoever_waits_for_room_is_woken_for_each() {
    Simulation::new().run(async {
        let ended = AtomicU32::new(0);
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            for i in 0..100_u32 {
                n.below(1).await;
                assert_eq!((n.len(), n.statistics().finished), (0, u64::from(i)));
                n.spawn(turns(2).map(Ok));
                ended.fetch_add(1, SeqCst);
            }
            Ok(())
        })
        .await;
        assert_eq!((outcome, ended.load(SeqCst)), (Ok(()), 100));
    });
}

#[test]
fn errors_that_come_at_once_from_many_threads_are_one() {
    for _ in 0..100 {
        let census = Census::new();
        let outcome: Result<(), _> = wscope::run(nursery(async |n: Nursery<'_, Boom>| {
            for i in 0..20 {
                let presence = census.join();
                n.spawn(async move {
                    let _presence = presence;
                    Err(Boom::No(i))
                });
            }
            forever().await
        }));
        assert!(matches!(outcome, Err(Boom::No(_))));
        assert_eq!(census.present(), 0);
    }
}

#[test]
fn a_panic_beats_an_error_that_came_with_it() {
    quiet();
    for panic_first in [false, true] {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            wscope::run(nursery(async |n: Nursery<'_, Boom>| {
                for panics in [panic_first, !panic_first] {
                    n.spawn(async move { if panics { panic!("expected") } else { Err(Boom::No(1)) } });
                }
                while !n.is_empty() {
                    thread::yield_now(); // and so the nursery does not look in between
                }
                forever::<Result<(), _>>().await
            }))
        }));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"expected"));
    }
}

#[test]
fn a_panic_of_a_poll_in_flight_is_not_lost() {
    quiet();
    let (gate, polling) = (Gate::default(), Arc::new(AtomicBool::new(false)));
    let (wait, flag) = (gate.clone(), polling.clone());
    let opener = gate.opener();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        wscope::run(nursery(async |n: Nursery<'_, Boom>| {
            n.spawn(async move {
                flag.store(true, SeqCst);
                wait.wait();
                panic!("expected");
            });
            n.start_soon(async {
                let _opener = opener; // dropped when the nursery is stopped, and before the pool is
                forever().await
            });
            until(|| polling.load(SeqCst)).await;
            Err::<(), _>(Boom::No(1))
        }))
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"expected"));
}
