//! The future that a nursery is, polled and dropped by hand.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll, Waker},
};

use futures::FutureExt;
use wscope::{Nursery, defer, nursery, testing::Census};

use super::{Boom, SECOND, forever, quiet};

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
fn it_says_how_far_it_has_come() {
    let mut work = Box::pin(nursery(async |_: Nursery<'_, Boom>| {
        assert!(defer(SECOND, forever()).is_ok());
        Ok(())
    }));
    assert_eq!(format!("{work:?}"), "NurseryFuture { phase: \"running\", .. }");
    assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(format!("{work:?}"), "NurseryFuture { phase: \"cleaning\", .. }");
    let mut empty = nursery(async |_: Nursery<'_, Boom>| Ok(()));
    assert_eq!((&mut empty).now_or_never(), Some(Ok(())));
    assert_eq!(format!("{empty:?}"), "NurseryFuture { phase: \"finished\", .. }");
}

#[test]
fn clean_up_under_way_is_dropped_where_nobody_can_adopt_it() {
    let census = Census::new();
    let presence = census.join();
    let mut work = Box::pin(nursery(async |_: Nursery<'_, Boom>| {
        let goodbye = async move {
            let _presence = presence;
            forever().await
        };
        assert!(defer(SECOND, goodbye).is_ok());
        Ok(())
    }));
    assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(census.present(), 1);
    drop(work);
    assert_eq!(census.present(), 0);
}
