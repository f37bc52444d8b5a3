//! Links within a process: who waits, who is next, and how they end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::{FutureExt, future::BoxFuture};
use wscope::{
    CloseCode, Nursery, Text,
    link::{LinkEndpoint, LocalLink},
    nursery,
    testing::Simulation,
};

fn pair() -> (LinkEndpoint, LinkEndpoint) {
    let (one, other) = LocalLink::pair();
    (one.into(), other.into())
}

/// One text that fills the queue.
fn full() -> String {
    "x".repeat(LocalLink::BUFFER)
}

#[test]
fn a_text_is_shared_and_not_copied() {
    let (one, other) = pair();
    let text = Text::from("x".repeat(100));
    one.send(text.clone()).now_or_never().unwrap().unwrap();
    let received = other.receive().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!(received.as_text().unwrap().as_ptr(), text.as_ptr());
}

#[test]
fn an_end_says_that_it_was_a_link_without_an_address() {
    let (one, other) = pair();
    drop(one);
    assert_eq!(other.closed().unwrap().peer(), "the other end of a local link");
}

#[test]
fn a_short_text_counts_256_bytes() {
    let (one, _other) = pair();
    let sent = (0..1_000).take_while(|_| one.send("").now_or_never().is_some()).count();
    assert_eq!(sent, LocalLink::BUFFER / 256);
}

#[test]
fn senders_that_wait_go_in_the_order_in_which_they_came() {
    let (one, other) = pair();
    Simulation::new()
        .run(nursery(async |n: Nursery<'_>| {
            one.send(full()).await?;
            for said in ["first", "gone", "second"] {
                let mut sending: BoxFuture<'_, _> = Box::pin(one.send(said));
                assert!(sending.as_mut().now_or_never().is_none());
                if said != "gone" {
                    n.start_soon(async { Ok(sending.await.map(drop)?) });
                }
            }
            for expected in [full().as_str(), "first", "second"] {
                let received = other.receive().await?.unwrap();
                assert_eq!(received.as_text(), Some(expected));
            }
            Ok(())
        }))
        .unwrap();
}

#[test]
fn receivers_that_wait_go_in_the_order_in_which_they_came() {
    let (one, other) = pair();
    let (mut first, mut second) = (Box::pin(other.receive()), Box::pin(other.receive()));
    assert!(first.as_mut().now_or_never().is_none());
    assert!(second.as_mut().now_or_never().is_none());
    one.send("a").now_or_never().unwrap().unwrap();
    assert!(second.as_mut().now_or_never().is_none());
    drop(first); // who leaves makes room for the next
    let received = second.now_or_never().unwrap().unwrap().unwrap();
    assert_eq!(received.as_text(), Some("a"));
}

#[test]
fn who_waits_is_told_of_the_end() {
    let (one, other) = pair();
    Simulation::new()
        .run(nursery(async |n: Nursery<'_>| {
            one.send(full()).await?;
            n.start_soon(async {
                assert_eq!(one.send("waits").await.unwrap_err().closed.code(), 1001);
                Ok(())
            });
            n.start_soon(async {
                assert_eq!(one.receive().await?, None);
                Ok(())
            });
            n.start_soon(async {
                other.close(CloseCode::GOING_AWAY).await;
                Ok(())
            });
            Ok(())
        }))
        .unwrap();
}

#[test]
fn of_two_closes_the_first_counts() {
    let (one, other) = pair();
    let closed = one.close(CloseCode::POLICY_VIOLATION).now_or_never().unwrap();
    let after = other.close(CloseCode::NORMAL_CLOSURE).now_or_never().unwrap();
    assert_eq!((closed.code(), after.code()), (1008, 1008));
    assert_ne!(closed.first(), after.first());
}

#[test]
fn an_end_that_is_dropped_in_a_panic_says_1011() {
    let (one, other) = pair();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _one = one;
        std::panic::resume_unwind(Box::new("by hand"));
    }));
    assert!(panicked.is_err());
    assert_eq!(other.closed().unwrap().code(), 1011);
}
