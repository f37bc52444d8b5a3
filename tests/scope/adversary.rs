//! What somebody would try who wants to break it: destructors that panic, wakers and destructors that come back in, futures that
//! are dropped from where nobody expects it.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

use futures::{FutureExt, future::BoxFuture};
use wscope::{
    Cancelled, Nursery, blocking, defer, fail_after, nursery, parallel, supervisor,
    testing::{Census, Presence, Simulation, polled},
};

use super::{Bomb, Boom, Gate, SECOND, everywhere, forever, quiet, turns, until};

/// An error that panics when it is dropped, unless it is defused.
struct Fuse(bool);

impl Fuse {
    fn lit() -> Self {
        Self(true)
    }

    fn put_out(mut self) {
        self.0 = false;
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        assert!(!self.0, "expected of a fuse");
    }
}

#[test]
fn errors_that_come_second_may_panic_when_they_are_dropped() {
    quiet();
    everywhere(async || {
        let outcome: Result<(), Fuse> = nursery(async |n| {
            n.fail(Fuse::lit());
            n.fail(Fuse::lit());
            for _ in 0..5 {
                n.spawn(async { Err(Fuse::lit()) });
            }
            turns(3).await;
            forever().await
        })
        .await;
        outcome.unwrap_err().put_out();
    });
}

#[test]
fn an_error_and_a_value_give_way_to_a_panic_even_if_they_panic() {
    quiet();
    everywhere(async || {
        let bad = async || {
            assert!(defer(SECOND, async { panic!("expected") }).is_ok());
        };
        let failed = AssertUnwindSafe(nursery(async |_: Nursery<'_, Fuse>| {
            bad().await;
            Err::<(), _>(Fuse::lit())
        }));
        assert_eq!(failed.catch_unwind().await.err().unwrap().downcast_ref(), Some(&"expected"));
        let complete = AssertUnwindSafe(nursery(async |_: Nursery<'_, Boom>| {
            bad().await;
            Ok(Fuse::lit())
        }));
        assert_eq!(complete.catch_unwind().await.err().unwrap().downcast_ref(), Some(&"expected"));
    });
}

#[test]
fn a_payload_may_panic_when_it_is_dropped() {
    quiet();
    everywhere(async || {
        let caught = AssertUnwindSafe(nursery(async |n: Nursery<'_, Boom>| {
            for _ in 0..4 {
                n.spawn(async { std::panic::panic_any(Fuse::lit()) });
            }
            forever::<Result<(), _>>().await
        }))
        .catch_unwind()
        .await;
        caught.unwrap_err().downcast::<Fuse>().unwrap().put_out();
    });
}

#[test]
fn a_child_on_the_pool_whose_values_panic_at_its_end_has_panicked() {
    quiet();
    everywhere(async || {
        struct Ready(Bomb);
        impl Future for Ready {
            type Output = Result<(), Boom>;
            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
                Poll::Ready(Ok(()))
            }
        }
        for on_pool in [false, true] {
            let caught = AssertUnwindSafe(nursery(async |n: Nursery<'_, Boom>| {
                let child = Ready(Bomb);
                if on_pool {
                    n.spawn(child)
                } else {
                    n.start_soon(child)
                }
                forever::<Result<(), _>>().await
            }))
            .catch_unwind()
            .await;
            assert!(caught.is_err());
        }
    });
}

#[test]
fn a_child_may_end_with_an_error_and_a_destructor_that_both_panic() {
    quiet();
    struct Ready(Bomb);
    impl Future for Ready {
        type Output = Result<(), Fuse>;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Err(Fuse::lit()))
        }
    }
    everywhere(async || {
        for on_pool in [false, true] {
            let census = Census::new();
            let said = Arc::new(AtomicBool::new(false));
            let (presence, saying) = (census.join(), said.clone());
            let caught = AssertUnwindSafe(nursery(async |n: Nursery<'_, Fuse>| {
                assert!(
                    defer(SECOND, async move {
                        turns(2).await;
                        drop(presence);
                        saying.store(true, SeqCst)
                    })
                    .is_ok()
                );
                let child = Ready(Bomb);
                if on_pool {
                    n.spawn(child)
                } else {
                    n.start_soon(child)
                }
                forever::<Result<(), _>>().await
            }))
            .catch_unwind()
            .await;
            assert_eq!(
                caught.err().unwrap().downcast_ref(),
                Some(&"expected of a bomb"),
                "the first one is kept"
            );
            assert!(said.load(SeqCst), "the nursery came to its end in order");
            assert_eq!(census.present(), 0);
        }
    });
}

