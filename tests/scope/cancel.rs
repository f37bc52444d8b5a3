//! Cancel scopes: down, not up; asked, then insisted.

use std::{task::Waker, thread};

use futures::{FutureExt, task::Context};
use wscope::{
    CancelScope, Cancelled, Nursery, defer, move_on_after, nursery, parallel,
    runtime::now,
    scope::Join,
    sleep,
    testing::{Census, Simulation, polled},
};

use super::{Boom, SECOND, everywhere, forever, turns};

#[test]
fn cancelling_from_elsewhere_drops_the_work() {
    everywhere(async || {
        let (scope, census) = (CancelScope::new(), Census::new());
        let presence = census.join();
        let (outcome, ()) = (
            scope.run(async move {
                let _presence = presence;
                forever::<()>().await;
            }),
            parallel({
                let scope = scope.clone();
                async move {
                    turns(3).await;
                    scope.cancel();
                }
            }),
        )
            .join()
            .await;
        assert_eq!((outcome, census.present()), (Err(Cancelled), 0));
    });
}

#[test]
fn from_another_thread_too() {
    let scope = CancelScope::new();
    let other = scope.clone();
    let helper = thread::spawn(move || other.cancel());
    assert_eq!(wscope::run(scope.run(forever::<()>())), Err(Cancelled));
    helper.join().unwrap();
}

#[test]
fn work_in_a_cancelled_scope_is_not_polled() {
    let scope = CancelScope::new();
    scope.cancel();
    let outcome = wscope::run(scope.run(async { panic!("polled") }));
    assert_eq!(outcome, Err::<(), _>(Cancelled));
}

#[test]
fn the_work_is_gone_when_run_returns() {
    everywhere(async || {
        let (scope, census) = (CancelScope::new(), Census::new());
        let presence = census.join();
        let mut run = Box::pin(scope.run(async move {
            let _presence = presence;
            forever::<()>().await;
        }));
        assert!(polled(1, run.as_mut()).await.is_none());
        scope.cancel();
        assert_eq!(run.as_mut().await, Err(Cancelled));
        assert_eq!(census.present(), 0);
    });
}

#[test]
fn closing_asks_and_the_grace_period_insists() {
    let simulation = Simulation::new();
    simulation.run(async {
        let scope = CancelScope::new();
        let child = scope.child();
        let willing = scope.run(async {
            child.closing().await;
            sleep(SECOND).await;
            "in good order"
        });
        let ask = async { scope.close_within(SECOND * 3) };
        assert_eq!((willing, ask).join().await.0, Ok("in good order"));
        assert_eq!(simulation.clock().passed(), SECOND);

        let scope = CancelScope::new();
        let stubborn = scope.run(async {
            scope.closing().await;
            forever::<()>().await;
        });
        let ask = async { scope.close_within(SECOND * 3) };
        assert_eq!((stubborn, ask).join().await.0, Err(Cancelled));
        assert!(scope.is_cancelled());
        assert_eq!(simulation.clock().passed(), SECOND * 4);
    });
}

#[test]
fn a_grace_period_never_moves_an_earlier_deadline() {
    Simulation::new().run(async {
        let scope = CancelScope::new();
        let soon = now() + SECOND;
        scope.set_deadline(Some(soon));
        scope.close_within(SECOND * 5);
        assert_eq!(scope.deadline(), Some(soon));
        scope.close_within(SECOND / 2);
        assert_eq!(scope.deadline(), Some(soon - SECOND / 2));
        scope.close_within(std::time::Duration::MAX);
        assert_eq!(scope.deadline(), Some(soon - SECOND / 2));
    });
}

#[test]
fn reaches_down_and_not_up() {
    let top = CancelScope::new();
    let left = top.child();
    let (below, right) = (left.child(), top.child());
    left.cancel();
    assert!(!top.is_closing() && left.is_cancelled() && below.is_cancelled() && !right.is_closing());
    top.close();
    assert!(right.is_closing() && !right.is_cancelled() && below.is_cancelled());
    assert!(top.child().is_closing(), "born into a closing family");
    left.close();
    assert!(left.is_cancelled(), "nothing goes back");
}

#[test]
fn reaches_through_a_handle_that_is_gone() {
    let top = CancelScope::new();
    let grandchild = top.child().child();
    top.cancel();
    assert!(grandchild.is_cancelled());
}

