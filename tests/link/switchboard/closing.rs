//! How channels end: told before it is answered, by their time, and forgotten at last.

use std::time::Duration;

use serde_json::{Value, json};

use super::opening::{ask, create, order};
use crate::support::{Bound, Hub, code};
use wscope::link::{Envelope, HubConfig, HubLimits, Operation, Ttl};

#[test]
fn a_close_is_told_before_it_is_answered() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let close = Operation::CloseChannel { channel_id: channel.clone(), reason: "done".to_owned() };
    let id = hub.ask(bob.connection, &close);
    assert_eq!(order(&mut hub, bob.connection), [Envelope::CLOSED.to_owned(), format!("response {id}")]);
    let closed = hub.notifies(alice.connection).remove(0).envelope;
    assert_eq!(closed.event_data.to::<Value>().unwrap(), json!({"reason": "done", "channel_id": channel}));
    assert_eq!(closed.sender_id, alice.id, "in the creator's name");
    let again = hub.request(bob.connection, &close).unwrap();
    assert_eq!((&again["state"], &again["close_reason"]), (&json!("closed"), &json!("done")));
    assert!(hub.notifies(alice.connection).is_empty(), "closed once");
}

#[test]
fn a_channel_lives_as_long_as_it_is_told() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    for (ttl, seconds) in
        [(Some(Ttl::Seconds(40)), 40), (Some(Ttl::Text("2m".to_owned())), 120), (None, 7_200)]
    {
        let mut wanted = create(&alice, "conversation", &[&bob]);
        wanted.ttl = ttl;
        let request = ask(&mut hub, &alice, wanted);
        let invite = hub.notifies(bob.connection).remove(0);
        hub.accept(&bob, &invite);
        hub.answer(alice.connection, &request).unwrap().unwrap();
        hub.ack_all(&alice);
        hub.ack_all(&bob);
        hub.pass(Duration::from_secs(seconds - 1));
        assert!(hub.notifies(bob.connection).is_empty());
        hub.pass(Duration::from_secs(1));
        let event = hub.notifies(bob.connection).remove(0).envelope;
        assert_eq!(event.event_type, Envelope::EXPIRED);
        assert_eq!(event.event_data.to::<Value>().unwrap()["reason"], "ttl_expired");
        hub.ack_all(&alice);
    }
    assert_eq!(hub.board.deadline(), None);
}

#[test]
fn channels_and_closed_ones_have_limits() {
    let mut limits = HubLimits::new();
    (limits.max_channels_per_agent, limits.max_closed_channels, limits.max_participants) = (2, 1, 3);
    let mut hub = Hub::with(HubConfig::new().limits(limits));
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channels = [hub.open("conversation", &alice, &[&bob]), hub.open("conversation", &alice, &[&bob])];
    let wanted = create(&alice, "conversation", &[&bob]);
    let request = ask(&mut hub, &alice, wanted);
    assert_eq!(code(hub.answer(alice.connection, &request).unwrap()), "limit_exceeded");
    let many: Vec<Bound> = ["c", "d", "e", "f"].into_iter().map(|name| hub.join(name)).collect();
    let wanted = create(&many[0], "discussion", &many.iter().collect::<Vec<_>>());
    let request = ask(&mut hub, &many[0], wanted);
    assert_eq!(code(hub.answer(many[0].connection, &request).unwrap()), "limit_exceeded");
    for channel in &channels {
        let close = Operation::CloseChannel { channel_id: channel.clone(), reason: String::new() };
        hub.request(alice.connection, &close).unwrap();
    }
    let get = |channel: &str| Operation::GetChannel { channel_id: channel.to_owned() };
    assert_eq!(code(hub.request(alice.connection, &get(&channels[0]))), "not_found");
    assert!(hub.request(alice.connection, &get(&channels[1])).is_ok());
    hub.open("conversation", &alice, &[&bob]);
}
