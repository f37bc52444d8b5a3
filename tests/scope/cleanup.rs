//! Asynchronous clean-up from `Drop`: who adopts it, and for how long.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use futures::{StreamExt, channel::mpsc};
use wscope::{
    Nursery, defer, move_on_after, nursery, parallel, run, sleep,
    testing::{Census, Simulation, polled},
};

use super::{Boom, Gate, SECOND, everywhere, forever, quiet, start_on, turns, until};

type Log = Arc<Mutex<Vec<&'static str>>>;

/// Says goodbye when it is dropped, which takes so long.
struct Polite(Log, Duration);

impl Drop for Polite {
    fn drop(&mut self) {
        let (log, time) = (self.0.clone(), self.1);
        let goodbye = async move {
            sleep(time).await;
            log.lock().unwrap().push("goodbye");
        };
        if defer(SECOND * 5, goodbye).is_err() {
            self.0.lock().unwrap().push("hung up");
        }
    }
}

fn said(log: &Log) -> Vec<&'static str> {
    log.lock().unwrap().clone()
}

#[test]
fn a_nursery_waits_for_the_clean_up_of_its_children() {
    for on_pool in [false, true] {
        let (simulation, log) = (Simulation::new(), Log::default());
        let outcome: Result<(), _> = simulation.run(nursery(async |n| {
            let polite = Polite(log.clone(), SECOND * 3);
            let child = async move {
                let _polite = polite;
                forever().await
            };
            start_on(&n, on_pool, child);
            sleep(SECOND).await;
            Err(Boom::No(1))
        }));
        assert_eq!((outcome, said(&log)), (Err(Boom::No(1)), vec!["goodbye"]));
        assert_eq!(simulation.clock().passed(), SECOND * 4);
    }
}

#[test]
fn when_the_nursery_is_dropped_the_one_around_it_adopts() {
    for on_pool in [false, true] {
        let (simulation, log) = (Simulation::new(), Log::default());
        simulation.run(async {
            let outcome = nursery(async |outer: Nursery<'_, Boom>| {
                let inner = nursery(async |n: Nursery<'_, Boom>| {
                    let polite = Polite(log.clone(), SECOND * 3);
                    let child = async move {
                        let _polite = polite;
                        forever().await
                    };
                    start_on(&n, on_pool, child);
                    forever::<Result<(), _>>().await
                });
                assert!(move_on_after(SECOND, inner).await.is_none());
                assert!(said(&log).is_empty());
                assert_eq!(outer.statistics().cleanups, 1);
                Ok(())
            })
            .await;
            assert_eq!(outcome, Ok(()));
            assert_eq!((said(&log), simulation.clock().passed()), (vec!["goodbye"], SECOND * 4));
        });
    }
}

#[test]
fn clean_up_under_way_moves_outwards_too() {
    let (simulation, log) = (Simulation::new(), Log::default());
    simulation.run(async {
        let outcome = nursery(async |_outer: Nursery<'_, Boom>| {
            let inner = nursery(async |n: Nursery<'_, Boom>| {
                let polite = Polite(log.clone(), SECOND * 3);
                n.start_soon(async move {
                    drop(polite);
                    Ok(())
                });
                Ok(())
            });
            // By then the inner one waits for the clean-up.
            assert!(move_on_after(SECOND, inner).await.is_none());
            Ok(())
        })
        .await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(
            (said(&log), simulation.clock().passed()),
            (vec!["goodbye"], SECOND * 3),
            "it went on, and did not begin anew"
        );
    });
}

#[test]
fn clean_up_passes_through_nurseries_that_have_ended() {
    // A child is in the middle of a poll on another thread when its nursery, and the one around that, are dropped.
    let (log, gate, polling) = (Log::default(), Gate::default(), Arc::new(AtomicBool::new(false)));
    run(async {
        let outcome: Result<(), Boom> = nursery(async |_outermost| {
            let (polite, wait, flag) = (Polite(log.clone(), Duration::ZERO), gate.clone(), polling.clone());
            let mut middle = Box::pin(nursery(async |_middle: Nursery<'_, Boom>| {
                nursery(async |n: Nursery<'_, Boom>| {
                    n.spawn(async move {
                        let _polite = polite;
                        flag.store(true, SeqCst);
                        wait.wait();
                        forever().await
                    });
                    forever::<Result<(), _>>().await
                })
                .await
            }));
            assert!(polled(1, middle.as_mut()).await.is_none());
            until(|| polling.load(SeqCst)).await;
            drop(middle); // gives up on the child after a while
            assert!(said(&log).is_empty());
            drop(gate.opener());
            until(|| !said(&log).is_empty()).await;
            Ok(())
        })
        .await;
        assert_eq!((outcome, said(&log)), (Ok(()), vec!["goodbye"]));
    });
}

