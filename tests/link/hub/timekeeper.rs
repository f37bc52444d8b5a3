//! Who keeps the time: one link for all, and another when that one leaves.

use std::time::Duration;

use wscope::{
    CloseCode,
    link::{CreateChannel, Envelope, Hub, Operation},
    runtime::now,
    sleep,
};

use crate::guest::{Guest, simulated, web_socket};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_link_that_holds_no_agent_after_10_s_is_closed_with_1008() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (local, ws) = (Guest::new(hub.local_link(&n)), Guest::new(web_socket(&n, &hub).await?));
        let holder = Guest::new(hub.local_link(&n));
        holder.register("alice").await?;
        let start = now();
        sleep(9 * SECOND).await;
        assert_eq!(local.end.closed(), None);
        for guest in [local, ws] {
            let closed = guest.closed().await?;
            assert_eq!((closed.code(), closed.reason()), (1008, "no agent bound in time"));
        }
        assert_eq!(now() - start, 10 * SECOND);
        assert_eq!(holder.end.closed(), None);
        Ok(())
    });
}

#[test]
fn when_the_link_that_keeps_the_time_leaves_another_does() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let guests: Vec<Guest> = (0..4).map(|_| Guest::new(hub.local_link(&n))).collect();
        for (at, guest) in guests.iter().enumerate() {
            guest.register(&format!("agent{at}")).await?;
        }
        for guest in &guests[..3] {
            guest.end.close(CloseCode::NORMAL_CLOSURE).await;
            sleep(SECOND).await;
        }
        let start = now();
        let late = Guest::new(hub.local_link(&n));
        sleep(9 * SECOND).await;
        assert_eq!(late.closed().await?.code(), 1008);
        assert_eq!(now() - start, 10 * SECOND);
        Ok(())
    });
}

#[test]
fn a_deadline_that_comes_sooner_wakes_who_keeps_the_time() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (alice, bob) = (Guest::new(hub.local_link(&n)), Guest::new(hub.local_link(&n)));
        let (a, b) = (alice.register("alice").await?, bob.register("bob").await?);
        sleep(60 * SECOND).await; // nothing is due any more
        let start = now();
        let create = CreateChannel::new(&a, "conversation", vec![b.clone()]);
        let request = alice.ask(&Operation::CreateChannel(Box::new(create))).await?;
        sleep(29 * SECOND).await;
        let (code, message) = alice.answer(&request).await?.unwrap_err();
        assert_eq!(code, "protocol_error");
        assert!(message.contains("ack timeout"), "{message}");
        assert_eq!(now() - start, 30 * SECOND);
        Ok(())
    });
}

#[test]
fn a_channels_time_is_over_when_it_is_over() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (alice, bob) = (Guest::new(hub.local_link(&n)), Guest::new(hub.local_link(&n)));
        let (a, b) = (alice.register("alice").await?, bob.register("bob").await?);
        alice.open(&a, &bob, &b).await?; // for two hours, by the rule
        sleep(7_199 * SECOND).await;
        bob.notify(Envelope::EXPIRED).await?;
        Ok(())
    });
}
