//! Types of channels and whose turn it is, seen from outside.

use crate::support::{Hub, code};
use wscope::link::{ChannelState, ChannelType, Envelope, Labels, Operation, Payload};

#[test]
fn types_are_known_by_name_and_version() {
    for kind in [ChannelType::Conversation, ChannelType::Consulting, ChannelType::Discussion] {
        assert_eq!(ChannelType::of(kind.as_str(), 1), Some(kind));
        assert_eq!(ChannelType::of(kind.as_str(), 2), None);
    }
    assert_eq!(ChannelType::of("workflow", 1), None);
    assert!(ChannelState::Expired.is_terminal() && !ChannelState::Pending.is_terminal());
}

#[test]
fn labels_keep_their_order_and_the_last_of_two_wins() {
    let mut labels: Labels = Payload::parse(r#"{"b": "1", "a": "2", "b": "3"}"#).unwrap().to().unwrap();
    labels.set("intent", "demo");
    assert_eq!(Payload::of(&labels).unwrap().as_str(), r#"{"b": "3", "a": "2", "intent": "demo"}"#);
    assert_eq!(labels.value("a"), Some("2"));
    let many: String = (0..100).map(|at| format!(r#", "k{at}": """#)).collect();
    assert!(Payload::parse(&format!("{{{}}}", &many[2..])).unwrap().to::<Labels>().is_err());
}

#[test]
fn in_a_conversation_anyone_speaks_at_any_time() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    for said in ["1", "2"] {
        hub.post_text(&bob, &channel, said).unwrap();
    }
    hub.post_text(&alice, &channel, "3").unwrap();
    assert_eq!(hub.texts(alice.connection), ["1", "2"]);
    assert_eq!(hub.texts(bob.connection), ["3"]);
}

#[test]
fn a_consulting_is_one_question_and_one_answer() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("consulting", &alice, &[&bob]);
    let may = |hub: &mut Hub, agent: &crate::support::Bound| {
        let sender_id = agent.id.clone();
        let ask = Operation::CanSend { channel_id: channel.clone(), sender_id, event_type: None };
        hub.request(agent.connection, &ask).unwrap()
    };
    assert_eq!((may(&mut hub, &alice), may(&mut hub, &bob)), (true.into(), false.into()));
    assert_eq!(code(hub.post_text(&bob, &channel, "too early")), "protocol_error");
    hub.post_text(&alice, &channel, "question").unwrap();
    assert_eq!((may(&mut hub, &alice), may(&mut hub, &bob)), (false.into(), true.into()));
    assert_eq!(code(hub.post_text(&alice, &channel, "another")), "protocol_error");
    hub.post_text(&bob, &channel, "answer").unwrap();
    let ends: Vec<String> =
        hub.notifies(alice.connection).into_iter().map(|it| it.envelope.event_type).collect();
    assert_eq!(ends, [Envelope::TEXT, Envelope::CLOSED]);
    assert_eq!(may(&mut hub, &alice), serde_json::Value::from(false));
    let (refused, message) = hub.post_text(&alice, &channel, "more").unwrap_err();
    assert_eq!((refused.as_str(), message), ("protocol_error", format!("channel '{channel}' is closed")));
}

#[test]
fn a_discussion_goes_round_and_other_events_need_no_turn() {
    let mut hub = Hub::new();
    let (alice, bob, carol) = (hub.join("alice"), hub.join("bob"), hub.join("carol"));
    let channel = hub.open("discussion", &alice, &[&bob, &carol]);
    for round in 0..2 {
        for (speaker, waiting) in [(&alice, &bob), (&bob, &carol), (&carol, &alice)] {
            assert_eq!(code(hub.post_text(waiting, &channel, "not yet")), "protocol_error");
            let note = Envelope::new(&channel, &waiting.id, "app.note", Payload::empty_object());
            hub.post(waiting, note).unwrap();
            hub.post_text(speaker, &channel, &format!("{round}")).unwrap();
        }
    }
    let turn = Operation::PendingTurnsFor { agent_id: alice.id.clone() };
    let pending = hub.request(alice.connection, &turn).unwrap();
    assert_eq!(pending[0]["channel_id"], channel.as_str());
    assert!(pending[0]["triggering_envelope_id"].is_string());
    let turn = Operation::PendingTurnsFor { agent_id: bob.id.clone() };
    assert_eq!(hub.request(bob.connection, &turn).unwrap(), serde_json::json!([]));
}
