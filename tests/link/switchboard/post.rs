//! Whether an envelope is taken.

use std::time::Duration;

use crate::support::{Bound, Hub, code, text};
use wscope::link::{
    Envelope, Frame, HubConfig, HubLimits, MemoryStore, Operation, Overflow, Payload, Request, Rule,
};

#[test]
fn nobody_speaks_for_another_or_for_the_hub() {
    let mut hub = Hub::new();
    let (alice, bob, carol) = (hub.join("alice"), hub.join("bob"), hub.join("carol"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let spoofed = Bound { connection: carol.connection, id: alice.id.clone() };
    assert_eq!(code(hub.post_text(&spoofed, &channel, "I am alice")), "access_denied");
    assert_eq!(code(hub.post_text(&carol, &channel, "let me in")), "protocol_error");
    assert_eq!(code(hub.post_text(&alice, "ghost", "anyone?")), "not_found");
    for event in [Envelope::INVITE, Envelope::OPENED, Envelope::CLOSED, Envelope::EXPIRED, "ag2.channel.x"] {
        let fake = Envelope::new(&channel, &alice.id, event, Payload::empty_object());
        let (refused, message) = hub.post(&alice, fake).unwrap_err();
        assert_eq!(
            (refused.as_str(), message),
            ("protocol_error", format!("'{event}' is emitted only by the hub"))
        );
    }
    let mut foreign = text(&channel, &alice, "pssst");
    foreign.audience = Some(vec![carol.id.clone()]);
    assert_eq!(code(hub.post(&alice, foreign)), "protocol_error");
    let mut path = text(&channel, &alice, "x");
    path.task_id = Some("../passwd".to_owned());
    assert_eq!(code(hub.post(&alice, path)), "protocol_error");
    assert!(hub.notifies(bob.connection).is_empty() && hub.notifies(carol.connection).is_empty());
}

#[test]
fn the_hub_stamps_whatever_the_sender_wrote() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let mut envelope = text(&channel, &alice, "x");
    (envelope.envelope_id, envelope.created_at) = ("zzzz".to_owned(), "yesterday".to_owned());
    let id = hub.post(&alice, envelope).unwrap();
    let notify = hub.notifies(bob.connection).remove(0);
    assert_eq!(notify.envelope.envelope_id, id);
    assert_eq!(notify.envelope.created_at, "2026-11-21T06:35:41+00:00");
    assert_eq!(notify.recipient_id, bob.id);
}

#[test]
fn an_audience_gets_it_once_each_and_the_sender_when_it_is_listed() {
    let mut hub = Hub::new();
    let (alice, bob, carol) = (hub.join("alice"), hub.join("bob"), hub.join("carol"));
    let channel = hub.open("discussion", &alice, &[&bob, &carol]);
    let mut note = Envelope::new(&channel, &alice.id, "note", Payload::empty_object());
    note.audience = Some(vec![carol.id.clone(), alice.id.clone(), carol.id.clone()]);
    hub.post(&alice, note).unwrap();
    assert_eq!(hub.notifies(carol.connection).len(), 1);
    assert_eq!(hub.notifies(alice.connection).len(), 1);
    assert_eq!(hub.notifies(bob.connection).len(), 0);
}

#[test]
fn rules_of_sender_and_recipient_hold() {
    let mut hub = Hub::new();
    let alice = hub.join("alice");
    let bob = hub.join("bob");
    let channel = hub.open("conversation", &alice, &[&bob]);
    let mut rule = Rule::default();
    rule.access.outbound_to = vec!["c*".to_owned()];
    rule.limits.delegation_depth = 2;
    hub.request(alice.connection, &Operation::SetRule { agent_id: alice.id.clone(), rule }).unwrap();
    let mut deep = text(&channel, &alice, "deep");
    deep.depth = 3;
    assert_eq!(code(hub.post(&alice, deep)), "access_denied");
    let mut listed = text(&channel, &alice, "listed");
    listed.audience = Some(vec![bob.id.clone()]);
    assert_eq!(code(hub.post(&alice, listed)), "access_denied");
    assert!(hub.post_text(&alice, &channel, "to all").is_ok(), "only an explicit audience is looked at");
    hub.texts(bob.connection);

    let mut deaf = Rule::default();
    deaf.access.inbound_from = Vec::new();
    hub.request(bob.connection, &Operation::SetRule { agent_id: bob.id.clone(), rule: deaf }).unwrap();
    assert!(hub.post_text(&alice, &channel, "unheard").is_ok(), "left out without a word");
    assert!(hub.texts(bob.connection).is_empty());
}

#[test]
fn a_key_is_delivered_once_per_sender_and_channel() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("consulting", &alice, &[&bob]);
    let keyed = |agent: &Bound, said: &str| {
        let mut envelope = text(&channel, agent, said);
        envelope.idempotency_key = Some("key".to_owned());
        envelope
    };
    let first = hub.post(&alice, keyed(&alice, "question")).unwrap();
    assert_eq!(hub.post(&alice, keyed(&alice, "again")), Ok(first));
    assert_eq!(hub.texts(bob.connection), ["question"]);
    let answer = hub.post(&bob, keyed(&bob, "answer")).unwrap();
    assert_eq!(hub.post(&bob, keyed(&bob, "answer")), Ok(answer), "although the channel has closed since");
    let mut long = text(&channel, &alice, "x");
    long.idempotency_key = Some("k".repeat(257));
    assert_eq!(code(hub.post(&alice, long)), "too_large");
}

