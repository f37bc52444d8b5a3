//! What is current on a thread: whose clean-up is adopted by whom, and what is put back.

use std::{
    cell::RefCell,
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Waker},
    thread,
};

use wscope::{
    Nursery, blocking, defer, nursery, parallel,
    testing::{Simulation, polled},
};

use super::SECOND;

#[test]
fn what_is_current_is_restored_whatever_happens() {
    let sinks = || defer(SECOND, async {}).is_ok();
    assert!(!sinks());
    for on_pool in [false, true] {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            wscope::run(nursery(async |n: Nursery<'_>| {
                // A whole program inside a child, on the same thread.
                let child = async { wscope::run(async { panic!("expected") }) };
                if on_pool {
                    n.spawn(child)
                } else {
                    n.start_soon(child)
                }
                pending::<Result<(), _>>().await
            }))
        }));
        assert!(caught.is_err());
        assert!(!sinks(), "nothing is current after it");
    }
    let outcome = Simulation::new().run(nursery(async |n: Nursery<'_>| {
        let mut inner = Box::pin(nursery(async |m: Nursery<'_>| {
            assert!(defer(SECOND, pending()).is_ok());
            assert_eq!(m.statistics().cleanups, 1);
            pending::<Result<(), _>>().await
        }));
        assert!(polled(1, inner.as_mut()).await.is_none());
        let before = n.statistics().cleanups;
        assert!(sinks());
        assert_eq!(n.statistics().cleanups, before + 1, "the inner nursery is not being polled here");
        drop(inner);
        assert_eq!(n.statistics().cleanups, before + 2, "and leaves what it had");
        Ok(())
    }));
    assert!(outcome.is_ok(), "the clean-up that never ends has had its limit");
}

#[test]
fn a_thread_that_ends_may_ask_for_a_nursery() {
    struct Late(Arc<AtomicBool>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.0.store(defer(SECOND, async {}).is_err(), SeqCst);
            let mut work = Box::pin(nursery(async |_: Nursery<'_>| Ok(())));
            drop(work.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        }
    }
    thread_local! { static LATE: RefCell<Option<Late>> = const { RefCell::new(None) } }
    let refused = Arc::new(AtomicBool::new(false));
    let flag = refused.clone();
    let thread = thread::spawn(move || {
        LATE.with(|late| *late.borrow_mut() = Some(Late(flag)));
        wscope::run(nursery(async |_: Nursery<'_>| Ok(()))).unwrap();
    });
    thread.join().unwrap();
    assert!(refused.load(SeqCst));
}

#[test]
fn other_threads_of_a_nursery_have_it_too() {
    for outside in [false, true] {
        let sinks = || defer(SECOND, async {}).is_ok();
        let outcome = wscope::run(nursery(async |n: Nursery<'_>| {
            assert!(parallel(async move { sinks() }).await);
            assert!(blocking(sinks).await);
            n.spawn(async move {
                assert!(sinks());
                Ok(())
            });
            if outside {
                assert!(!thread::spawn(sinks).join().unwrap(), "a thread of one's own is nobody's");
            }
            Ok(())
        }));
        assert!(outcome.is_ok());
    }
}
