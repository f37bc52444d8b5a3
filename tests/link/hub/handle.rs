//! What a user asks of a hub: serve, attach, drain, list, kick.

use wscope::{
    CancelScope, CloseCode, WebSocketServer,
    link::{ApiKeys, CreateChannel, Envelope, Frame, Hub, LinkEndpoint, LocalLink, Operation, Request},
    websocket::CloseCause,
};

use crate::guest::{Guest, SOON, meet, real, said, served, simulated, web_socket_pair};

#[test]
fn tenants_in_one_process_and_tenants_on_sockets_meet() {
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let (alice, bob) = (Guest::connect(&n, &url).await?, Guest::new(hub.local_link(&n)));
        let (a, b) = (alice.register("alice").await?, bob.register("bob").await?);
        let channel = alice.open(&a, &bob, &b).await?;
        for round in 0..100 {
            alice.post_text(&channel, &a, &format!("there {round}")).await?;
            bob.post_text(&channel, &b, &format!("back {round}")).await?;
        }
        for round in 0..100 {
            assert_eq!(bob.text().await?, format!("there {round}"));
            assert_eq!(alice.text().await?, format!("back {round}"));
        }
        let stats = hub.stats();
        assert_eq!((stats.endpoints, stats.agents, stats.online, stats.channels), (2, 2, 2, 1));
        Ok(())
    });
}

#[test]
fn two_agents_of_one_connection_open_a_channel_with_each_other() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let guest = Guest::new(hub.local_link(&n));
        let (a, b) = (guest.register("alice").await?, guest.register("bob").await?);
        let channel = guest.open(&a, &guest, &b).await?;
        guest.post_text(&channel, &a, "to myself").await?;
        assert_eq!(guest.text().await?, "to myself");
        Ok(())
    });
}

#[test]
fn who_is_taken_over_is_told() {
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let (first, second) = (Guest::connect(&n, &url).await?, Guest::connect(&n, &url).await?);
        let id = first.register("alice").await?;
        second.hello("alice", None).await?;
        assert_eq!(first.error().await?, "superseded");
        let denied = first.request(&Operation::Unregister { agent_id: id }).await?;
        assert_eq!(denied.unwrap_err().0, "access_denied");
        Ok(())
    });
}

#[test]
fn what_was_missed_comes_with_a_hello_on_a_new_connection() {
    real(async |n| {
        let hub = Hub::builder().build();
        let url = served(&n, &hub).await?;
        let (alice, bob) = (Guest::connect(&n, &url).await?, Guest::connect(&n, &url).await?);
        let (a, channel) = meet(&alice, &bob).await?;
        bob.end.close(CloseCode::NORMAL_CLOSURE).await;
        alice.post_text(&channel, &a, "while bob is away").await?;
        let back = Guest::connect(&n, &url).await?;
        back.hello("bob", Some("")).await?;
        assert_eq!(back.text().await?, "while bob is away");
        Ok(())
    });
}

#[test]
fn a_drain_answers_what_is_under_way_and_closes_with_1001() {
    real(async |n| {
        let hub = Hub::builder().build();
        let server = WebSocketServer::bind("127.0.0.1:0").await?;
        let url = format!("ws://127.0.0.1:{}/", server.port());
        let serving = hub.serve(server)?;
        let served = n.child(async {
            serving.await;
            Ok(())
        });
        let (alice, bob) = (Guest::connect(&n, &url).await?, Guest::new(hub.local_link(&n)));
        let (a, channel) = meet(&alice, &bob).await?;
        alice.post_text(&channel, &a, "last words").await?;
        let drained = n.child({
            let hub = hub.clone();
            async move {
                hub.drain(SOON).await;
                Ok(())
            }
        });
        assert_eq!(bob.text().await.unwrap(), "last words");
        let (alice, bob) = (alice.closed().await?, bob.closed().await?);
        for closed in [alice, bob] {
            assert_eq!((closed.code(), closed.reason()), (1001, "the hub is shutting down"));
        }
        drained.await?;
        served.await?;
        assert_eq!(hub.stats().endpoints, 0);
        let late = Guest::new(hub.local_link(&n));
        assert_eq!(late.closed().await?.code(), 1001);
        hub.serve(WebSocketServer::bind("127.0.0.1:0").await?)?.await; // over at once
        Ok(())
    });
}

#[test]
fn who_waits_for_an_answer_gets_it_before_the_hub_is_gone() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (alice, bob) = (Guest::new(hub.local_link(&n)), Guest::new(hub.local_link(&n)));
        let (a, b) = (alice.register("alice").await?, bob.register("bob").await?);
        let create = CreateChannel::new(&a, "conversation", vec![b]);
        let request = alice.ask(&Operation::CreateChannel(Box::new(create))).await?;
        bob.notify(Envelope::INVITE).await?;
        n.start_soon(async move {
            hub.drain(SOON).await;
            Ok(())
        });
        assert_eq!(alice.answer(&request).await?.unwrap_err().0, "shutting_down");
        assert_eq!(alice.closed().await?.code(), 1001);
        Ok(())
    });
}