#[test]
fn a_destructor_may_panic_with_something_that_panics_when_it_is_dropped() {
    quiet();
    struct Chain(u32);
    impl Drop for Chain {
        fn drop(&mut self) {
            if self.0 > 0 {
                std::panic::panic_any(Chain(self.0 - 1));
            }
        }
    }
    everywhere(async || {
        for length in 1..5 {
            let census = Census::new();
            let outcome: Result<(), _> = nursery(async |n: Nursery<'_, Boom>| {
                for on_pool in [false, true] {
                    for _ in 0..5 {
                        let presence = census.join();
                        let child = async move {
                            let _held = (presence, Chain(length));
                            forever().await
                        };
                        if on_pool { n.spawn(child) } else { n.start_soon(child) }
                    }
                }
                turns(3).await;
                Err(Boom::No(1))
            })
            .await;
            assert_eq!((outcome, census.present()), (Err(Boom::No(1)), 0));
        }
    });
}

#[test]
fn a_nursery_may_be_dropped_by_a_panic_with_bombs_in_it() {
    quiet();
    let census = Census::new();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let mut work = Box::pin(nursery(async |n: Nursery<'_, Boom>| {
            for on_pool in [false, true] {
                for _ in 0..3 {
                    let presence = census.join();
                    let child = async {
                        let _held = (presence, Bomb);
                        forever().await
                    };
                    if on_pool { n.spawn(child) } else { n.start_soon(child) }
                }
            }
            let _bomb = Bomb;
            forever::<Result<(), _>>().await
        }));
        assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        panic!("expected, to unwind through the nursery");
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"expected, to unwind through the nursery"));
    assert_eq!(census.present(), 0);
}

#[test]
fn what_a_nursery_was_about_to_return_may_panic_when_both_are_dropped_by_a_panic() {
    quiet();
    for failed in [false, true] {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let mut work = Box::pin(nursery(async |_: Nursery<'_, Fuse>| {
                assert!(defer(SECOND, forever()).is_ok());
                if failed { Err(Fuse::lit()) } else { Ok(Fuse::lit()) }
            }));
            assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            panic!("expected, to unwind through the nursery");
        }));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"expected, to unwind through the nursery"));
    }
}

#[test]
fn destructors_may_come_back_in() {
    struct Meddler(Nursery<'static, Boom>, #[expect(dead_code, reason = "counted")] Presence);
    impl Drop for Meddler {
        fn drop(&mut self) {
            let n = &self.0;
            n.fail(Boom::No(9));
            n.start_soon(async { Ok(()) });
            n.spawn(async { Ok(()) });
            n.start_service(async { Ok(()) });
            drop(n.child(async { Ok(()) }));
            n.spawn_blocking(|| Ok(()));
            let _ = (n.len(), n.statistics(), n.clone());
            let m = n.clone();
            let again = async move {
                turns(1).await;
                let _ = m.statistics(); // starting one would be too late, where this has moved outwards
            };
            assert!(defer(SECOND, again).is_ok());
        }
    }
    everywhere(async || {
        for way in 0..3 {
            let census = Census::new();
            let work = nursery(async |n: Nursery<'static, Boom>| {
                for kind in 0..3 {
                    let meddler = Meddler(n.clone(), census.join());
                    let child = async move {
                        let _meddler = meddler;
                        turns(1).await;
                        forever().await
                    };
                    match kind {
                        0 => n.start_soon(child),
                        1 => n.spawn(child),
                        _ => n.start_service(child),
                    }
                }
                let _mine = Meddler(n.clone(), census.join());
                turns(3).await;
                match way {
                    0 => Err(Boom::No(1)),
                    1 => Ok(()),
                    _ => forever().await,
                }
            });
            if way == 1 {
                // Ordinary children never end, so it is dropped while it waits for them, or fails by a meddler.
                polled(5, work).await;
            } else if way == 2 {
                polled(2, work).await;
            } else {
                assert!(work.await.is_err());
            }
            assert_eq!(census.present(), 0, "way {way}");
        }
    });
}

