//! How channels begin, in the order of the wire.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Bound, Hub, code};
use wscope::link::{CreateChannel, Envelope, Frame, Operation, Payload, Ttl};

pub(super) fn create(creator: &Bound, kind: &str, others: &[&Bound]) -> CreateChannel {
    CreateChannel::new(&creator.id, kind, others.iter().map(|it| it.id.clone()).collect())
}

pub(super) fn ask(hub: &mut Hub, creator: &Bound, create: CreateChannel) -> String {
    hub.ask(creator.connection, &Operation::CreateChannel(Box::new(create)))
}

/// Kinds of frames, with the event of a delivery.
pub(super) fn order(hub: &mut Hub, connection: wscope::link::Id) -> Vec<String> {
    let word = |frame| match frame {
        Frame::Notify(notify) => notify.envelope.event_type,
        Frame::Response(response) => format!("response {}", response.request_id),
        frame => frame.kind().to_owned(),
    };
    hub.frames(connection).into_iter().map(word).collect()
}

#[test]
fn a_channel_opens_in_the_order_of_the_wire() {
    let mut hub = Hub::new();
    let connection = hub.attach(); // both agents on one connection: with AG2 this never opens
    let (alice, bob) = (hub.register(connection, "alice"), hub.register(connection, "bob"));
    let mut wanted = create(&alice, "consulting", &[&bob]);
    wanted.intent = Some("demo".to_owned());
    let created = ask(&mut hub, &alice, wanted);
    let invite = hub.notifies(connection).remove(0);
    assert_eq!(invite.recipient_id, bob.id);
    let data = invite.envelope.event_data.to::<Value>().unwrap();
    assert_eq!(data["labels"], json!({"intent": "demo"}));
    let ack =
        Envelope::new(&invite.envelope.channel_id, &bob.id, Envelope::INVITE_ACK, Payload::empty_object());
    let acked = hub.ask(connection, &Operation::PostEnvelope { envelope: Box::new(ack) });
    let expected = [Envelope::OPENED.to_owned(), Envelope::OPENED.to_owned()];
    let expected = expected.into_iter().chain([format!("response {acked}"), format!("response {created}")]);
    assert_eq!(order(&mut hub, connection), expected.collect::<Vec<_>>());
}

#[test]
fn the_metadata_of_a_channel_is_ag2s() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("consulting", &alice, &[&bob]);
    let ask = Operation::GetChannel { channel_id: channel.clone() };
    let id = hub.ask(bob.connection, &ask);
    let text = hub.heard(bob.connection).remove(0);
    let time = "2026-11-21T06:35:41+00:00";
    let expected = format!(
        r#"{{"request_id": "{id}", "ok": true, "result": {{"channel_id": "{channel}", "manifest": {{"type": "consulting", "version": 1, "participants": {{"min": 2, "max": 2, "roles": ["initiator", "respondent"]}}, "knobs_schema": {{}}, "default_view_policy": "full_transcript", "expectations": [{{"name": "acks_within", "on_violation": "auto_close", "params": {{"seconds": 30}}, "applies_to": null}}, {{"name": "reply_within", "on_violation": "auto_close", "params": {{"seconds": 600}}, "applies_to": null}}]}}, "creator_id": "{0}", "participants": [{{"agent_id": "{0}", "role": "initiator", "order": 0, "joined_at": "{time}"}}, {{"agent_id": "{1}", "role": "respondent", "order": 1, "joined_at": "{time}"}}], "state": "active", "created_at": "{time}", "expires_at": "2026-11-21T08:35:41+00:00", "closed_at": null, "close_reason": "", "parent_channel_id": null, "knobs": {{}}, "labels": {{}}, "required_acks": null, "pending_acks": [], "rejected_by": []}}, "error_code": "", "error_message": "", "kind": "response"}}"#,
        alice.id, bob.id
    );
    assert_eq!(text, expected);
}

#[test]
fn one_who_stays_away_closes_the_channel() {
    let mut hub = Hub::new();
    let (alice, bob, carol) = (hub.join("alice"), hub.join("bob"), hub.join("carol"));
    let wanted = create(&alice, "discussion", &[&bob, &carol]);
    let request = ask(&mut hub, &alice, wanted);
    let invite = hub.notifies(bob.connection).remove(0);
    hub.accept(&bob, &invite);
    assert!(hub.answer(alice.connection, &request).is_none());
    let channel = invite.envelope.channel_id;
    let no = Envelope::new(&channel, &carol.id, Envelope::INVITE_REJECT, Payload::empty_object());
    hub.post(&carol, no).unwrap();
    let (refused, message) = hub.answer(alice.connection, &request).unwrap().unwrap_err();
    assert_eq!(refused, "protocol_error");
    assert_eq!(message, format!("channel '{channel}' closed during handshake: invite_rejected"));
    assert_eq!(hub.notifies(bob.connection)[0].envelope.event_type, Envelope::CLOSED);
    assert_eq!(code(hub.post_text(&bob, &channel, "hello?")), "protocol_error");
}