#[test]
fn a_hub_that_trusts_everyone_serves_only_this_machine_unless_told_otherwise() {
    real(async |_n| {
        let exposed = async |hub: &Hub, address| {
            let server = WebSocketServer::bind(address).await.unwrap();
            hub.serve(server).err()
        };
        let open = Hub::builder().build();
        let refused = exposed(&open, "0.0.0.0:0").await.unwrap();
        assert_eq!(refused.endpoint.address().unwrap().ip().to_string(), "0.0.0.0");
        assert!(refused.to_string().contains("allow_unauthenticated"), "{refused}");
        assert_eq!(exposed(&open, "127.0.0.1:0").await, None, "it serves");
        let allowed = Hub::builder().allow_unauthenticated(true).build();
        assert_eq!(exposed(&allowed, "0.0.0.0:0").await, None);
        let keys = Hub::builder().auth(ApiKeys::new().key("alice", "s3cret")).build();
        assert_eq!(exposed(&keys, "0.0.0.0:0").await, None);
        assert_eq!(exposed(&open, "[::1]:0").await, None);
        Ok(())
    });
}

#[test]
fn the_operator_lists_and_kicks() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (alice, bob) = (Guest::new(hub.local_link(&n)), Guest::new(hub.local_link(&n)));
        let id = alice.register("alice").await?;
        bob.register("bob").await?;
        let online = |hub: &Hub| -> Vec<(String, bool)> {
            hub.agents().into_iter().map(|agent| (agent.passport.name, agent.online)).collect()
        };
        assert_eq!(online(&hub), [("alice".to_owned(), true), ("bob".to_owned(), true)]);
        assert!(hub.kick(&id));
        assert!(!hub.kick("alice"), "she is gone");
        let closed = alice.closed().await?;
        assert_eq!((closed.code(), closed.reason()), (1008, "closed by the operator"));
        assert_eq!(online(&hub), [("alice".to_owned(), false), ("bob".to_owned(), true)]);
        assert_eq!(hub.stats().online, 1);
        assert!(format!("{hub:?}").contains("online: 1"));
        Ok(())
    });
}

#[test]
fn operations_of_later_rounds_are_refused_in_ag2s_words() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let guest = Guest::new(hub.local_link(&n));
        guest.register("alice").await?;
        guest.say(r#"{"kind": "request", "request_id": "x", "op": "nope", "params": {}}"#).await?;
        let (code, message) = guest.answer("x").await?.unwrap_err();
        assert_eq!((code.as_str(), message.as_str()), ("protocol_error", "unknown control-plane op: 'nope'"));
        Ok(())
    });
}

#[test]
fn a_server_that_is_dropped_says_goodbye_and_the_hub_goes_on() {
    real(async |n| {
        let hub = Hub::builder().build();
        let server = WebSocketServer::bind("127.0.0.1:0").await?;
        let url = format!("ws://127.0.0.1:{}/", server.port());
        let stop = CancelScope::new();
        n.start_soon({
            let (serving, stop) = (hub.serve(server)?, stop.clone());
            async move {
                let _ = stop.run(serving).await;
                Ok(())
            }
        });
        let alice = Guest::connect(&n, &url).await?;
        alice.register("alice").await?;
        stop.cancel();
        assert_eq!(alice.closed().await?.code(), 1001);
        assert_eq!((hub.stats().endpoints, hub.stats().agents), (0, 1));
        let back = Guest::new(hub.local_link(&n));
        back.hello("alice", None).await?;
        assert!(matches!(back.hear().await?, Frame::Welcome(_)));
        Ok(())
    });
}

#[test]
fn an_attachment_that_is_dropped_tells_the_peer_and_frees_the_agent() {
    for sockets in [false, true] {
        simulated(async |n| {
            let hub = Hub::builder().build();
            let stop = CancelScope::new();
            let (here, there) = if sockets { web_socket_pair(&n).await? } else { local_pair() };
            let guest = Guest::new(here);
            let attached = n.child({
                let (hub, stop) = (hub.clone(), stop.clone());
                async move { Ok(stop.run(hub.attach(there)).await.is_err()) }
            });
            guest.register("alice").await?;
            assert_eq!((hub.stats().endpoints, hub.stats().online), (1, 1));
            stop.cancel();
            assert!(attached.await?, "cut off");
            assert_eq!((hub.stats().endpoints, hub.stats().online), (0, 0));
            assert_eq!(guest.closed().await?.code(), if sockets { 1000 } else { 1001 });
            Ok(())
        });
    }
}

fn local_pair() -> (LinkEndpoint, LinkEndpoint) {
    let (here, there) = LocalLink::pair();
    (here.into(), there.into())
}

#[test]
fn a_connection_that_ends_in_any_way_is_told_to_whoever_attached_it() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (tenant, end) = LocalLink::pair();
        let guest = Guest::new(tenant);
        let attached = n.child({
            let hub = hub.clone();
            async move { Ok(hub.attach(end).await) }
        });
        guest.register("alice").await?;
        guest.end.close(CloseCode::NORMAL_CLOSURE).await;
        let closed = attached.await?;
        assert_eq!((closed.code(), closed.cause()), (1000, &CloseCause::Handshake));
        Ok(())
    });
}

#[test]
fn an_envelope_too_large_for_a_tenant_is_refused_and_the_sender_goes_on() {
    simulated(async |n| {
        let hub = Hub::builder().build();
        let (alice, bob) = (Guest::new(hub.local_link(&n)), Guest::new(hub.local_link(&n)));
        let (a, channel) = meet(&alice, &bob).await?;
        let post = |text: &str| Operation::PostEnvelope { envelope: Box::new(said(&channel, &a, text)) };
        let around = Frame::Request(Request::new("r123", "post_envelope", post("").params())).encode().len();
        let long = "x".repeat((1 << 20) - around); // the request passes, the delivery, with an id and a time, would not
        let refused = alice.post(said(&channel, &a, &long)).await?.unwrap_err();
        assert_eq!(refused.0, "too_large");
        alice.post_text(&channel, &a, "short").await?;
        assert_eq!(bob.text().await?, "short");
        Ok(())
    });
}
