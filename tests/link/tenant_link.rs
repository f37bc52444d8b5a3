//! A tenant's link: opened once, frames both ways, an end that is known.

use std::time::Duration;

use futures::StreamExt;
use wscope::{
    CloseCode, CloseReason, Error, Nursery, WebSocketRequest, fail_after,
    link::{
        Frame, Hello, LinkEndpoint, LinkError, LinkPingError, LocalLink, NextFrameError, Payload, Request,
        SendFrameError, TenantLink, open_link,
    },
    move_on_after, nursery, run, serve_websocket,
    testing::{Simulation, polled},
    websocket::{Accept, BoxError, HandshakeError, PingError},
};

use crate::town::{next_frame, scripted, simulated};

const WELCOME: &str =
    r#"{"kind": "welcome", "endpoint_id": "e1", "hub_time": "2026-11-21T06:35:41+00:00", "more": 1}"#;

#[test]
fn frames_go_both_ways_and_the_welcome_names_the_link() {
    simulated(async |_| {
        let (tenant, hub) = scripted();
        open_link(tenant, async |link| {
            assert_eq!(link.endpoint_id(), None);
            assert!(link.is_open());
            link.send_frame(&Frame::Hello(Hello::new("alice"))).await?;
            assert_eq!(next_frame(&hub).await["name"], "alice");
            hub.send(WELCOME).await?;
            assert_eq!(link.next_frame().await?.unwrap().kind(), "welcome");
            assert_eq!(link.endpoint_id().as_deref(), Some("e1"));
            assert_eq!(link.ping().await?, Duration::ZERO);
            Ok::<_, Error>(())
        })
        .await?;
        assert_eq!(hub.closed().unwrap().code(), 1000);
        Ok(())
    });
}

#[test]
fn a_link_is_opened_once() {
    simulated(async |n| {
        let (tenant, hub) = scripted();
        let link = TenantLink::from(tenant);
        assert!(matches!(link.send_frame(&Frame::Ping).await, Err(SendFrameError::NotOpen { kind: "ping" })));
        assert!(matches!(link.next_frame().await, Err(NextFrameError::NotOpen)));
        assert!(matches!(link.ping().await, Err(LinkPingError::NotOpen)));
        assert!(matches!(link.frames().collect::<Vec<_>>().await[..], [Err(NextFrameError::NotOpen)]));
        assert!(!link.is_open() && link.closed().is_none() && link.close().await.is_none());
        link.open(n).await?;
        assert!(matches!(link.open(n).await, Err(LinkError::AlreadyOpened)));
        let again = open_link(link.clone(), async |_| Ok::<_, LinkError>(())).await;
        assert!(matches!(again, Err(LinkError::AlreadyOpened)));
        assert!(link.is_open(), "and nothing has happened to it");
        assert_eq!(link.close().await.unwrap().code(), 1000);
        assert!(matches!(link.open(n).await, Err(LinkError::AlreadyOpened)));
        assert_eq!(hub.closed().unwrap().code(), 1000);
        Ok(())
    });
}

#[test]
fn a_link_that_was_not_reached_can_be_tried_again() {
    run(fail_after(
        Duration::from_secs(60),
        nursery(async |n: Nursery<'_, Error>| {
            let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let link = TenantLink::new(&format!("ws://127.0.0.1:{port}/"))?;
            for _ in 0..2 {
                let error = link.open(&n).await.unwrap_err();
                assert!(matches!(error, LinkError::Handshake(HandshakeError::Dial(_))), "{error}");
            }
            let body = open_link(link, async |_| Ok::<_, LinkError>(())).await;
            assert!(matches!(body, Err(LinkError::Handshake(HandshakeError::Dial(_)))));
            assert!(matches!(
                TenantLink::new("http://x/"),
                Err(LinkError::Handshake(HandshakeError::Uri(_)))
            ));
            Ok(())
        }),
    ))
    .unwrap()
    .unwrap();
}