#[test]
fn wakers_may_come_back_in() {
    struct Meddler(Nursery<'static, Boom>, AtomicU32);
    impl Meddler {
        fn meddle(&self) {
            if self.1.fetch_add(1, SeqCst) < 20 {
                self.0.start_soon(async { Ok(()) });
                self.0.spawn(async { Ok(()) });
                let _ = self.0.statistics();
            }
        }
    }
    impl Wake for Meddler {
        fn wake(self: Arc<Self>) {
            self.meddle();
        }
    }
    impl Drop for Meddler {
        fn drop(&mut self) {
            let _ = (self.0.len(), self.0.statistics());
        }
    }
    let given = Arc::new(Mutex::new(None));
    let give = given.clone();
    let mut work = Box::pin(nursery(async move |n: Nursery<'static, Boom>| {
        *give.lock().unwrap() = Some(n.clone());
        n.start_soon(async {
            turns(3).await;
            Ok(())
        });
        for _ in 0..5 {
            n.below(2).await;
            n.spawn(turns(2).map(Ok));
        }
        Ok(())
    }));
    assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let deadline = std::time::Instant::now() + SECOND * 30;
    let mut handle = given.lock().unwrap().take();
    loop {
        // Another waker at each poll, which is replaced, dropped and woken from wherever.
        let waker = handle.as_ref().map(|handle| Arc::new(Meddler(handle.clone(), AtomicU32::new(0))).into());
        let waker: Waker = waker.unwrap_or_else(|| Waker::noop().clone());
        if let Poll::Ready(outcome) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            assert_eq!(outcome, Ok(()));
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it hangs");
        handle = handle.filter(|handle| handle.statistics().started < 1000);
        thread::yield_now();
    }
}

#[test]
fn a_child_may_drop_the_nursery_that_it_is_in() {
    type Work = BoxFuture<'static, Result<(), Boom>>;
    wscope::run(async {
        let census = Census::new();
        let place: Arc<Mutex<Option<Work>>> = Arc::default();
        let (own, presence, goodbye) = (place.clone(), census.join(), census.join());
        let sibling = census.join();
        let mut work: Work = Box::pin(nursery(async move |n: Nursery<'static, Boom>| {
            n.start_soon(async move {
                let _sibling = sibling;
                forever().await
            });
            n.spawn(async move {
                let _presence = presence;
                loop {
                    let work = own.lock().unwrap().take();
                    if work.is_some() {
                        break;
                    }
                    turns(1).await;
                }
                // The nursery has been dropped here, inside a child of it: there is nobody who could adopt this.
                let refused = defer(SECOND, async move { drop(goodbye) });
                assert!(refused.is_err());
                forever().await
            });
            forever().await
        }));
        assert!(polled(1, work.as_mut()).await.is_none());
        *place.lock().unwrap() = Some(work);
        until(|| census.present() == 0).await;
    });
}

#[test]
fn nurseries_that_drop_each_other_both_end() {
    type Work = BoxFuture<'static, Result<(), Boom>>;
    for _ in 0..20 {
        wscope::run(async {
            let census = Census::new();
            let places: [Arc<Mutex<Option<Work>>>; 2] = Default::default();
            for i in 0..2 {
                let (other, presence, late) = (places[1 - i].clone(), census.join(), census.join());
                let mut work: Work = Box::pin(nursery(async move |n: Nursery<'static, Boom>| {
                    n.spawn(async move {
                        let _presence = presence;
                        loop {
                            let work = other.lock().unwrap().take();
                            if work.is_some() {
                                break;
                            }
                            turns(1).await;
                        }
                        drop(defer(SECOND, async move { drop(late) }));
                        forever().await
                    });
                    forever().await
                }));
                assert!(polled(1, work.as_mut()).await.is_none());
                *places[i].lock().unwrap() = Some(work);
            }
            // One of them may have been dropped before it could drop the other.
            until(|| census.present() <= 2).await;
            let left: Vec<_> = places.iter().filter_map(|place| place.lock().unwrap().take()).collect();
            drop(left);
            until(|| census.present() == 0).await;
        });
    }
}

