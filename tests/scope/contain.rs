//! Panics that are contained: of destructors, beside errors and values, and of what was panicked with.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
};

use futures::FutureExt;
use wscope::{Nursery, blocking, defer, fail_after, nursery, parallel, testing::Census};

use super::{Bomb, Boom, SECOND, everywhere, forever, quiet, start_on, turns};

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
fn a_panicking_destructor_keeps_no_sibling_alive() {
    quiet();
    for on_pool in [false, true] {
        everywhere(async || {
            let census = Census::new();
            let outcome: Result<(), _> = nursery(async |n| {
                for i in 0..10 {
                    let presence = census.join();
                    let child = async move {
                        let (_presence, _bomb) = (presence, (i % 3 == 0).then(|| Bomb));
                        forever().await
                    };
                    start_on(&n, on_pool, child);
                }
                turns(3).await;
                Err(Boom::No(3))
            })
            .await;
            assert_eq!((outcome, census.present()), (Err(Boom::No(3)), 0));
        });
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
                start_on(&n, on_pool, child);
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
                start_on(&n, on_pool, child);
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
                std::panic::panic_any(Self(self.0 - 1));
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
                        start_on(&n, on_pool, child);
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
                    start_on(&n, on_pool, child);
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