#[test]
fn the_end_is_kept_with_its_code_and_reason() {
    simulated(async |n| {
        let (tenant, hub) = scripted();
        let link = TenantLink::from(tenant);
        link.open(n).await?;
        hub.send(r#"{"kind": "pong"}"#).await?;
        hub.close(CloseReason::new(CloseCode::POLICY_VIOLATION, "closed by the operator")?).await;
        assert!(!link.is_open());
        let sent = link.send_frame(&Frame::Ping).await;
        assert!(
            matches!(&sent, Err(SendFrameError::Closed { kind: "ping", closed }) if closed.code() == 1008)
        );
        assert_eq!(link.next_frame().await?, Some(Frame::Pong), "what came before the end is still read");
        let end = link.next_frame().await.unwrap_err();
        assert!(
            matches!(&end, NextFrameError::Closed(closed) if closed.reason() == "closed by the operator")
        );
        assert_eq!(link.closed().unwrap().code(), 1008);
        assert_eq!(link.close().await.unwrap().code(), 1008, "closing again only says it");
        assert!(matches!(link.ping().await, Err(LinkPingError::Ping(PingError::Closed(_)))));
        Ok(())
    });
}

#[test]
fn what_is_no_frame_is_reported_and_the_link_goes_on() {
    simulated(async |n| {
        let (tenant, hub) = scripted();
        let link = TenantLink::from(tenant);
        link.open(n).await?;
        for text in ["", "nonsense", "[]", r#"{"kind": "novel"}"#, r#"{"kind": "notify"}"#] {
            hub.send(text).await?;
            let error = link.next_frame().await.unwrap_err();
            assert!(matches!(error, NextFrameError::Unreadable(_)), "{text}: {error}");
        }
        hub.send(r#"{"kind": "ping"}"#).await?;
        assert_eq!(link.next_frame().await?, Some(Frame::Ping));
        // The stream goes on, too, and ends with the link.
        hub.send("nonsense").await?;
        hub.send(WELCOME).await?;
        hub.close(CloseCode::NORMAL_CLOSURE).await;
        let frames: Vec<_> = link.frames().collect().await;
        assert!(matches!(&frames[..], [Err(NextFrameError::Unreadable(_)), Ok(Frame::Welcome(_))]));
        Ok(())
    });
}

#[test]
fn a_frame_that_no_hub_would_take_is_not_sent() {
    simulated(async |n| {
        let (tenant, hub) = scripted();
        let link = TenantLink::from(tenant);
        link.open(n).await?;
        let params = Payload::of(&"x".repeat(TenantLink::MAX_FRAME))?;
        let sent = link.send_frame(&Frame::Request(Request::new("r1", "get_agent", params))).await;
        let size = match sent {
            Err(SendFrameError::TooLarge { kind: "request", size, limit: TenantLink::MAX_FRAME }) => size,
            other => panic!("{other:?}"),
        };
        assert!(size > TenantLink::MAX_FRAME);
        link.send_frame(&Frame::Ping).await?;
        assert_eq!(next_frame(&hub).await["kind"], "ping", "and nothing before it");
        Ok(())
    });
}

#[test]
fn the_hub_is_told_how_the_block_was_left() {
    // A link within the process, and each way out.
    let outcome = |body: fn(TenantLink) -> Result<(), LinkError>| {
        let (tenant, hub) = scripted();
        let left = Simulation::new().run(open_link(tenant, async |link| body(link)));
        (left.is_ok(), hub.closed().unwrap().code())
    };
    assert_eq!(outcome(|_| Ok(())), (true, 1000));
    assert_eq!(outcome(|_| Err(LinkError::AlreadyOpened)), (false, 1011));
    let (tenant, hub) = scripted();
    let mut kept = None;
    Simulation::new().run(async {
        let block = open_link(tenant, async |link| {
            kept = Some(link);
            std::future::pending::<Result<(), LinkError>>().await
        });
        assert!(move_on_after(Duration::from_secs(1), block).await.is_none());
    });
    assert_eq!(hub.closed().unwrap().code(), 1001, "although a handle is kept");
    assert!(!kept.unwrap().is_open());
    let (tenant, hub) = scripted();
    let panicked = std::panic::catch_unwind(|| {
        Simulation::new().run(open_link(tenant, async |_| -> Result<(), LinkError> { panic!("on purpose") }))
    });
    assert!(panicked.is_err());
    assert_eq!(hub.closed().unwrap().code(), 1011);
}

#[test]
fn a_link_in_a_nursery_ends_with_it() {
    let (tenant, hub) = scripted();
    let link = Simulation::new()
        .run(nursery(async |n: Nursery<'_, Error>| {
            let link = TenantLink::from(tenant);
            link.open(&n).await?;
            Ok(link)
        }))
        .unwrap();
    assert_eq!(hub.closed().unwrap().code(), 1001);
    assert_eq!(link.closed().unwrap().code(), 1001);
}

#[test]
fn a_call_that_is_dropped_takes_nothing_along() {
    for polls in 0..2 {
        simulated(async |n| {
            let (tenant, hub) = scripted();
            let link = TenantLink::from(tenant);
            if polled(polls, link.open(n)).await.is_none() {
                // A link within the process has nothing to wait for: it was not even begun.
                assert_eq!(polls, 0);
                link.open(n).await?;
            }
            assert!(polled(polls, link.next_frame()).await.is_none());
            hub.send(WELCOME).await?;
            assert_eq!(link.next_frame().await?.unwrap().kind(), "welcome");
            let sent = polled(polls, link.send_frame(&Frame::Ping)).await.is_some();
            link.send_frame(&Frame::Pong).await?;
            let expected: &[&str] = if sent { &["ping", "pong"] } else { &["pong"] };
            for kind in expected {
                assert_eq!(next_frame(&hub).await["kind"], *kind);
            }
            drop(polled(polls, link.close()).await);
            assert_eq!(link.is_open(), polls == 0);
            Ok(())
        });
    }
}

/// What a test hub does with a WebSocket: says what it is told to, and hears.
async fn hub(request: WebSocketRequest) -> Result<(), BoxError> {
    let ws = request.accept(Accept::new()).await?;
    ws.send_message(WELCOME).await?;
    ws.send_message(br#"{"kind": "ping"}"#.to_vec()).await?; // binary, as AG2 reads it, too
    ws.send_message(vec![0xff]).await?;
    while let Some(message) = ws.next_message().await? {
        ws.send_message(message).await?;
    }
    Ok(())
}

#[test]
fn over_a_web_socket_it_is_the_same() {
    run(fail_after(
        Duration::from_secs(60),
        nursery(async |n: Nursery<'_, Error>| {
            let server = n
                .start_service_with(async |status| serve_websocket("127.0.0.1:0", hub, status).await)
                .await?;
            let url = format!("ws://127.0.0.1:{}/", server.port());
            let link = TenantLink::new(&url)?
                .ping_interval(Duration::from_secs(1))
                .ping_timeout(None)
                .open_timeout(Duration::from_secs(5));
            open_link(link, async |link| {
                assert_eq!(link.next_frame().await?.unwrap().kind(), "welcome");
                assert_eq!(link.next_frame().await?, Some(Frame::Ping));
                assert!(matches!(link.next_frame().await, Err(NextFrameError::NotUtf8)));
                link.send_frame(&Frame::Pong).await?;
                assert_eq!(link.next_frame().await?, Some(Frame::Pong));
                assert!(link.ping().await? > Duration::ZERO);
                assert!(link.latency().is_some());
                Ok::<_, Error>(())
            })
            .await?;
            // Each poll of opening can be the last one.
            let link = TenantLink::new(&format!("{url}?token=s3cret"))?;
            let mut polls = 0;
            while polled(polls, link.open(&n)).await.is_none() {
                assert!(!link.is_open());
                polls += 1;
            }
            assert!(link.is_open() && polls > 1);
            assert_eq!(link.close().await.unwrap().code(), 1000);
            let late = link.send_frame(&Frame::Ping).await.unwrap_err().to_string();
            let begin = format!("ping frame not sent: connection with {url}?... closed: closing handshake; ");
            assert!(late.starts_with(&begin), "the hub is named, without the token: {late}");
            let mut polls = 0;
            loop {
                let block = open_link(url.as_str(), async |link| Ok::<_, Error>(link.next_frame().await?));
                match polled(polls, block).await {
                    Some(frame) => break assert_eq!(frame?.unwrap().kind(), "welcome"),
                    None => polls += 1,
                }
            }
            Ok(())
        }),
    ))
    .unwrap()
    .unwrap();
}

#[test]
fn debug_prints_no_secret() {
    let link = TenantLink::new("ws://user:s3cret@127.0.0.1:1/").unwrap();
    let printed = format!("{link:?} {:?}", LinkEndpoint::from(LocalLink::pair().0));
    assert!(!printed.contains("s3cret"), "{printed}");
}
