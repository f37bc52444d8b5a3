//! What somebody would try who wants to break it: wakers and destructors that come back in, futures that are dropped from where
//! nobody expects it. Destructors that panic are in `contain`, numbers in `load`.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

use futures::{FutureExt, future::BoxFuture};
use wscope::{
    Nursery, defer, nursery, supervisor,
    testing::{Census, Presence, polled},
};

use super::{Boom, SECOND, everywhere, forever, turns, until};

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
