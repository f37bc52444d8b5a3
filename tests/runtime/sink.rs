//! Where clean-up goes when the nursery that would have adopted it is through. Every schedule of it is tried in `tests/model`.

use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::Poll,
};

use futures::future::BoxFuture;
use wscope::{
    Nursery, defer, nursery, sleep,
    testing::{Census, Simulation, polled},
};

use super::SECOND;

async fn turn() {
    let mut given_way = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut given_way, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        turn().await;
    }
}

#[test]
fn nurseries_that_drop_each_other_both_end() {
    type Work = BoxFuture<'static, Result<(), Infallible>>;
    for _ in 0..20 {
        wscope::run(async {
            let census = Census::new();
            let places: [Arc<Mutex<Option<Work>>>; 2] = Default::default();
            for i in 0..2 {
                let (other, presence, late) = (places[1 - i].clone(), census.join(), census.join());
                let mut work: Work = Box::pin(nursery(async move |n: Nursery<'static, Infallible>| {
                    n.spawn(async move {
                        let _presence = presence;
                        loop {
                            let work = other.lock().unwrap().take();
                            if work.is_some() {
                                break;
                            }
                            turn().await;
                        }
                        drop(defer(SECOND, async move { drop(late) }));
                        pending().await
                    });
                    pending().await
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

/// Says goodbye so often, each time from the drop of the last.
struct Chain(u32, Arc<AtomicU32>);

impl Drop for Chain {
    fn drop(&mut self) {
        self.1.fetch_add(1, SeqCst);
        if self.0 > 0 {
            let next = Self(self.0 - 1, self.1.clone());
            let goodbye = async move {
                sleep(SECOND).await;
                drop(next);
            };
            assert!(defer(SECOND * 2, goodbye).is_ok());
        }
    }
}

#[test]
fn what_comes_while_a_nursery_ends_keeps_it_from_ending() {
    let (simulation, said) = (Simulation::new(), Arc::new(AtomicU32::new(0)));
    let chain = Chain(3, said.clone());
    let outcome = simulation.run(nursery(async |n: Nursery<'_, Infallible>| {
        n.start_service(async move {
            let _chain = chain;
            pending().await
        });
        turn().await;
        Ok(())
    }));
    assert_eq!((outcome, said.load(SeqCst)), (Ok(()), 4));
    assert_eq!(simulation.clock().passed(), SECOND * 3);
}
