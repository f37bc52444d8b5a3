//! Receipts: where the value of a child goes, and what becomes of it.

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};

use futures::FutureExt;
use wscope::{
    Cancelled, Nursery, move_on_after, nursery, parallel, sleep, supervisor,
    testing::{Census, Simulation},
};

use super::{Boom, SECOND, everywhere, forever, quiet, turns};

#[test]
fn a_receipt_carries_the_value_to_a_sibling() {
    everywhere(async || {
        let sum = nursery(async |n: Nursery<'_, Boom>| {
            let a = n.child(async {
                turns(3).await;
                Ok(40)
            });
            let b = n.child(parallel(async { Ok(2) }));
            let c = n.child(async move { Ok(a.await? + b.await?) });
            Ok(c.await?)
        })
        .await;
        assert_eq!(sum, Ok(42));
    });
}

#[test]
fn the_receipt_of_a_child_that_failed_says_so() {
    everywhere(async || {
        let outcome = supervisor(
            |_| Ok(()),
            async |n: Nursery<'_, Boom>| {
                let failed = n.child::<u8>(async { Err(Boom::No(1)) });
                Ok(failed.await)
            },
        )
        .await;
        assert_eq!(outcome, Ok(Err(Cancelled)));
    });
}

#[test]
fn an_outer_nursery_shields_work_from_an_inner_timeout() {
    Simulation::new().run(async {
        let saved = AtomicBool::new(false);
        let outcome = nursery(async |outer: Nursery<'_, Boom>| {
            let saving = outer.child(async {
                sleep(SECOND * 10).await;
                saved.store(true, SeqCst);
                Ok(())
            });
            assert!(move_on_after(SECOND, saving).await.is_none());
            assert!(!saved.load(SeqCst));
            Ok(())
        })
        .await;
        assert_eq!((outcome, saved.load(SeqCst)), (Ok(()), true));
    });
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
fn the_receipt_of_a_child_that_panicked_says_so() {
    quiet();
    everywhere(async || {
        let mut receipt = None;
        let caught = AssertUnwindSafe(nursery(async |n: Nursery<'_, Boom>| {
            receipt = Some(n.child::<u8>(async { panic!("expected") }));
            forever::<Result<(), _>>().await
        }))
        .catch_unwind()
        .await;
        assert!(caught.is_err());
        assert_eq!(receipt.unwrap().await, Err(Cancelled));
    });
}

#[test]
fn a_value_whose_receipt_was_thrown_away_is_dropped() {
    everywhere(async || {
        let census = Census::new();
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            drop(n.child(async { Ok(census.join()) }));
            let held = n.child(async { Ok(census.join()) }).await?;
            while !n.is_empty() {
                turns(1).await;
            }
            assert_eq!(census.present(), 1);
            drop(held);
            Ok(())
        })
        .await;
        assert_eq!((outcome, census.present()), (Ok(()), 0));
    });
}
