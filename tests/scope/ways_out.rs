//! "No child outlives its nursery": each way out of a nursery, with each kind of child in it. A census is taken at the moment when
//! the nursery returns, or its drop does.

use std::{
    mem,
    panic::{AssertUnwindSafe, resume_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::FutureExt;
use wscope::{
    Nursery, TaskStatus, defer, move_on_after, nursery, parallel, supervisor,
    testing::{Census, polled},
};

use super::{Bomb, Boom, Gate, Opener, everywhere, forever, quiet, turns, until};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Value,
    ErrorOfBody,
    ErrorOfChild,
    ErrorOfPoolChild,
    ErrorOfService,
    Fail,
    Escalation,
    PanicOfBody,
    PanicOfChild,
    PanicOfPoolChild,
    PanicOfService,
    PanicOfDestructor,
    PanicOfCleanup,
    PanicOfSupervisor,
    Timeout,
    Dropped,
    Unpolled,
}

const WAYS: [Way; 17] = [
    Way::Value,
    Way::ErrorOfBody,
    Way::ErrorOfChild,
    Way::ErrorOfPoolChild,
    Way::ErrorOfService,
    Way::Fail,
    Way::Escalation,
    Way::PanicOfBody,
    Way::PanicOfChild,
    Way::PanicOfPoolChild,
    Way::PanicOfService,
    Way::PanicOfDestructor,
    Way::PanicOfCleanup,
    Way::PanicOfSupervisor,
    Way::Timeout,
    Way::Dropped,
    Way::Unpolled,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    InTask,
    Borrowing,
    Pool,
    Parallel,
    Service,
    ParallelService,
    Receipt,
    Started,
    StartedService,
    Nested,
    NestedOnPool,
    Blocking,
}

const KINDS: [Kind; 12] = [
    Kind::InTask,
    Kind::Borrowing,
    Kind::Pool,
    Kind::Parallel,
    Kind::Service,
    Kind::ParallelService,
    Kind::Receipt,
    Kind::Started,
    Kind::StartedService,
    Kind::Nested,
    Kind::NestedOnPool,
    Kind::Blocking,
];

/// What a child does: ends by itself where the way out waits for that.
async fn life<T: Default>(way: Way, census: Census) -> Result<T, Boom> {
    let _presence = census.join();
    match way {
        Way::Value => turns(5).await,
        _ => forever().await,
    }
    Ok(T::default())
}

async fn start(n: &Nursery<'_, Boom>, kind: Kind, way: Way, census: &Census, gate: &Gate) {
    let life = || life::<()>(way, census.clone());
    match kind {
        Kind::InTask | Kind::Borrowing => n.start_soon(life()),
        Kind::Pool => n.spawn(life()),
        Kind::Parallel => n.start_soon(parallel(life())),
        Kind::Service => n.start_service(life()),
        Kind::ParallelService => n.start_service(parallel(life())),
        Kind::Receipt => drop(n.child(life())),
        Kind::Started => {
            let life = life();
            let starting = n.start(async |status: TaskStatus<u8>| {
                let started = status.started(1);
                life.await.map(|()| started)
            });
            assert_eq!(starting.await, Ok(1));
        }
        Kind::StartedService => {
            let life = life();
            let starting = n.start_service_with(async |status: TaskStatus<u8>| {
                let started = status.started(1);
                life.await.map(|()| started)
            });
            assert_eq!(starting.await, Ok(1));
        }
        Kind::Nested => n.start_soon(nest(life(), life())),
        Kind::NestedOnPool => n.spawn(nest(life(), life())),
        Kind::Blocking => {
            let (presence, gate) = (census.join(), gate.clone());
            n.spawn_blocking(move || {
                let _presence = presence;
                gate.wait();
                Ok(())
            });
        }
    }
}

async fn nest(
    a: impl Future<Output = Result<(), Boom>> + Send,
    b: impl Future<Output = Result<(), Boom>> + Send + 'static,
) -> Result<(), Boom> {
    nursery(async |n| {
        n.start_soon(a);
        n.spawn(b);
        Ok(())
    })
    .await
}

/// What makes the nursery end.
async fn end(n: &Nursery<'_, Boom>, way: Way) -> Result<u8, Boom> {
    match way {
        Way::Value => Ok(7),
        Way::ErrorOfBody => Err(Boom::No(1)),
        Way::ErrorOfChild | Way::Escalation | Way::PanicOfSupervisor => {
            n.start_soon(async { Err(Boom::No(1)) });
            forever().await
        }
        Way::ErrorOfPoolChild => {
            n.spawn(async { Err(Boom::No(1)) });
            forever().await
        }
        Way::ErrorOfService => {
            n.start_service(async { Err(Boom::No(1)) });
            forever().await
        }
        Way::Fail => {
            n.fail(Boom::No(1));
            forever().await
        }
        Way::PanicOfBody => panic!("expected"),
        Way::PanicOfChild => {
            n.start_soon(async { panic!("expected") });
            forever().await
        }
        Way::PanicOfPoolChild => {
            n.spawn(async { panic!("expected") });
            forever().await
        }
        Way::PanicOfService => {
            n.start_service(async { panic!("expected") });
            forever().await
        }
        Way::PanicOfDestructor => {
            n.start_soon(async {
                let _bomb = Bomb;
                Ok(())
            });
            forever().await
        }
        Way::PanicOfCleanup => {
            assert!(defer(Duration::MAX, async { panic!("expected") }).is_ok());
            forever().await
        }
        Way::Timeout | Way::Dropped | Way::Unpolled => forever().await,
    }
}

async fn body<'env>(
    n: Nursery<'env, Boom>,
    kind: Kind,
    way: Way,
    census: &'env Census,
    gate: &Gate,
) -> Result<u8, Boom> {
    let _me = census.join();
    let _opener = (kind == Kind::Blocking).then(|| gate.opener());
    for _ in 0..3 {
        start(&n, kind, way, census, gate).await;
    }
    if kind == Kind::Borrowing {
        n.start_soon(async move { life(way, census.clone()).await });
    }
    turns(3).await;
    end(&n, way).await
}

