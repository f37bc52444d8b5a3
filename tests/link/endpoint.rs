//! Endpoints: the same over a WebSocket and within a process.

use wscope::{
    CloseCode, CloseReason, Error,
    link::{LinkEndpoint, LocalLink},
    scope::Join,
    testing::polled,
    websocket::CloseCause,
};

use crate::guest::{simulated, web_socket_pair};

/// Both ends of a link, over each carrier in turn.
fn over_each(body: impl AsyncFn(LinkEndpoint, LinkEndpoint) -> Result<(), Error>) {
    for sockets in [false, true] {
        simulated(async |n| {
            let (one, other) = if sockets { web_socket_pair(&n).await? } else { local() };
            body(one, other).await
        });
    }
}

fn local() -> (LinkEndpoint, LinkEndpoint) {
    let (one, other) = LocalLink::pair();
    (one.into(), other.into())
}

async fn text(endpoint: &LinkEndpoint) -> Result<String, Error> {
    Ok(endpoint.receive().await?.unwrap().as_text().unwrap().to_owned())
}

#[test]
fn texts_pass_both_ways_in_order() {
    over_each(async |one, other| {
        for said in ["a", "b", "c"] {
            one.send(said).await?;
        }
        other.send("grüße").await?;
        for said in ["a", "b", "c"] {
            assert_eq!(text(&other).await?, said);
        }
        assert_eq!(text(&one).await?, "grüße");
        Ok(())
    });
}

#[test]
fn who_does_not_read_makes_the_sender_wait_and_loses_nothing() {
    over_each(async |one, other| {
        let long = "x".repeat(16 * 1024);
        let mut sent = 0;
        while polled(1, one.send(long.as_str())).await.is_some() {
            sent += 1;
            assert!(sent < 1_000, "a queue without a bound");
        }
        for _ in 0..sent {
            assert_eq!(text(&other).await?.len(), long.len());
        }
        one.send("after the call that was dropped").await?;
        assert_eq!(text(&other).await?, "after the call that was dropped");
        Ok(())
    });
}

#[test]
fn one_text_larger_than_the_queue_passes() {
    over_each(async |one, other| {
        let long = "x".repeat(1 << 20);
        let (sent, received) = (one.send(long.as_str()), text(&other)).join().await;
        sent?;
        assert_eq!(received?.len(), long.len());
        Ok(())
    });
}

#[test]
fn a_close_is_told_with_code_and_reason_to_both_after_what_was_sent() {
    over_each(async |one, other| {
        let reason = CloseReason::new(CloseCode::POLICY_VIOLATION, "no agent bound in time")?;
        one.send("before").await?;
        let ((), closed) = (
            async {
                assert_eq!(text(&other).await.unwrap(), "before");
                let closed = other.receive().await.unwrap_err();
                assert_eq!((closed.code(), closed.reason()), (1008, "no agent bound in time"));
                assert_eq!(other.closed(), Some(closed));
            },
            one.close(reason.clone()),
        )
            .join()
            .await;
        assert_eq!(closed.frames().sent, Some(Some(reason)));
        assert_eq!((closed.code(), closed.cause()), (1008, &CloseCause::Handshake));
        assert_eq!(other.send("late").await.unwrap_err().message.as_text(), Some("late"));
        assert!(one.receive().await.is_err());
        Ok(())
    });
}

#[test]
fn a_goodbye_is_the_end_of_the_messages() {
    for code in [CloseCode::NORMAL_CLOSURE, CloseCode::GOING_AWAY] {
        over_each(async |one, other| {
            let (received, _closed) = (other.receive(), one.close(code)).join().await;
            assert_eq!(received?, None);
            assert_eq!(one.receive().await?, None);
            Ok(())
        });
    }
}

#[test]
fn a_dropped_end_is_a_goodbye() {
    over_each(async |one, other| {
        one.send("last").await?;
        drop(one);
        assert_eq!(text(&other).await?, "last");
        assert_eq!(other.receive().await?, None);
        Ok(())
    });
}
