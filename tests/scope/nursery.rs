//! Nurseries: what is waited for, whose error comes out, and what a handle can do.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst},
    },
};

use futures::FutureExt;
use wscope::{
    Cancelled, Nursery, defer, move_on_after, nursery,
    runtime::now,
    sleep, supervisor,
    testing::{Census, Simulation, polled},
};

use super::{Boom, SECOND, everywhere, forever, quiet, start_on, turns, until};

#[test]
fn waits_for_every_child_and_returns_what_the_body_does() {
    everywhere(async || {
        let done = AtomicU32::new(0);
        let value = nursery(async |n: Nursery<'_, Boom>| {
            for i in 0..10 {
                let done = &done;
                n.start_soon(async move {
                    turns(5 * (i % 3)).await;
                    done.fetch_add(1, SeqCst);
                    Ok(())
                });
            }
            Ok("body")
        })
        .await;
        assert_eq!((value, done.load(SeqCst)), (Ok("body"), 10));
    });
}

#[test]
fn both_ways_of_writing_a_body_are_accepted() {
    everywhere(async || {
        let text = String::from("borrowed");
        let a = nursery(async |n: Nursery<'_, Boom>| {
            n.start_soon(async {
                let _ = &text;
                Ok(())
            });
            Ok(1)
        });
        let b = nursery(|n: Nursery<'_, Boom>| {
            let text = &text;
            async move {
                n.start_soon(async move {
                    let _ = text;
                    Ok(())
                });
                Ok(2)
            }
        });
        assert_eq!((a.await, b.await), (Ok(1), Ok(2)));
    });
}

#[test]
fn children_start_siblings_and_grandchildren() {
    fn tree<'env>(n: &Nursery<'env, Boom>, depth: u32, done: &'env AtomicU32) {
        let m = n.clone();
        n.start_soon(async move {
            done.fetch_add(1, SeqCst);
            if depth > 0 {
                tree(&m, depth - 1, done);
                tree(&m, depth - 1, done);
            }
            Ok(())
        });
    }
    everywhere(async || {
        let done = AtomicU32::new(0);
        let outcome = nursery(async |n| {
            tree(&n, 9, &done);
            Ok(())
        })
        .await;
        assert_eq!((outcome, done.load(SeqCst)), (Ok(()), 1023));
    });
}

#[test]
fn a_nursery_is_fair_to_the_rest_of_its_task() {
    fn breed(n: &Nursery<'static, Boom>) {
        let m = n.clone();
        n.start_soon(async move {
            breed(&m);
            Ok(())
        });
    }
    everywhere(async || {
        let outcome = polled(
            3,
            nursery(async |n| {
                breed(&n);
                Ok(())
            }),
        );
        assert!(outcome.await.is_none(), "a child that breeds for ever lets others have their turn");
    });
}

#[test]
fn a_child_that_wakes_itself_for_ever_does_not_starve_its_siblings() {
    everywhere(async || {
        let outcome: Result<(), _> = nursery(async |n| {
            n.start_soon(async {
                loop {
                    turns(1).await;
                }
            });
            n.start_soon(async {
                turns(100).await;
                Err(Boom::No(1))
            });
            forever().await
        })
        .await;
        assert_eq!(outcome, Err(Boom::No(1)));
    });
}

#[test]
fn the_first_error_wins() {
    Simulation::new().run(async {
        let outcome: Result<(), _> = nursery(async |n| {
            for i in [3, 1, 2] {
                n.spawn(async move {
                    sleep(SECOND * i).await;
                    Err(Boom::No(i))
                });
            }
            forever().await
        })
        .await;
        assert_eq!(outcome, Err(Boom::No(1)));
    });
}

#[test]
fn a_panic_beats_an_error() {
    quiet();
    everywhere(async || {
        let caught = AssertUnwindSafe(nursery(async |n: Nursery<'_, Boom>| {
            n.start_soon(async {
                assert!(defer(SECOND, async { panic!("expected, of the clean-up") }).is_ok());
                Err(Boom::No(1))
            });
            forever::<Result<(), _>>().await
        }))
        .catch_unwind()
        .await;
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"expected, of the clean-up"));
    });
}