#[test]
fn the_last_1024_keys_are_remembered() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let mut post = |key: usize| {
        let mut envelope = text(&channel, &alice, "x");
        envelope.idempotency_key = Some(key.to_string());
        let id = hub.post(&alice, envelope).unwrap();
        hub.ack_all(&bob);
        id
    };
    let ids: Vec<_> = (0..1_025).map(&mut post).collect();
    assert_eq!(post(1), ids[1]);
    assert_ne!(post(0), ids[0], "the oldest is forgotten");
}

#[test]
fn a_rate_lets_a_burst_through_and_then_one_at_a_time() {
    let mut hub = Hub::new();
    let alice =
        hub.join_with("alice", |rule| (rule.limits.rate.per_minute, rule.limits.rate.burst) = (60, 3));
    let bob = hub.join("bob");
    let channel = hub.open("conversation", &alice, &[&bob]);
    let post = |hub: &mut Hub| {
        hub.post_text(&alice, &channel, "x").map_or_else(|(code, _)| code, |_| "ok".to_owned())
    };
    assert_eq!([(); 4].map(|()| post(&mut hub)), ["ok", "ok", "ok", "rate_limited"]);
    hub.pass(Duration::from_secs(1));
    assert_eq!([(); 2].map(|()| post(&mut hub)), ["ok", "rate_limited"]);
    hub.pass(Duration::from_secs(60));
    assert_eq!(
        [(); 4].map(|()| post(&mut hub)),
        ["ok", "ok", "ok", "rate_limited"],
        "it never holds more than a burst"
    );
}

/// Posts `1` to `4` to an agent whose inbox has room for two, which reads and acks nothing; then comes back.
fn overflow(overflow: Overflow) -> (Vec<String>, Vec<String>) {
    let mut hub = Hub::new();
    let alice = hub.join("alice");
    let bob = hub.join_with("bob", |rule| {
        (rule.limits.inbox.max_pending, rule.limits.inbox.overflow) = (2, overflow);
    });
    let channel = hub.open("conversation", &alice, &[&bob]);
    hub.detach(bob.connection);
    let answers = ["1", "2", "3", "4"].map(|said| match hub.post_text(&alice, &channel, said) {
        Ok(_) => "ok".to_owned(),
        Err((code, _)) => code,
    });
    let back = hub.attach();
    hub.frame(back, &crate::support::hello("bob", Some("")));
    (answers.to_vec(), hub.texts(back))
}