#[test]
fn the_invited_have_thirty_seconds() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let wanted = create(&alice, "conversation", &[&bob]);
    let request = ask(&mut hub, &alice, wanted);
    let invite = hub.notifies(bob.connection).remove(0);
    let early = hub.post_text(&alice, &invite.envelope.channel_id, "early").unwrap_err();
    assert_eq!(early.1, format!("channel '{}' not active (state=pending)", invite.envelope.channel_id));
    hub.pass(Duration::from_secs(30));
    let (refused, message) = hub.answer(alice.connection, &request).unwrap().unwrap_err();
    assert_eq!(refused, "protocol_error");
    assert_eq!(message, format!("channel '{}' ack timeout", invite.envelope.channel_id));
    assert_eq!(hub.notifies(alice.connection)[0].envelope.event_type, Envelope::CLOSED);
}

#[test]
fn a_creator_that_is_gone_gets_no_answer_and_nothing_else_happens() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let wanted = create(&alice, "conversation", &[&bob]);
    ask(&mut hub, &alice, wanted);
    hub.detach(alice.connection);
    let invite = hub.notifies(bob.connection).remove(0);
    hub.accept(&bob, &invite);
    assert_eq!(hub.notifies(bob.connection)[0].envelope.event_type, Envelope::OPENED);
}

#[test]
fn what_makes_no_channel_is_refused_and_nobody_is_invited() {
    let mut hub = Hub::new();
    let (alice, bob, carol) = (hub.join("alice"), hub.join("bob"), hub.join("carol"));
    let ghost = Bound { connection: bob.connection, id: "ghost".to_owned() };
    let mut unknown_order = create(&alice, "discussion", &[&bob]);
    unknown_order.knobs = Some(Payload::parse(r#"{"ordering": "loudest"}"#).unwrap());
    let mut other_version = create(&alice, "discussion", &[&bob]);
    other_version.manifest_version = 2;
    let mut odd_ttl = create(&alice, "discussion", &[&bob]);
    odd_ttl.ttl = Some(Ttl::Text("soon".to_owned()));
    for (wanted, expected) in [
        (create(&alice, "conversation", &[]), "protocol_error"),
        (create(&alice, "conversation", &[&alice]), "protocol_error"),
        (create(&alice, "conversation", &[&bob, &bob]), "protocol_error"),
        (create(&alice, "conversation", &[&bob, &carol]), "protocol_error"),
        (create(&alice, "discussion", &[&alice]), "protocol_error"),
        (create(&alice, "conversation", &[&ghost]), "not_found"),
        (create(&alice, "workflow", &[&bob]), "not_found"),
        (create(&bob, "conversation", &[&alice]), "access_denied"),
        (unknown_order, "protocol_error"),
        (other_version, "not_found"),
        (odd_ttl, "error"),
    ] {
        let request = ask(&mut hub, &alice, wanted);
        assert_eq!(code(hub.answer(alice.connection, &request).unwrap()), expected);
    }
    assert!(hub.notifies(bob.connection).is_empty());
    assert_eq!(hub.board.stats().channels, 0);
}

#[test]
fn rules_of_creator_and_invited_are_asked_first() {
    let mut hub = Hub::new();
    let alice = hub.join_with("alice", |rule| rule.limits.max_concurrent_channels = 1);
    let shy = hub.join_with("shy", |rule| rule.access.inbound_from = vec!["b*".to_owned()]);
    let picky = hub.join_with("picky", |rule| rule.access.channel_types.accept = vec!["disc*".to_owned()]);
    let mute = hub.join_with("mute", |rule| rule.access.channel_types.initiate = Vec::new());
    let narrow = hub.join_with("narrow", |rule| rule.access.outbound_to = vec!["alice".to_owned()]);
    for (creator, invited) in [(&alice, &shy), (&alice, &picky), (&mute, &alice), (&narrow, &picky)] {
        let wanted = create(creator, "conversation", &[invited]);
        let request = ask(&mut hub, creator, wanted);
        assert_eq!(code(hub.answer(creator.connection, &request).unwrap()), "access_denied");
    }
    let channel = hub.open("conversation", &alice, &[&narrow]);
    let wanted = create(&alice, "conversation", &[&narrow]);
    let request = ask(&mut hub, &alice, wanted);
    let (_, message) = hub.answer(alice.connection, &request).unwrap().unwrap_err();
    assert_eq!(message, format!("creator '{}' exceeded max_concurrent_channels (1 >= 1)", alice.id));
    hub.request(alice.connection, &Operation::CloseChannel { channel_id: channel, reason: String::new() })
        .unwrap();
    hub.open("conversation", &alice, &[&narrow]);
}
