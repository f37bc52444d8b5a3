//! The errors of the layer: what they say, what they carry, and how they go into those of others.

use std::{error::Error as _, io, time::Duration};

use wscope::{Cancelled, Nursery, TooSlow, fail_after, nursery, scope::Error, testing::Simulation};

use super::{SECOND, forever};

#[test]
fn each_says_what_happened() {
    let slow = TooSlow { limit: Duration::from_millis(1500) };
    assert_eq!(slow.to_string(), "did not finish within 1.5s");
    assert_eq!(Cancelled.to_string(), "cancelled");
    assert_eq!(Error::from(slow).to_string(), slow.to_string());
    assert_eq!(Error::from(Cancelled).to_string(), "cancelled");
    assert_eq!(Error::other("no such room").to_string(), "no such room");
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let text = refused.to_string();
    assert_eq!(Error::from(refused).to_string(), text);
}

#[test]
fn what_is_passed_on_stands_for_itself() {
    let inner = io::Error::other("inner");
    let outer = io::Error::other(inner);
    let (text, source) = (outer.to_string(), outer.source().map(ToString::to_string));
    let passed_on = Error::from(outer);
    assert_eq!((passed_on.to_string(), passed_on.source().map(ToString::to_string)), (text, source));
    let Error::Other(own) = Error::other(TooSlow { limit: SECOND }) else { panic!("it is of another kind") };
    assert_eq!(own.downcast_ref(), Some(&TooSlow { limit: SECOND }));
}

#[test]
fn a_nursery_that_names_none_takes_them_all() {
    type Body = fn(&Nursery<'static>);
    type Check = fn(&Error) -> bool;
    let bodies: [(Body, Check); 4] = [
        (|n| n.cancel(), |error| matches!(error, Error::Cancelled(Cancelled))),
        (
            |n| n.start_soon(async { Ok(fail_after(SECOND, forever::<()>()).await?) }),
            |error| matches!(error, Error::TooSlow(TooSlow { limit: SECOND })),
        ),
        (
            |n| n.spawn(async { Err(io::Error::from(io::ErrorKind::BrokenPipe).into()) }),
            |error| matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::BrokenPipe),
        ),
        (|n| n.fail(Error::other("of my own")), |error| matches!(error, Error::Other(_))),
    ];
    for (act, expected) in bodies {
        let outcome: Result<(), _> = Simulation::new().run(nursery(async |n: Nursery<'_>| {
            act(&n);
            forever().await
        }));
        assert!(expected(&outcome.unwrap_err()));
    }
}
