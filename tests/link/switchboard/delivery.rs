//! Owed until acknowledged: live, replayed, and to those who do not read.

use std::time::Duration;

use crate::support::{Bound, Hub, hello, text};
use wscope::link::{Frame, HubConfig, HubLimits, Id, Operation, Receipt};

fn back(hub: &mut Hub, agent: &mut Bound, name: &str, since: Option<&str>) {
    agent.connection = hub.attach();
    let connection = agent.connection;
    hub.frame(connection, &hello(name, since));
}

fn pair() -> (Hub, Bound, Bound, String) {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    (hub, alice, bob, channel)
}

#[test]
fn a_gap_between_acks_is_replayed_and_nothing_else() {
    let (mut hub, alice, mut bob, channel) = pair();
    for said in ["0", "1", "2"] {
        hub.post_text(&alice, &channel, said).unwrap();
    }
    let notifies = hub.notifies(bob.connection);
    hub.ack(&bob, &notifies[0]);
    hub.ack(&bob, &notifies[2]); // with AG2 the one between is lost by this
    hub.detach(bob.connection);
    back(&mut hub, &mut bob, "bob", Some(""));
    assert_eq!(hub.ack_all(&bob), ["1"]);
    hub.detach(bob.connection);
    back(&mut hub, &mut bob, "bob", Some(""));
    assert_eq!(hub.texts(bob.connection), [""; 0]);
}

#[test]
fn an_ack_of_what_was_never_sent_moves_nothing() {
    let (mut hub, alice, mut bob, channel) = pair();
    hub.detach(bob.connection);
    let id = hub.post_text(&alice, &channel, "1").unwrap();
    back(&mut hub, &mut bob, "bob", None);
    for poison in ["zzzz", "ffffffffffffffffffffffffffffffff", id.as_str().unwrap()] {
        hub.frame(bob.connection, &Frame::Receipt(Receipt::ack(poison, &bob.id, &channel)));
    }
    hub.frame(bob.connection, &hello("bob", Some("")));
    assert_eq!(hub.texts(bob.connection), ["1"]);
}

#[test]
fn replay_starts_after_the_mark_and_comes_before_what_is_live() {
    let (mut hub, alice, mut bob, channel) = pair();
    hub.detach(bob.connection);
    let mut ids = Vec::new();
    for said in ["1", "2", "3"] {
        ids.push(hub.post_text(&alice, &channel, said).unwrap().as_str().unwrap().to_owned());
    }
    back(&mut hub, &mut bob, "bob", Some(&ids[0]));
    hub.post_text(&alice, &channel, "live").unwrap();
    let frames = hub.frames(bob.connection);
    assert!(matches!(frames[0], Frame::Welcome(_)));
    let texts = |frames: &[Frame]| -> Vec<String> {
        let notify = |frame: &Frame| match frame {
            Frame::Notify(notify) => Some(crate::support::text_of(&notify.envelope)),
            _ => None,
        };
        frames.iter().filter_map(notify).collect()
    };
    assert_eq!(texts(&frames), ["2", "3", "live"]);
    hub.frame(bob.connection, &hello("bob", Some("")));
    assert_eq!(
        hub.texts(bob.connection),
        ["1", "2", "3", "live"],
        "once more for each hello that asks for it"
    );
    hub.frame(bob.connection, &hello("bob", Some("zzzz")));
    assert_eq!(hub.texts(bob.connection), [""; 0]);
}

#[test]
fn without_a_mark_there_is_no_replay() {
    let (mut hub, alice, mut bob, channel) = pair();
    hub.detach(bob.connection);
    hub.post_text(&alice, &channel, "missed").unwrap();
    back(&mut hub, &mut bob, "bob", None);
    hub.post_text(&alice, &channel, "live").unwrap();
    assert_eq!(hub.texts(bob.connection), ["live"]);
}

#[test]
fn a_nack_is_replayed() {
    let (mut hub, alice, mut bob, channel) = pair();
    hub.post_text(&alice, &channel, "boom").unwrap();
    let notify = hub.notifies(bob.connection).remove(0);
    let nack = format!(
        r#"{{"kind": "receipt", "envelope_id": "{}", "status": "nack", "recipient_id": "{}", "channel_id": "{channel}"}}"#,
        notify.envelope.envelope_id, bob.id
    );
    hub.say(bob.connection, &nack);
    assert_eq!(hub.board.stats().nacked, 1);
    hub.detach(bob.connection);
    back(&mut hub, &mut bob, "bob", Some(""));
    assert_eq!(hub.texts(bob.connection), ["boom"]);
}

#[test]
fn what_has_ended_unseen_is_not_replayed_and_takes_no_room() {
    let (mut hub, alice, mut bob, channel) = pair();
    hub.detach(bob.connection);
    hub.post_text(&alice, &channel, "unseen").unwrap();
    hub.request(alice.connection, &Operation::CloseChannel { channel_id: channel, reason: String::new() })
        .unwrap();
    back(&mut hub, &mut bob, "bob", Some(""));
    assert!(hub.notifies(bob.connection).is_empty());
}

