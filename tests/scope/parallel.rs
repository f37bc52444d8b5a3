//! Futures on the executor: lazy, stopped in the drop, and never in anybody's way.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Instant,
};

use futures::FutureExt;
use wscope::{
    Nursery, nursery, parallel,
    scope::Parallel,
    testing::{Census, Simulation, polled},
};

use super::{Boom, Gate, SECOND, everywhere, forever, quiet, turns, until};

#[test]
fn runs_elsewhere_and_returns_here() {
    wscope::run(async {
        let here = thread::current().id();
        let (there, value) = parallel(async { (thread::current().id(), 5) }).await;
        assert!(there != here && value == 5);
    });
}

#[test]
fn is_lazy() {
    Simulation::new().run(async {
        let begun = Arc::new(AtomicBool::new(false));
        let flag = begun.clone();
        let work = parallel(async move { flag.store(true, SeqCst) });
        turns(10).await;
        drop(work);
        assert!(!begun.load(SeqCst));
    });
}

#[test]
fn a_panic_reaches_whoever_awaits_it() {
    quiet();
    everywhere(async || {
        let caught = AssertUnwindSafe(parallel(async { panic!("expected") })).catch_unwind().await;
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"expected"));
    });
}

#[test]
fn the_future_is_gone_before_its_value_is_here() {
    everywhere(async || {
        let census = Census::new();
        let presence = census.join();
        parallel(async move {
            let _presence = presence;
            turns(1).await;
        })
        .await;
        assert_eq!(census.present(), 0);
    });
}

#[test]
fn a_value_that_nobody_fetched_is_gone_after_the_drop() {
    everywhere(async || {
        let census = Census::new();
        let presence = census.join();
        let done = Arc::new(AtomicBool::new(false));
        let flag = done.clone();
        let mut work = Box::pin(parallel(async move {
            flag.store(true, SeqCst);
            presence
        }));
        assert!(polled(1, work.as_mut()).await.is_none());
        until(|| done.load(SeqCst)).await;
        drop(work);
        assert_eq!(census.present(), 0);
    });
}

type Job = Pin<Box<Parallel<()>>>;

/// A job on the pool that is in the middle of a poll until the gate is opened, and then pending.
fn rude(census: &Census, gate: &Gate) -> Job {
    let (presence, gate, polling) = (census.join(), gate.clone(), Arc::new(AtomicBool::new(false)));
    let flag = polling.clone();
    let mut job = Box::pin(parallel(async move {
        let _presence = presence;
        flag.store(true, SeqCst);
        gate.wait();
        forever::<()>().await;
    }));
    assert!(job.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    while !polling.load(SeqCst) {
        thread::yield_now();
    }
    job
}

#[test]
fn dropping_it_waits_for_the_poll_in_flight() {
    for _ in 0..100 {
        let (census, gate) = (Census::new(), Gate::default());
        let job = rude(&census, &gate);
        let opener = gate.opener();
        let helper = thread::spawn(move || {
            thread::yield_now();
            drop(opener);
        });
        drop(job);
        assert_eq!(census.present(), 0, "destroyed before the drop returned");
        helper.join().unwrap();
    }
}

#[test]
fn a_poll_that_is_stuck_does_not_hang_the_drop_for_ever() {
    let (census, gate) = (Census::new(), Gate::default());
    let job = rude(&census, &gate);
    let begin = Instant::now();
    drop(job); // the poll waits for something that only this thread can give
    assert!(begin.elapsed() >= SECOND && begin.elapsed() < SECOND * 30);
    assert_eq!(census.present(), 1);
    drop(gate.opener());
    while census.present() > 0 {
        thread::yield_now(); // that poll was the last one
    }
}

#[test]
fn many_stuck_children_cost_the_patience_once() {
    let (census, gate) = (Census::new(), Gate::default());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let polling = Census::new();
    let mut work = Box::pin(nursery(async |n: Nursery<'_, Boom>| {
        for _ in 0..threads {
            let (presence, gate, polling) = (census.join(), gate.clone(), polling.join());
            n.spawn(async move {
                let _presence = presence;
                drop(polling);
                gate.wait();
                forever().await
            });
        }
        forever::<Result<(), _>>().await
    }));
    let pending = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(pending, Poll::Pending);
    while polling.present() > 0 {
        if polling.present() < threads && async_std_has_fewer_threads() {
            break;
        }
        thread::yield_now();
    }
    let begin = Instant::now();
    drop(work);
    assert!(begin.elapsed() < SECOND * 2 - SECOND / 10 || threads < 2);
    drop(gate.opener());
    while census.present() > 0 {
        thread::yield_now();
    }
}

/// Then fewer children can be in the middle of a poll.
fn async_std_has_fewer_threads() -> bool {
    std::env::var_os("ASYNC_STD_THREAD_COUNT").is_some()
}

#[test]
fn a_child_may_drop_its_own_handle() {
    everywhere(async || {
        let census = Census::new();
        let place: Arc<Mutex<Option<Job>>> = Arc::default();
        let (own, presence) = (place.clone(), census.join());
        let mut job = Box::pin(parallel(async move {
            let _presence = presence;
            loop {
                let handle = own.lock().unwrap().take();
                if handle.is_some() {
                    break;
                }
                turns(1).await;
            }
            forever().await
        }));
        assert!(polled(1, job.as_mut()).await.is_none());
        *place.lock().unwrap() = Some(job);
        until(|| census.present() == 0).await;
    });
}

#[test]
fn stopping_at_random_moments_leaves_nobody() {
    wscope::run(async {
        let census = Census::new();
        for round in 0..500 {
            let work = nursery(async |n: Nursery<'_, Boom>| {
                for _ in 0..20 {
                    let presence = census.join();
                    n.spawn(async move {
                        let _presence = presence;
                        turns(50).await;
                        Ok(())
                    });
                }
                turns(round % 60).await;
                if round % 3 == 0 {
                    return Err(Boom::No(round));
                }
                turns(5).await;
                Ok(())
            });
            polled((round % 40) as usize, work).await;
            assert_eq!(census.present(), 0, "round {round}");
        }
    });
}

#[test]
fn wakers_are_not_leaked_by_stopped_jobs() {
    let simulation = Simulation::new();
    let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
    simulation.run(async {
        let keep = waker.clone();
        let job = parallel(futures::future::poll_fn(move |cx| {
            *keep.lock().unwrap() = Some(cx.waker().clone());
            Poll::<()>::Pending
        }));
        let mut job = Box::pin(job);
        assert!(polled(1, job.as_mut()).await.is_none());
        turns(3).await;
        drop(job);
        turns(3).await;
    });
    waker.lock().unwrap().take().unwrap().wake(); // of a task that has ended
}

#[test]
fn it_says_how_far_it_has_come_and_is_not_polled_again() {
    quiet();
    Simulation::new().run(async {
        let mut work = parallel(async { 7 });
        assert_eq!(format!("{work:?}"), "Parallel { stage: \"waiting\", .. }");
        assert!(polled(1, &mut work).await.is_none());
        assert_eq!(format!("{work:?}"), "Parallel { stage: \"running\", .. }");
        assert_eq!((&mut work).await, 7);
        assert_eq!(format!("{work:?}"), "Parallel { stage: \"done\", .. }");
        let caught = AssertUnwindSafe(work).catch_unwind().await;
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"`Parallel` was polled after it had finished"));
    });
}
