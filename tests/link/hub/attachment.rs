//! One link of a hub: who does not read, who says too much, who leaves.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::AsyncWrite;
use wscope::{
    ClientConfig, CloseCode, Error, ServerConfig, Text, connect_websocket,
    link::{Frame, Hub, LocalLink, Operation},
    runtime::now,
    scope::Join,
    sleep,
    testing::{DuplexStream, duplex},
    websocket::Accept,
    wrap_client_stream, wrap_server_stream,
};

use crate::{
    guest::{Guest, meet, real, said, served, simulated, web_socket},
    intercepted::{Intercept, Intercepted},
};

const SECOND: Duration = Duration::from_secs(1);
const PING: &str = r#"{"kind": "ping"}"#;

/// The hub answers.
async fn is_served(guest: &Guest) -> Result<(), Error> {
    guest.say(PING).await?;
    guest.find(|frame| (*frame == Frame::Pong).then_some(())).await
}

#[test]
fn who_never_reads_is_closed_with_1013_and_costs_no_more_than_its_window() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let ws = web_socket(&n, &hub).await?;
        let (alice, deaf) = (Guest::new(hub.local_link(&n)), Guest::new(ws.clone()));
        let (a, d) = (alice.register("alice").await?, deaf.register("deaf").await?);
        let channel = alice.open(&a, &deaf, &d).await?;
        ws.pause_reading();
        let start = now();
        let long = "x".repeat(32 * 1024);
        for _ in 0..100 {
            alice.post_text(&channel, &a, &long).await?;
        }
        assert_eq!(now(), start, "nobody waited for who does not read");
        sleep(21 * SECOND).await;
        assert_eq!((hub.stats().online, hub.stats().endpoints), (1, 1));
        ws.resume_reading();
        let mut bytes = 0;
        while let Ok(Some(message)) = ws.next_message().await {
            bytes += message.len();
        }
        let closed = ws.wait_closed().await;
        assert_eq!((closed.code(), closed.reason()), (1013, "too much unread"));
        assert!(bytes < 400 * 1024, "{bytes} bytes were on their way to who did not read");
        // What it missed it gets when it comes back.
        let back = Guest::new(hub.local_link(&n));
        back.hello("deaf", Some("")).await?;
        for _ in 0..100 {
            assert_eq!(back.text().await?.len(), long.len());
        }
        Ok(())
    });
}

#[test]
fn who_never_reads_its_answers_is_not_read_from_either_and_closed() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (tenant, end) = LocalLink::pair();
        let deaf = Guest::new(tenant);
        n.start_soon({
            let hub = hub.clone();
            async move {
                assert_eq!(hub.attach(end).await.code(), 1013);
                Ok(())
            }
        });
        deaf.register("deaf").await?;
        let start = now();
        let mut said = 0_u64;
        while deaf.say(PING).await.is_ok() {
            said += 1;
        }
        assert_eq!(now() - start, 20 * SECOND);
        assert!(said < 5_000, "{said} answers were kept for who did not read");
        Ok(())
    });
}

#[test]
fn who_reads_nothing_until_its_receipt_is_taken_gets_all_that_is_owed() {
    for sockets in [false, true] {
        simulated(async |n| {
            let hub = Hub::builder().build();
            let (alice, bob) = (Guest::new(hub.local_link(&n)), Guest::new(hub.local_link(&n)));
            let (a, channel) = meet(&alice, &bob).await?;
            drop(bob);
            for round in 0..1_000 {
                alice.post_text(&channel, &a, &format!("{round}{}", " ".repeat(1_000))).await?;
            }
            let back = if sockets { web_socket(&n, &hub).await?.into() } else { hub.local_link(&n) };
            let back = Guest::new(back);
            back.hello("bob", Some("")).await?;
            for round in 0..1_000 {
                assert_eq!(back.text().await?.trim(), round.to_string());
            }
            Ok(())
        });
    }
}

#[test]
fn who_reads_slowly_is_not_closed() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (alice, slow) = (Guest::new(hub.local_link(&n)), Guest::new(hub.local_link(&n)));
        let (a, s) = (alice.register("alice").await?, slow.register("slow").await?);
        let channel = alice.open(&a, &slow, &s).await?;
        let long = "x".repeat(100 * 1024);
        for _ in 0..20 {
            alice.post_text(&channel, &a, &long).await?;
        }
        for _ in 0..20 {
            sleep(19 * SECOND).await;
            assert_eq!(slow.text().await?.len(), long.len());
        }
        Ok(())
    });
}