#[test]
fn a_panic_keeps_its_payload() {
    quiet();
    for on_pool in [false, true] {
        everywhere(async || {
            let caught = AssertUnwindSafe(nursery(async |n: Nursery<'_, Boom>| {
                let seven = AtomicU32::new(7).into_inner();
                let child = async move { panic!("expected: {seven}") };
                start_on(&n, on_pool, child);
                forever::<Result<(), _>>().await
            }))
            .catch_unwind()
            .await;
            assert_eq!(caught.unwrap_err().downcast_ref(), Some(&String::from("expected: 7")));
        });
    }
}

#[test]
fn a_supervisor_handles_errors_one_by_one_until_it_does_not() {
    everywhere(async || {
        let seen = Mutex::new(Vec::new());
        let handle = |error| match error {
            Boom::No(9) => Err(error),
            error => {
                seen.lock().unwrap().push(error);
                Ok(())
            }
        };
        let outcome: Result<(), _> = supervisor(handle, async |n| {
            for i in 0..4 {
                n.spawn(async move { Err(Boom::No(i)) });
                n.start_soon(async move { Err(Boom::No(i)) });
                n.start_service(async move { Err(Boom::No(i)) });
            }
            until(|| seen.lock().unwrap().len() == 12).await;
            assert_eq!(n.len(), 0);
            n.start_soon(async { Err(Boom::No(9)) });
            forever().await
        })
        .await;
        assert_eq!(outcome, Err(Boom::No(9)));
    });
}

#[test]
fn the_body_of_a_supervisor_fails_like_any_other() {
    everywhere(async || {
        let outcome: Result<(), _> = supervisor(|_| Ok(()), async |_| Err(Boom::No(1))).await;
        assert_eq!(outcome, Err(Boom::No(1)));
    });
}

#[test]
fn services_end_with_the_work_they_serve() {
    let simulation = Simulation::new();
    simulation.run(async {
        let (census, beats) = (Census::new(), AtomicU32::new(0));
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            let presence = census.join();
            n.start_service(async {
                let _presence = presence;
                loop {
                    sleep(SECOND).await;
                    beats.fetch_add(1, SeqCst);
                }
            });
            n.spawn(async {
                sleep(SECOND * 10 + SECOND / 2).await;
                Ok(())
            });
            Ok(())
        })
        .await;
        assert_eq!((outcome, beats.load(SeqCst), census.present()), (Ok(()), 10, 0));
    });
    assert_eq!(simulation.clock().passed(), SECOND * 10 + SECOND / 2);
}

#[test]
fn a_service_may_end_well_at_any_time() {
    everywhere(async || {
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            n.start_service(async { Ok(()) });
            turns(5).await;
            Ok(n.statistics().services)
        })
        .await;
        assert_eq!(outcome, Ok(0));
    });
}

#[test]
fn cancelling_is_an_error_that_the_caller_can_tell() {
    everywhere(async || {
        let outcome: Result<(), _> = nursery(async |n: Nursery<'_, Boom>| {
            let m = n.clone();
            n.start_soon(async move {
                turns(2).await;
                m.cancel();
                m.fail(Boom::No(2)); // too late
                forever().await
            });
            forever().await
        })
        .await;
        assert_eq!(outcome, Err(Boom::Cancelled(Cancelled)));
    });
}

#[test]
fn a_child_that_comes_too_late_is_dropped_unpolled() {
    everywhere(async || {
        let (census, polled) = (Census::new(), AtomicBool::new(false));
        struct Late<'env>(Nursery<'env, Boom>, &'env AtomicBool, Census);
        impl Drop for Late<'_> {
            fn drop(&mut self) {
                for on_pool in [false, true] {
                    let (presence, polled) = (self.2.join(), self.1);
                    let child = async move {
                        let _presence = presence;
                        polled.store(true, SeqCst);
                        Ok(())
                    };
                    if on_pool { self.0.start_service(child) } else { self.0.start_soon(child) }
                }
                let presence = self.2.join();
                self.0.spawn(async {
                    let _presence = presence;
                    panic!("polled")
                });
            }
        }
        let outcome: Result<(), _> = nursery(async |n: Nursery<'_, Boom>| {
            let late = Late(n.clone(), &polled, census.clone());
            n.start_soon(async move {
                let _late = late;
                forever().await
            });
            turns(1).await;
            Err(Boom::No(1))
        })
        .await;
        assert_eq!(outcome, Err(Boom::No(1)));
        assert_eq!((polled.load(SeqCst), census.present()), (false, 0));
    });
}