#[test]
fn a_deadline_can_be_moved_while_work_runs() {
    let simulation = Simulation::new();
    simulation.run(async {
        for (first, then, after) in
            [(Some(10), Some(2), 2), (Some(2), Some(10), 10), (None, Some(3), 3), (Some(3), None, 20)]
        {
            let (begin, scope) = (now(), CancelScope::new());
            let at = |seconds: Option<u32>| seconds.map(|seconds| begin + SECOND * seconds);
            scope.set_deadline(at(first));
            let nudge = async {
                sleep(SECOND).await;
                scope.set_deadline(at(then));
                sleep(SECOND * 19).await;
                scope.cancel();
            };
            let work = async {
                let outcome = scope.run(forever::<()>()).await;
                assert_eq!((outcome, now() - begin), (Err(Cancelled), SECOND * after));
            };
            (work, nudge).join().await;
        }
    });
}

#[test]
fn the_deadline_of_a_scope_above_counts() {
    let simulation = Simulation::new();
    simulation.run(async {
        let top = CancelScope::new();
        let bottom = top.child().child();
        bottom.set_deadline(Some(now() + SECOND * 10));
        let nudge = async {
            sleep(SECOND).await;
            top.set_deadline(Some(now() + SECOND));
        };
        let (outcome, ()) = (bottom.run(forever::<()>()), nudge).join().await;
        assert_eq!((outcome, simulation.clock().passed()), (Err(Cancelled), SECOND * 2));
        assert!(top.is_cancelled());
    });
}

#[test]
fn a_deadline_that_has_passed_counts_although_nobody_watches() {
    let simulation = Simulation::new();
    simulation.run(async {
        let scope = CancelScope::new();
        scope.set_deadline(Some(now() + SECOND));
        assert!(!scope.child().is_cancelled());
        simulation.clock().advance(SECOND);
        assert!(scope.child().is_cancelled() && scope.is_cancelled());
    });
}

#[test]
fn closing_and_cancelled_heed_deadlines() {
    let simulation = Simulation::new();
    simulation.run(async {
        for stage in 0..2 {
            let scope = CancelScope::new();
            scope.set_deadline(Some(now() + SECOND));
            if stage == 0 {
                scope.closing().await
            } else {
                scope.cancelled().await
            }
            assert!(scope.is_cancelled());
        }
    });
    assert_eq!(simulation.clock().passed(), SECOND * 2);
}

#[test]
fn no_waker_is_left_behind() {
    everywhere(async || {
        let scope = CancelScope::new();
        scope.set_deadline(Some(now() + SECOND * 3600));
        for _ in 0..1000 {
            assert!(scope.closing().now_or_never().is_none());
            assert!(scope.cancelled().now_or_never().is_none());
            assert!(scope.run(forever::<()>()).now_or_never().is_none());
            drop(scope.child());
        }
        assert!(format!("{scope:?}").contains("watchers: 0"), "{scope:?}");
    });
}

#[test]
fn a_long_chain_does_not_overflow_the_stack() {
    let mut scope = CancelScope::new();
    for _ in 0..1_000_000 {
        scope = scope.child();
    }
    assert!(!scope.is_cancelled());
    drop(scope);
}

#[test]
fn whoever_is_woken_may_use_the_scope() {
    struct Meddler(CancelScope);
    impl std::task::Wake for Meddler {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.close();
            self.0.set_deadline(None);
            drop(self.0.child());
        }
    }
    impl Drop for Meddler {
        fn drop(&mut self) {
            self.0.close();
        }
    }
    let scope = CancelScope::new();
    let mut work = Box::pin(scope.run(forever::<()>()));
    for _ in 0..3 {
        let waker = Waker::from(std::sync::Arc::new(Meddler(scope.clone())));
        assert!(work.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    scope.cancel();
    assert!(scope.is_cancelled());
}

#[test]
fn a_nursery_in_a_scope_is_stopped_in_order() {
    everywhere(async || {
        let (scope, census) = (CancelScope::new(), Census::new());
        let handle = scope.clone();
        let presence = census.join();
        let goodbye = census.join();
        let outcome = scope
            .run(nursery(async |n: Nursery<'_, Boom>| {
                n.start_soon(async move {
                    let _polite = Polite(Some(goodbye));
                    forever().await
                });
                n.spawn(async move {
                    let _presence = presence;
                    turns(2).await;
                    handle.cancel();
                    forever().await
                });
                forever::<Result<(), _>>().await
            }))
            .await;
        assert_eq!(outcome, Err(Cancelled));
        assert_eq!(census.present(), 1, "the goodbye has moved to the nursery around");
        assert!(move_on_after(SECOND, super::until(|| census.present() == 0)).await.is_some());
    });
}

struct Polite(Option<wscope::testing::Presence>);

impl Drop for Polite {
    fn drop(&mut self) {
        let presence = self.0.take();
        let goodbye = async move {
            turns(1).await;
            drop(presence);
        };
        assert!(defer(SECOND, goodbye).is_ok());
    }
}