#[test]
fn an_oversize_message_is_answered_with_too_large_and_the_connection_goes_on() {
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let ws = connect_websocket(&n, url).await?;
        let guest = Guest::new(ws.clone());
        guest.say(&"x".repeat((64 << 10) + 1)).await?;
        assert_eq!(guest.error().await?, "too_large", "64 KiB is the limit while no agent is bound");
        guest.register("alice").await?;
        guest.say(&"x".repeat(64 << 10)).await?;
        assert_eq!(guest.error().await?, "protocol_error", "and not afterwards");
        for size in [(1 << 20) + 1, 8 << 20, 16 << 20] {
            guest.say(&"x".repeat(size)).await?;
            assert_eq!(guest.error().await?, "too_large");
            is_served(&guest).await?;
        }
        let mut pieces = ws.send_pieces::<Text>().await?;
        for _ in 0..300 {
            pieces.send("é".repeat(5_000)).await?;
        }
        pieces.finish("").await?;
        assert_eq!(guest.error().await?, "too_large");
        is_served(&guest).await
    });
}

#[test]
fn a_message_of_more_than_sixteen_times_the_limit_ends_the_connection_with_1009() {
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let guest = Guest::connect(&n, &url).await?;
        let good = Guest::connect(&n, &url).await?;
        let _ = guest.say(&"x".repeat((16 << 20) + 1)).await;
        assert_eq!(guest.closed().await?.code(), 1009);
        is_served(&good).await
    });
}

#[test]
fn a_frame_in_pieces_is_one_frame() {
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let ws = connect_websocket(&n, url).await?;
        let mut pieces = ws.send_pieces::<Text>().await?;
        for byte in PING.split_inclusive(' ') {
            pieces.send(byte).await?;
        }
        pieces.finish("").await?;
        assert_eq!(Guest::new(ws).hear().await?, Frame::Pong);
        Ok(())
    });
}

#[test]
fn what_a_tenant_says_last_is_heard_though_it_reads_nothing() {
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let (alice, bob) = (Guest::connect(&n, &url).await?, Guest::connect(&n, &url).await?);
        let (a, channel) = meet(&alice, &bob).await?;
        for round in 0..500 {
            let envelope = Box::new(said(&channel, &a, &format!("{round}")));
            alice.ask(&Operation::PostEnvelope { envelope }).await?;
        }
        alice.end.close(CloseCode::NORMAL_CLOSURE).await;
        for round in 0..500 {
            assert_eq!(bob.text().await?, format!("{round}"));
        }
        Ok(())
    });
}

/// Counts writes.
impl Intercept for Arc<AtomicUsize> {
    fn write(
        &mut self,
        stream: Pin<&mut DuplexStream>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.fetch_add(1, Ordering::Relaxed);
        stream.poll_write(cx, bytes)
    }
}

#[test]
fn the_answers_of_one_turn_leave_in_one_write() {
    simulated(async |n| {
        let (here, there) = duplex(1 << 20);
        let writes = Arc::<AtomicUsize>::default();
        let (config, there) = (ServerConfig::new(), Intercepted(there, writes.clone()));
        let connect = wrap_client_stream(&n, here, ClientConfig::new("ws://example.com/")?);
        let accept = async { wrap_server_stream(&n, there, &config).await?.accept(Accept::new()).await };
        let (client, server) = (connect, accept).join().await;
        let (guest, server, hub) = (Guest::new(client?), server?, Hub::builder().build());
        n.start_service(async move {
            hub.attach(server).await;
            Ok(())
        });
        is_served(&guest).await?;
        writes.store(0, Ordering::Relaxed);
        for _ in 0..300 {
            guest.say(PING).await?;
        }
        for _ in 0..300 {
            assert_eq!(guest.hear().await?, Frame::Pong);
        }
        let writes = writes.load(Ordering::Relaxed);
        assert!(writes <= 15, "{writes} writes for 300 answers");
        Ok(())
    });
}