#[test]
fn what_is_current_is_restored_whatever_happens() {
    quiet();
    let sinks = || defer(SECOND, async {}).is_ok();
    assert!(!sinks());
    for on_pool in [false, true] {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            wscope::run(nursery(async |n: Nursery<'_, Boom>| {
                // A whole program inside a child, on the same thread.
                let child = async { wscope::run(async { panic!("expected") }) };
                if on_pool {
                    n.spawn(child)
                } else {
                    n.start_soon(child)
                }
                forever::<Result<(), _>>().await
            }))
        }));
        assert!(caught.is_err());
        assert!(!sinks(), "nothing is current after it");
    }
    let outcome = Simulation::new().run(nursery(async |n: Nursery<'_, Boom>| {
        let mut inner = Box::pin(nursery(async |m: Nursery<'_, Boom>| {
            assert!(defer(SECOND, forever()).is_ok());
            assert_eq!(m.statistics().cleanups, 1);
            forever::<Result<(), _>>().await
        }));
        assert!(polled(1, inner.as_mut()).await.is_none());
        let before = n.statistics().cleanups;
        assert!(sinks());
        assert_eq!(n.statistics().cleanups, before + 1, "the inner nursery is not being polled here");
        drop(inner);
        assert_eq!(n.statistics().cleanups, before + 2, "and leaves what it had");
        Ok(())
    }));
    assert_eq!(outcome, Ok(()), "the clean-up that never ends has had its limit");
}

#[test]
fn a_thread_that_ends_may_ask_for_a_nursery() {
    struct Late(Arc<AtomicBool>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.0.store(defer(SECOND, async {}).is_err(), SeqCst);
            let mut work = Box::pin(nursery(async |_: Nursery<'_, Boom>| Ok(())));
            drop(work.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        }
    }
    thread_local! { static LATE: RefCell<Option<Late>> = const { RefCell::new(None) } }
    let refused = Arc::new(AtomicBool::new(false));
    let flag = refused.clone();
    let thread = thread::spawn(move || {
        LATE.with(|late| *late.borrow_mut() = Some(Late(flag)));
        wscope::run(nursery(async |_: Nursery<'_, Boom>| Ok(()))).unwrap();
    });
    thread.join().unwrap();
    assert!(refused.load(SeqCst));
}

#[test]
fn a_receipt_that_escapes_says_that_the_child_is_gone() {
    everywhere(async || {
        let mut receipt = None;
        let outcome: Result<(), _> = nursery(async |n: Nursery<'_, Boom>| {
            receipt = Some(n.child(forever::<Result<u8, Boom>>()));
            turns(1).await;
            Err(Boom::No(1))
        })
        .await;
        assert_eq!(outcome, Err(Boom::No(1)));
        assert_eq!(receipt.unwrap().await, Err(Cancelled));
    });
}

#[test]
fn a_supervisor_may_start_children_from_its_handler() {
    everywhere(async || {
        let handle = Arc::new(Mutex::new(None::<Nursery<'static, Boom>>));
        let (own, mut restarts) = (handle.clone(), 0);
        let restart = move |error| {
            restarts += 1;
            if restarts > 10 {
                return Err(error);
            }
            let n = own.lock().unwrap().clone().unwrap();
            n.spawn(async { Err(Boom::No(2)) });
            Ok(())
        };
        let outcome: Result<(), _> = supervisor(restart, async |n| {
            *handle.lock().unwrap() = Some(n.clone());
            n.start_soon(async { Err(Boom::No(1)) });
            forever().await
        })
        .await;
        assert_eq!(outcome, Err(Boom::No(2)));
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

#[test]
fn a_nursery_that_is_polled_again_says_so() {
    quiet();
    let mut work = Box::pin(nursery(async |_: Nursery<'_, Boom>| Ok(())));
    let mut poll = || work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(poll(), Poll::Ready(Ok(())));
    let caught = catch_unwind(AssertUnwindSafe(poll));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"a nursery was polled after it had finished"));
}

#[test]
fn work_that_panics_in_its_drop_does_not_break_a_timeout() {
    quiet();
    everywhere(async || {
        let work = async {
            let _bomb = Bomb;
            forever::<()>().await;
        };
        let caught = AssertUnwindSafe(fail_after(SECOND / 1000, parallel(work))).catch_unwind().await;
        assert!(
            caught.unwrap().is_err(),
            "what happens on the pool stays there, and is reported by the hook"
        );
        let census = Census::new();
        let presence = census.join();
        let work = blocking(move || {
            let _held = (presence, Bomb);
        });
        assert!(AssertUnwindSafe(work).catch_unwind().await.is_err());
        assert_eq!(census.present(), 0);
    });
}