#[test]
fn a_full_inbox_rejects_or_drops_as_its_rule_says() {
    let strings = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let all = strings(&["ok"; 4]);
    assert_eq!(overflow(Overflow::Reject), (strings(&["ok", "ok", "error", "error"]), strings(&["1", "2"])));
    assert_eq!(overflow(Overflow::DropOldest), (all.clone(), strings(&["3", "4"])));
    assert_eq!(overflow(Overflow::DropNewest), (all, strings(&["1", "2"])));
}

#[test]
fn an_inbox_empties_by_acks() {
    let mut hub = Hub::new();
    let alice = hub.join("alice");
    let bob = hub.join_with("bob", |rule| rule.limits.inbox.max_pending = 2);
    let channel = hub.open("conversation", &alice, &[&bob]);
    for round in 0..5 {
        hub.post_text(&alice, &channel, "1").unwrap();
        hub.post_text(&alice, &channel, "2").unwrap();
        let (refused, message) = hub.post_text(&alice, &channel, "3").unwrap_err();
        assert_eq!(refused, "error", "{round}");
        assert_eq!(message, format!("recipient '{}' inbox at capacity (2 >= 2)", bob.id));
        assert_eq!(hub.ack_all(&bob), ["1", "2"]);
    }
}

#[test]
fn what_is_too_large_to_be_delivered_is_refused_and_nothing_is_kept() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    // As a frame of its sender it fits to the byte; as a delivery, with its stamps, it does not.
    let frame = |said: &str| {
        let operation = Operation::PostEnvelope { envelope: Box::new(text(&channel, &alice, said)) };
        Frame::Request(Request::new("r00", operation.op(), operation.params())).encode()
    };
    let filler = "x".repeat((1 << 20) - frame("").len());
    assert_eq!(frame(&filler).len(), 1 << 20);
    hub.say(alice.connection, &frame(&filler));
    assert_eq!(code(hub.answer(alice.connection, "r00").unwrap()), "too_large");
    hub.say(alice.connection, &frame(&filler[1_000..]));
    assert!(hub.answer(alice.connection, "r00").unwrap().is_ok());
    assert_eq!(hub.texts(bob.connection).len(), 1);
    assert!(hub.closed.is_empty());
}

#[test]
fn a_full_store_is_a_refusal() {
    let mut hub = Hub::with(HubConfig::new().store(MemoryStore::new().max_log_bytes(4_000)));
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let refused = (0..10).find_map(|_| hub.post_text(&alice, &channel, "x").err());
    assert_eq!(refused.unwrap().0, "limit_exceeded");
    let close = Operation::CloseChannel { channel_id: channel, reason: String::new() };
    assert_eq!(hub.request(bob.connection, &close).unwrap()["state"], "closed", "it can still be closed");
    assert_eq!(hub.notifies(alice.connection).pop().unwrap().envelope.event_type, Envelope::CLOSED);
}

#[test]
fn the_hub_has_a_rate_and_a_budget_for_each_agent_whatever_its_rule_says() {
    let mut limits = HubLimits::new();
    (limits.rate.per_minute, limits.rate.burst, limits.max_posted_size, limits.max_closed_channels) =
        (60, 2, 4_700, 0);
    let mut hub = Hub::with(HubConfig::new().limits(limits));
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let said = "x".repeat(400);
    hub.post_text(&alice, &channel, &said).unwrap();
    hub.post_text(&alice, &channel, &said).unwrap();
    assert_eq!(code(hub.post_text(&alice, &channel, &said)), "rate_limited");
    hub.pass(Duration::from_secs(60));
    hub.post_text(&alice, &channel, &said).unwrap();
    hub.post_text(&alice, &channel, &said).unwrap();
    hub.pass(Duration::from_secs(60));
    assert_eq!(code(hub.post_text(&alice, &channel, &said)), "limit_exceeded");
    assert!(hub.post_text(&bob, &channel, &said).is_ok(), "another has a budget of its own");
    let close = Operation::CloseChannel { channel_id: channel, reason: String::new() };
    assert_eq!(code(hub.request(bob.connection, &close)), "not_found", "closed, and forgotten at once");
    let next = hub.open("conversation", &alice, &[&bob]);
    assert!(hub.post_text(&alice, &next, &said).is_ok(), "what is forgotten no longer counts");
}