/// What a tenant may say; and each time another is served at once, and this one is answered or told why not.
#[test]
fn hostile_tenants_are_answered_or_closed_with_a_code_and_harm_nobody() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let request = |op: &str, params: &str| {
        format!(r#"{{"kind": "request", "request_id": "x", "op": "{op}", "params": {params}}}"#)
    };
    let envelope = |sender: &str, channel: &str| {
        request(
            "post_envelope",
            &format!(
                r#"{{"envelope": {{"channel_id": "{channel}", "sender_id": "{sender}", "audience": null,
                "event_type": "ag2.msg.text", "event_data": {{"text": "spoofed"}}}}}}"#
            ),
        )
    };
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let (alice, bob) = (Guest::connect(&n, &url).await?, Guest::connect(&n, &url).await?);
        let (a, b) = (alice.register("alice").await?, bob.register("bob").await?);
        let channel = alice.open(&a, &bob, &b).await?;
        let mallory = Guest::connect(&n, &url).await?;
        let m = mallory.register("mallory").await?;
        let texts = [
            (envelope(&a, &channel), "access_denied"),
            (envelope(&m, &channel), "protocol_error"),
            (envelope(&m, "no such channel"), "not_found"),
            (request("read_wal", &format!(r#"{{"channel_id": "{channel}"}}"#)), "access_denied"),
            ("not JSON".to_owned(), "protocol_error"),
            (deep.clone(), "protocol_error"),
            (request("find_agent_id", &format!(r#"{{"name": {deep}}}"#)), "protocol_error"),
            (r#"{"kind": "ping", "at": NaN}"#.to_owned(), "protocol_error"),
            (r#"{"kind": "hello", "name": "\ud800"}"#.to_owned(), "protocol_error"),
            (r#"{"kind": "nonsense"}"#.to_owned(), "protocol_error"),
            (String::new(), "protocol_error"),
        ];
        for (text, code) in texts {
            mallory.say(&text).await?;
            let answered = mallory
                .find(|frame| match frame {
                    Frame::Error(error) => Some(error.code.as_str().to_owned()),
                    Frame::Response(response) => Some(response.error_code.clone()),
                    _ => None,
                })
                .await?;
            assert_eq!(answered, code, "{}", text.chars().take(200).collect::<String>());
            is_served(&alice).await?;
        }
        // Duplicate keys: the last one counts, as it does for AG2.
        mallory.say(r#"{"kind": "hello", "kind": "ping"}"#).await?;
        assert_eq!(mallory.hear().await?, Frame::Pong);
        assert!(bob.end.closed().is_none());
        is_served(&bob).await?;
        bob.post_text(&channel, &b, "not spoofed").await?;
        assert_eq!(alice.text().await?, "not spoofed");
        Ok(())
    });
}

#[test]
fn bytes_that_are_not_utf_8_are_answered_as_binary_and_end_the_connection_as_text() {
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let good = Guest::connect(&n, &url).await?;
        let ws = connect_websocket(&n, url).await?;
        let mallory = Guest::new(ws.clone());
        ws.send_message(vec![0xff, 0xfe]).await?;
        assert_eq!(mallory.error().await?, "protocol_error");
        ws.send_message(PING.as_bytes().to_vec()).await?;
        assert_eq!(mallory.hear().await?, Frame::Pong, "a binary message is read as text");
        is_served(&good).await
    });
}

#[test]
fn a_flood_of_hellos_is_closed_with_1008() {
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let (good, mallory) = (Guest::connect(&n, &url).await?, Guest::connect(&n, &url).await?);
        for guess in 0..100 {
            let _ = mallory.hello(&format!("guess{guess}"), Some("")).await;
        }
        for _ in 0..5 {
            assert_eq!(mallory.error().await?, "not_found", "each is answered, up to the last");
        }
        let closed = mallory.closed().await?;
        assert_eq!((closed.code(), closed.reason()), (1008, "too many refused claims"));
        is_served(&good).await
    });
}

#[test]
fn who_floods_does_not_hold_up_who_does_not() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (good, flood) = (Guest::new(hub.local_link(&n)), web_socket(&n, &hub).await?);
        n.start_service(async move {
            while flood.send_message(PING).await.is_ok() {} // and never reads
            Ok(())
        });
        let start = now();
        for _ in 0..1_000 {
            is_served(&good).await?;
        }
        assert_eq!(now(), start);
        Ok(())
    });
}