/// A nursery with `kind` in it leaves by `way`, and the census is taken.
async fn leave(kind: Kind, way: Way) {
    let (census, gate) = (Census::new(), Gate::default());
    let on_error = |error| match way {
        Way::PanicOfSupervisor => panic!("expected"),
        _ => Err(error),
    };
    let work = async {
        match way {
            Way::Escalation | Way::PanicOfSupervisor => {
                supervisor(on_error, |n| body(n, kind, way, &census, &gate)).await
            }
            _ => nursery(|n| body(n, kind, way, &census, &gate)).await,
        }
    };
    let work = AssertUnwindSafe(work).catch_unwind();
    let outcome = match way {
        Way::Timeout => move_on_after(Duration::ZERO, work).await,
        Way::Dropped => polled(2, work).await,
        Way::Unpolled => polled(0, work).await,
        _ => Some(work.await),
    };
    // Dropping is all that is left of a nursery that was dropped, so blocking work may go on: but only if it had begun.
    let excused = kind == Kind::Blocking && outcome.is_none();
    if !excused {
        assert_eq!(census.present(), 0, "{kind:?} leaves by {way:?}");
    }
    match (way, outcome) {
        (Way::Value, Some(Ok(Ok(7)))) => {}
        (Way::Timeout | Way::Dropped | Way::Unpolled, None) => {}
        (
            Way::ErrorOfBody
            | Way::ErrorOfChild
            | Way::ErrorOfPoolChild
            | Way::ErrorOfService
            | Way::Fail
            | Way::Escalation,
            Some(Ok(Err(Boom::No(1)))),
        ) => {}
        (
            Way::PanicOfBody
            | Way::PanicOfChild
            | Way::PanicOfPoolChild
            | Way::PanicOfService
            | Way::PanicOfCleanup
            | Way::PanicOfDestructor
            | Way::PanicOfSupervisor,
            Some(Err(panic)),
        ) => {
            let text = panic.downcast_ref::<&str>().expect("the payload is kept");
            assert!(text.starts_with("expected"));
        }
        (_, Some(Err(panic))) => resume_unwind(panic),
        (_, outcome) => panic!("{kind:?} leaves by {way:?}: {outcome:?}"),
    }
}

#[test]
fn no_child_outlives_its_nursery() {
    quiet();
    for kind in KINDS {
        for way in WAYS {
            everywhere(async || leave(kind, way).await);
        }
    }
}

#[test]
fn blocking_work_of_a_dropped_nursery_is_waited_for_by_the_one_around_it() {
    quiet();
    for way in [Way::Timeout, Way::Dropped] {
        everywhere(async || {
            let (census, gate) = (Census::new(), Gate::default());
            let (presence, begun) = (census.join(), census.clone());
            let outcome: Result<(), Boom> = nursery(async |_outer| {
                let _opener: Opener = gate.opener();
                let work = nursery(async |n: Nursery<'_, Boom>| {
                    let gate = gate.clone();
                    let here = begun.join();
                    n.spawn_blocking(move || {
                        let _presence = presence;
                        drop(here);
                        gate.wait();
                        Ok(())
                    });
                    forever::<Result<(), Boom>>().await
                });
                let mut work = Box::pin(work);
                assert!(polled(1, work.as_mut()).await.is_none());
                until(|| census.present() == 1).await; // the thread has begun
                match way {
                    Way::Timeout => assert!(move_on_after(Duration::ZERO, work).await.is_none()),
                    _ => drop(work),
                }
                assert_eq!(census.present(), 1, "the work goes on, and the drop did not wait for it");
                Ok(())
            })
            .await;
            assert_eq!(outcome, Ok(()));
            assert_eq!(census.present(), 0, "{way:?}");
        });
    }
}

#[test]
fn a_forgotten_nursery_stops_its_own_and_lets_the_pool_go_on() {
    let (census, gate) = (Census::new(), Gate::default());
    let (own, on_pool) = (census.join(), census.join());
    let mut forgotten = Box::pin(nursery(async |n: Nursery<'_, Boom>| {
        n.start_soon(async {
            let _own = own;
            forever().await
        });
        let gate = gate.clone();
        n.spawn(async move {
            gate.wait();
            drop(on_pool);
            Ok(())
        });
        forever::<Result<(), _>>().await
    }));
    assert!(forgotten.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    mem::forget(forgotten);
    drop(gate.opener());
    wscope::run(until(|| census.present() == 1));
}

#[test]
fn a_nursery_without_any_around_it_is_gone_when_it_is_dropped_by_hand() {
    quiet();
    let census = Census::new();
    let mut work = pin!(Some(nursery(async |n: Nursery<'_, Boom>| {
        let _me = census.join();
        let (a, b) = (census.join(), census.join());
        n.start_soon(async move {
            let (_a, _bomb) = (a, Bomb);
            forever().await
        });
        n.spawn(async move {
            let _b = b;
            loop {
                turns(1).await;
            }
        });
        forever::<Result<(), _>>().await
    })));
    let polled = work.as_mut().as_pin_mut().unwrap().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
    assert_eq!(census.present(), 3);
    work.set(None);
    assert_eq!(census.present(), 0);
}