#[test]
fn clean_up_that_takes_too_long_is_dropped() {
    let (simulation, log) = (Simulation::new(), Log::default());
    simulation.run(async {
        let outcome = nursery(async |_: Nursery<'_, Boom>| {
            drop(Polite(log.clone(), SECOND * 3600));
            Ok(())
        })
        .await;
        assert_eq!((outcome, said(&log)), (Ok(()), vec![]));
    });
    assert_eq!(simulation.clock().passed(), SECOND * 5);
}

#[test]
fn without_a_nursery_it_is_given_back() {
    let log = Log::default();
    wscope::runtime::block_on(async { drop(Polite(log.clone(), Duration::ZERO)) });
    drop(Polite(log.clone(), Duration::ZERO));
    assert_eq!(said(&log), ["hung up", "hung up"]);
}

#[test]
fn a_value_that_escapes_is_cleaned_up_where_it_is_dropped() {
    everywhere(async || {
        let log = Log::default();
        let escaped = nursery(async |_: Nursery<'_, Boom>| Ok(Polite(log.clone(), Duration::ZERO))).await;
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            drop(escaped);
            until(|| !said(&log).is_empty()).await;
            Ok(n.statistics().cleanups)
        })
        .await;
        assert_eq!(outcome, Ok(1));
    });
}

#[test]
fn services_outlive_the_clean_up_that_needs_them() {
    struct Handshake(mpsc::UnboundedSender<()>, Option<mpsc::UnboundedReceiver<()>>, Log);
    impl Drop for Handshake {
        fn drop(&mut self) {
            let (ask, answer, log) = (self.0.clone(), self.1.take(), self.2.clone());
            let handshake = async move {
                ask.unbounded_send(()).unwrap();
                answer.unwrap().next().await;
                log.lock().unwrap().push("answered");
            };
            assert!(defer(SECOND, handshake).is_ok());
        }
    }
    for on_pool in [false, true] {
        everywhere(async || {
            let (ask, mut asked) = mpsc::unbounded();
            let (answer, answers) = mpsc::unbounded();
            let (log, census) = (Log::default(), Census::new());
            let presence = census.join();
            let shake = Handshake(ask, Some(answers), log.clone());
            let outcome: Result<(), _> = nursery(async |n| {
                let service = async move {
                    let _presence = presence;
                    while asked.next().await.is_some() {
                        turns(2).await;
                        answer.unbounded_send(()).unwrap();
                    }
                    forever().await
                };
                if on_pool {
                    n.start_service(parallel(service))
                } else {
                    n.start_service(service)
                }
                n.start_soon(async move {
                    let _shake = shake;
                    forever().await
                });
                turns(3).await;
                Err(Boom::No(1))
            })
            .await;
            assert_eq!((outcome, said(&log), census.present()), (Err(Boom::No(1)), vec!["answered"], 0));
        });
    }
}

#[test]
fn what_services_leave_is_cleaned_up_as_well() {
    everywhere(async || {
        let log = Log::default();
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            let polite = Polite(log.clone(), Duration::ZERO);
            n.start_service(async move {
                let _polite = polite;
                forever().await
            });
            turns(2).await;
            Ok(())
        })
        .await;
        assert_eq!((outcome, said(&log)), (Ok(()), vec!["goodbye"]));
    });
}

#[test]
fn clean_up_may_defer_more_clean_up() {
    everywhere(async || {
        let log = Log::default();
        let outcome = nursery(async |_: Nursery<'_, Boom>| {
            let polite = Polite(log.clone(), Duration::ZERO);
            assert!(defer(SECOND, async move { drop(polite) }).is_ok());
            Ok(())
        })
        .await;
        assert_eq!((outcome, said(&log)), (Ok(()), vec!["goodbye"]));
    });
}

#[test]
fn a_panic_in_clean_up_that_moved_outwards_reaches_the_nursery_there() {
    quiet();
    everywhere(async || {
        use futures::FutureExt;
        let caught = std::panic::AssertUnwindSafe(nursery(async |_: Nursery<'_, Boom>| {
            let inner = nursery(async |_: Nursery<'_, Boom>| {
                let bad = async {
                    turns(3).await;
                    panic!("expected")
                };
                assert!(defer(SECOND, bad).is_ok());
                forever::<Result<(), _>>().await
            });
            assert!(polled(1, inner).await.is_none());
            Ok(())
        }))
        .catch_unwind()
        .await;
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"expected"));
    });
}
