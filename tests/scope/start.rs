//! `start` and `start_service_with`: who gets the error, and what happens when.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use futures::{FutureExt, channel::oneshot};
use wscope::{
    Nursery, Started, TaskStatus, move_on_after, nursery, sleep,
    testing::{Census, Simulation},
};

use super::{Boom, SECOND, everywhere, forever, quiet, turns};

#[test]
fn returns_what_the_child_reports_and_goes_on_without_it() {
    let simulation = Simulation::new();
    let value = simulation.run(nursery(async |n: Nursery<'_, Boom>| {
        let port = n
            .start(async |status| {
                sleep(SECOND).await;
                let started = status.started(8080);
                sleep(SECOND * 10).await;
                Ok(started)
            })
            .await?;
        assert_eq!((simulation.clock().passed(), n.len()), (SECOND, 1));
        Ok(port)
    }));
    assert_eq!((value, simulation.clock().passed()), (Ok(8080), SECOND * 11));
}

#[test]
fn a_service_that_reports_is_stopped_with_the_rest() {
    everywhere(async || {
        let census = Census::new();
        let presence = census.join();
        let value = nursery(async |n: Nursery<'_, Boom>| {
            let port = n
                .start_service_with(async |status| {
                    let _presence = presence;
                    turns(2).await;
                    let started = status.started(8080);
                    forever::<()>().await;
                    Ok(started)
                })
                .await?;
            assert_eq!((n.len(), n.statistics().services), (0, 1));
            Ok(port)
        })
        .await;
        assert_eq!((value, census.present()), (Ok(8080), 0));
    });
}

#[test]
fn an_error_before_the_report_is_the_callers() {
    everywhere(async || {
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            for service in [false, true] {
                let child = async |_: TaskStatus<u8>| {
                    turns(2).await;
                    Err(Boom::No(5))
                };
                let error = if service { n.start_service_with(child).await } else { n.start(child).await };
                assert_eq!((error, n.len()), (Err(Boom::No(5)), 0));
            }
            Ok(())
        })
        .await;
        assert_eq!(outcome, Ok(()));
    });
}

#[test]
fn an_error_after_the_report_is_the_nurserys() {
    everywhere(async || {
        for pause in [0, 3] {
            for service in [false, true] {
                let outcome = nursery(async |n: Nursery<'_, Boom>| {
                    let child = async |status: TaskStatus<u8>| {
                        let _: Started = status.started(1);
                        turns(pause).await;
                        Err(Boom::No(6))
                    };
                    let value =
                        if service { n.start_service_with(child).await } else { n.start(child).await };
                    assert_eq!(value, Ok(1), "reported, so started");
                    forever::<Result<(), _>>().await
                })
                .await;
                assert_eq!(outcome, Err(Boom::No(6)), "pause {pause}, service {service}");
            }
        }
    });
}

#[test]
fn a_child_may_report_and_end_in_one_go() {
    everywhere(async || {
        let outcome =
            nursery(async |n: Nursery<'_, Boom>| n.start(async |status| Ok(status.started(3))).await);
        assert_eq!(outcome.await, Ok(3));
    });
}

#[test]
fn dropping_the_call_drops_the_child() {
    Simulation::new().run(async {
        let census = Census::new();
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            let presence = census.join();
            let never = n.start(async |status: TaskStatus<()>| {
                let _presence = presence;
                forever::<()>().await;
                Ok(status.started(()))
            });
            assert!(move_on_after(SECOND, never).await.is_none());
            assert_eq!(census.present(), 0);
            Ok(())
        })
        .await;
        assert_eq!(outcome, Ok(()));
    });
}

#[test]
fn a_panic_before_the_report_is_the_callers() {
    quiet();
    everywhere(async || {
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            let child = async |_: TaskStatus<u8>| -> Result<Started, Boom> { panic!("expected") };
            let caught = AssertUnwindSafe(n.start(child)).catch_unwind().await;
            assert!(caught.is_err());
            Ok(())
        })
        .await;
        assert_eq!(outcome, Ok(()));
    });
}

#[test]
fn somebody_else_may_report_for_the_child() {
    everywhere(async || {
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            let m = n.clone();
            n.start(async move |status| {
                let (done, wait) = oneshot::channel();
                m.start_soon(async move {
                    turns(5).await;
                    let _ = done.send(status.started(1));
                    Ok(())
                });
                turns(1).await;
                let started = wait.await;
                turns(20).await;
                started.map_err(|_| Boom::No(1))
            })
            .await
        })
        .await;
        assert_eq!(outcome, Ok(1));
    });
}

#[test]
fn a_report_of_another_child_is_caught() {
    quiet();
    everywhere(async || {
        let swapped = Arc::new(Mutex::new(None));
        let caught = AssertUnwindSafe(nursery(async |n: Nursery<'_, Boom>| {
            let keep = swapped.clone();
            n.start(async move |status| {
                *keep.lock().unwrap() = Some(status.started(()));
                forever().await
            })
            .await?;
            let kept = swapped.lock().unwrap().take();
            n.start(async |_: TaskStatus<u8>| kept.ok_or(Boom::No(1))).await
        }))
        .catch_unwind()
        .await;
        let text = *caught.unwrap_err().downcast::<&str>().unwrap();
        assert!(text.starts_with("a child gave back"), "{text}");
    });
}