#[test]
fn what_has_ended_is_not_replayed_to_a_new_connection_either() {
    let (mut hub, alice, mut bob, channel) = pair();
    hub.post_text(&alice, &channel, "unacknowledged").unwrap();
    hub.request(alice.connection, &Operation::CloseChannel { channel_id: channel, reason: String::new() })
        .unwrap();
    assert_eq!(hub.notifies(bob.connection).len(), 2, "who is there is told");
    hub.frame(bob.connection, &hello("bob", Some("")));
    back(&mut hub, &mut bob, "bob", Some(""));
    assert!(hub.notifies(bob.connection).is_empty());
}

#[test]
fn an_invite_waits_for_who_is_away() {
    use wscope::link::CreateChannel;
    let mut hub = Hub::new();
    let (alice, mut bob) = (hub.join("alice"), hub.join("bob"));
    hub.detach(bob.connection);
    let create = CreateChannel::new(&alice.id, "conversation", vec![bob.id.clone()]);
    let request = hub.ask(alice.connection, &Operation::CreateChannel(Box::new(create)));
    back(&mut hub, &mut bob, "bob", Some(""));
    let invite = hub.notifies(bob.connection).remove(0);
    hub.accept(&bob, &invite);
    assert!(hub.answer(alice.connection, &request).unwrap().is_ok());
}

#[test]
fn what_is_too_old_is_given_up() {
    let (mut hub, alice, mut bob, channel) = pair();
    hub.detach(bob.connection);
    for (said, ttl) in [("short", Some(5)), ("long", Some(500)), ("no end", None), ("zero", Some(0))] {
        let mut envelope = text(&channel, &alice, said);
        envelope.ttl_seconds = ttl;
        hub.post(&alice, envelope).unwrap();
    }
    hub.pass(Duration::from_secs(5));
    back(&mut hub, &mut bob, "bob", Some(""));
    assert_eq!(hub.texts(bob.connection), ["long", "no end", "zero"]);
    assert_eq!(hub.board.stats().given_up, 1);
}

#[test]
fn a_window_of_nothing_lets_one_delivery_through_at_a_time() {
    let mut hub = Hub::with(HubConfig::new().limits(HubLimits::new().window(0)));
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    hub.post_text(&alice, &channel, "hello").unwrap();
    assert_eq!(hub.texts(bob.connection).len(), 1);
}

#[test]
fn one_who_does_not_read_harms_nobody_and_gets_everything_in_order() {
    let mut limits = HubLimits::new();
    limits.window = 3_000;
    let mut hub = Hub::with(HubConfig::new().limits(limits));
    let (alice, slow, quick) = (hub.join("alice"), hub.join("slow"), hub.join("quick"));
    let first = hub.open("conversation", &alice, &[&slow]);
    let second = hub.open("conversation", &alice, &[&slow]);
    let other = hub.open("conversation", &alice, &[&quick]);
    hub.stuck.push(slow.connection);
    for round in 0..50 {
        hub.post_text(&alice, &first, &format!("a{round}")).unwrap();
        hub.post_text(&alice, &second, &format!("b{round}")).unwrap();
        hub.post_text(&alice, &other, "x").unwrap();
    }
    assert_eq!(hub.texts(quick.connection).len(), 50);
    let mut heard = Vec::new();
    let mut unread = hub.heard(slow.connection);
    let waiting: usize = unread.iter().map(String::len).sum();
    assert!(waiting < 4_000, "{waiting} bytes are on their way");
    while !unread.is_empty() {
        let bytes = unread.iter().map(String::len).sum();
        heard.extend(unread);
        hub.leave(slow.connection, bytes);
        unread = hub.heard(slow.connection);
    }
    let said = |text: &String| match Frame::decode(text).unwrap() {
        Frame::Notify(notify) => crate::support::text_of(&notify.envelope),
        frame => panic!("{frame:?}"),
    };
    let heard: Vec<String> = heard.iter().map(said).collect();
    let of = |letter: char| heard.iter().filter(|text| text.starts_with(letter)).cloned().collect::<Vec<_>>();
    assert_eq!(of('a'), (0..50).map(|round| format!("a{round}")).collect::<Vec<_>>());
    assert_eq!(of('b'), (0..50).map(|round| format!("b{round}")).collect::<Vec<_>>());
    assert_eq!(heard.len(), 100, "none twice");
}

#[test]
fn an_agent_that_moves_takes_what_is_owed_with_it() {
    let (mut hub, alice, mut bob, channel) = pair();
    hub.stuck.push(bob.connection);
    for round in 0..2_000 {
        if hub.post_text(&alice, &channel, &format!("{round} {}", "x".repeat(1_000))).is_err() {
            break; // the inbox is full
        }
    }
    let old: Id = bob.connection;
    back(&mut hub, &mut bob, "bob", Some(""));
    let heard = hub.texts(bob.connection);
    assert_eq!(heard.len(), 1_000);
    assert!(heard.iter().enumerate().all(|(at, text)| text.starts_with(&format!("{at} "))));
    hub.heard(old);
    hub.leave(old, 1 << 20);
    assert!(hub.heard(old).is_empty(), "nothing more for who no longer holds him");
}