#[test]
fn an_escaped_handle_is_caught() {
    quiet();
    everywhere(async || {
        for dropped in [false, true] {
            let mut escaped = None;
            let work = nursery(async |n: Nursery<'static, Boom>| {
                escaped = Some(n);
                if dropped {
                    forever::<()>().await;
                }
                Ok(())
            });
            polled(1, work).await;
            let handle = escaped.unwrap();
            let census = Census::new();
            let attempts: [&dyn Fn(); 4] = [
                &|| {
                    let presence = census.join();
                    handle.start_soon(async {
                        let _presence = presence;
                        Ok(())
                    });
                },
                &|| handle.start_service(async { Ok(()) }),
                &|| handle.spawn(async { Ok(()) }),
                &|| drop(handle.child(async { Ok(()) })),
            ];
            for attempt in attempts {
                let caught = catch_unwind(AssertUnwindSafe(attempt));
                let text = *caught.unwrap_err().downcast::<&str>().unwrap();
                assert!(text.starts_with("this nursery has finished"), "{text}");
            }
            handle.fail(Boom::No(1)); // of no consequence
            handle.below(1).await;
            assert_eq!((handle.len(), handle.is_empty(), census.present()), (0, true, 0));
        }
    });
}

#[test]
fn below_caps_how_many_run_at_once() {
    everywhere(async || {
        let (census, peak) = (Census::new(), Arc::new(AtomicUsize::new(0)));
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            for i in 0..60 {
                n.below(4).await;
                assert!(n.len() < 4);
                let (census, peak) = (census.clone(), peak.clone());
                let child = async move {
                    let _presence = census.join();
                    peak.fetch_max(census.present(), SeqCst);
                    turns(i % 5).await;
                    Ok(())
                };
                if i % 2 == 0 { n.spawn(child) } else { n.start_soon(child) }
            }
            Ok(())
        })
        .await;
        assert_eq!(outcome, Ok(()));
        assert!((1..=4).contains(&peak.load(SeqCst)), "{peak:?}");
    });
}

#[test]
fn below_leaves_no_waker_behind_and_does_not_spin() {
    Simulation::new().run(async {
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            n.spawn(forever());
            n.start_soon(forever());
            for _ in 0..100 {
                assert!(polled(1, n.below(2)).await.is_none());
            }
            let polls = AtomicU32::new(0);
            let counting = futures::future::poll_fn(|_| {
                polls.fetch_add(1, SeqCst);
                std::task::Poll::<()>::Pending
            });
            let mut below = std::pin::pin!(futures::future::select(Box::pin(n.below(2)), counting));
            assert!(move_on_after(SECOND, &mut below).await.is_none());
            assert_eq!(polls.load(SeqCst), 2, "at first, and when time is up");
            Err::<(), _>(Boom::No(1))
        })
        .await;
        assert_eq!(outcome, Err(Boom::No(1)));
    });
}

#[test]
fn a_nursery_inherits_the_clock_of_whoever_polls_it() {
    let before = std::time::Instant::now();
    let work = nursery(|n: Nursery<'_, Boom>| {
        n.spawn(async {
            sleep(SECOND * 3600).await;
            Ok(())
        });
        async { Ok(now()) }
    });
    let outcome = Simulation::new().run(work);
    assert!(outcome.unwrap() < before + SECOND * 3600);
}

#[test]
fn a_body_that_panics_at_once_leaves_nothing_behind() {
    quiet();
    let census = Census::new();
    let (a, b) = (census.join(), census.join());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        nursery(|n: Nursery<'_, Boom>| -> std::future::Ready<Result<(), Boom>> {
            let (m, k) = (n.clone(), n.clone());
            n.start_soon(async move {
                let _held = (a, m);
                forever().await
            });
            n.spawn(async move {
                let _held = (b, k);
                forever().await
            });
            panic!("expected")
        })
    }));
    assert!(caught.is_err());
    assert_eq!(census.present(), 0);
}
