//! Frames of every sort, and what comes back.

use std::time::Duration;

use allocation_counter::measure;

use crate::support::{Hub, START, hello};
use wscope::link::{
    Effect, ErrorCode, Farewell, Frame, HubConfig, HubLimits, Operation, Passport, Register, Request, Rule,
    Switchboard, Timestamp,
};

const OUR: &str = "ours: AG2 is silent";

/// What is sent on a connection without an agent, and what comes back: a kind, a code and a message.
#[rustfmt::skip]
const ODD: &[(&str, &str, &str, &str)] = &[
    (r#"{"kind": "ping"}"#, "pong", "", ""),
    (r#"{"kind": "pong"}"#, "", "", ""),
    (r#"{"kind": "welcome", "endpoint_id": "", "hub_time": ""}"#, "", "", ""),
    (r#"{"kind": "error", "code": "", "message": ""}"#, "", "", ""),
    (r#"{"kind": "hello", "name": "ghost"}"#, "error", "not_found", "unknown name: ghost"),
    (r#"{"kind": "hello", "name": 5}"#, "error", "protocol_error", "malformed hello frame: name"),
    (r#"{"kind": "hello", "name": "x", "since_envelope_id": 5}"#, "error", "protocol_error", "malformed hello frame: since_envelope_id"),
    (r#"{"kind": "receipt", "envelope_id": "e", "status": "ack", "recipient_id": ["x"]}"#, "error", "protocol_error", "malformed receipt frame: recipient_id"),
    (r#"{"kind": "receipt", "envelope_id": "e", "status": "maybe"}"#, "", "", ""),
    (r#"{"kind": "receipt", "envelope_id": "e", "status": "ack", "recipient_id": "ghost", "channel_id": "c"}"#, "", "", ""),
    (r#"{"kind": "request", "request_id": 3, "op": "x"}"#, "error", "protocol_error", "malformed request frame: request_id"),
    // Whoever waits for the request is told, and not whoever waits for a hello.
    (r#"{"kind": "request", "request_id": "r", "op": "x", "params": null}"#, "response", "protocol_error", "malformed request frame: params"),
    (r#"{"kind": "request", "request_id": "", "op": "nope"}"#, "response", "protocol_error", "unknown control-plane op: 'nope'"),
    (r#"{"kind": "request", "request_id": "r", "op": "get_agent"}"#, "response", "error", "'name_or_id'"),
    (r#"{"kind": "request", "request_id": "r", "op": "get_agent", "params": {"name_or_id": "ghost"}}"#, "response", "not_found", "agent not found: ghost"),
    (r#"{"kind": "nope"}"#, "error", "protocol_error", OUR),
    ("{}", "error", "protocol_error", OUR),
    ("not JSON", "error", "protocol_error", OUR),
    ("[]", "error", "protocol_error", OUR),
    ("5", "error", "protocol_error", OUR),
    ("", "error", "protocol_error", OUR),
    (r#"{"kind": "request", "request_id": "r", "op": "get_agent", "params": {"x": NaN}}"#, "error", "protocol_error", OUR),
];

#[test]
fn odd_input_is_answered_or_ignored_and_the_connection_goes_on() {
    for (text, kind, code, message) in ODD {
        let mut hub = Hub::new();
        let connection = hub.attach();
        hub.say(connection, text);
        let heard = hub.heard(connection);
        let frame: Option<serde_json::Value> = heard.first().map(|it| serde_json::from_str(it).unwrap());
        let word = |names: [&str; 2]| {
            let frame = frame.as_ref()?;
            names.into_iter().find_map(|name| frame[name].as_str())
        };
        assert_eq!(word(["kind", "kind"]).unwrap_or(""), *kind, "{text}");
        assert_eq!(word(["code", "error_code"]).unwrap_or(""), *code, "{text}");
        if *message != OUR {
            assert_eq!(word(["message", "error_message"]).unwrap_or(""), *message, "{text}");
        }
        assert!(heard.len() <= 1 && hub.closed.is_empty());
        hub.say(connection, r#"{"kind": "ping"}"#);
        assert_eq!(hub.heard(connection), [r#"{"kind": "pong"}"#]);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_answered_and_binary_text_is_a_frame() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    hub.say_bytes(connection, b"\xff\xfe");
    assert!(
        matches!(&hub.frames(connection)[..], [Frame::Error(error)] if error.code == ErrorCode::ProtocolError)
    );
    hub.say_bytes(connection, br#"{"kind": "ping"}"#);
    assert_eq!(hub.frames(connection), [Frame::Pong]);
}

#[test]
fn a_lone_surrogate_in_a_claim_is_a_refusal_and_not_the_end() {
    use wscope::link::ApiKeys;
    let mut hub = Hub::with(HubConfig::new().auth(ApiKeys::new().key("bob", "k")));
    let connection = hub.attach();
    let register = r#"{"kind": "request", "request_id": "r", "op": "register", "params": {"passport": {"name": "bob", "auth": {"scheme": "api_key", "claim": {"token": "\ud800"}}}, "resume": {}}}"#;
    hub.say(connection, register);
    hub.say(connection, r#"{"kind": "ping"}"#);
    let heard = hub.heard(connection);
    assert!(heard[0].contains("auth_failed") && heard[1].contains("pong"), "{heard:?}");
}

#[test]
fn an_oversize_message_is_answered_and_the_connection_goes_on() {
    let mut hub = Hub::new();
    let alice = hub.join("alice");
    let stranger = hub.attach();
    hub.say(stranger, &" ".repeat((64 << 10) + 1));
    hub.say(alice.connection, &" ".repeat((1 << 20) + 1));
    for connection in [stranger, alice.connection] {
        let frames = hub.frames(connection);
        assert!(
            matches!(&frames[..], [Frame::Error(error)] if error.code == ErrorCode::TooLarge),
            "{frames:?}"
        );
    }
    assert!(hub.closed.is_empty());
}

#[test]
fn an_answer_that_no_tenant_could_receive_is_refused() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    for _ in 0..3 {
        hub.post_text(&alice, &channel, &"x".repeat(400_000)).unwrap();
    }
    let read = |since| Operation::ReadWal { channel_id: channel.clone(), since, until: None };
    assert_eq!(hub.request(alice.connection, &read(0)).unwrap_err().0, "too_large");
    assert_eq!(hub.request(alice.connection, &read(-1)).unwrap().as_array().unwrap().len(), 1);
}

#[test]
fn an_id_of_a_request_that_is_too_long_is_not_given_back() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    let id = "r".repeat(2_000);
    hub.say(connection, &format!(r#"{{"kind": "request", "request_id": "{id}", "op": "x"}}"#));
    hub.say(connection, &format!(r#"{{"kind": "request", "request_id": "{id}", "op": 5}}"#));
    for text in hub.heard(connection) {
        assert!(text.len() < 500 && text.contains("error"));
    }
}

#[test]
fn a_connection_that_holds_no_agent_in_time_is_closed() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    let alice = hub.join("alice");
    hub.pass(Duration::from_millis(9_999));
    assert!(hub.closed.is_empty());
    hub.pass(Duration::from_millis(1));
    assert_eq!(hub.closed, [(connection, Farewell::Unbound)]);
    assert_eq!(Farewell::Unbound.code().as_u16(), 1008);
    let unregister = Operation::Unregister { agent_id: alice.id.clone() };
    hub.request(alice.connection, &unregister).unwrap();
    hub.pass(Duration::from_secs(60));
    assert_eq!(hub.closed.len(), 1, "who has held one may come back to it");
    assert_eq!(hub.board.deadline(), None);
}

#[test]
fn one_connection_too_many_is_closed() {
    let mut limits = HubLimits::new();
    limits.max_endpoints = 2;
    let mut hub = Hub::with(HubConfig::new().limits(limits));
    let connections = [hub.attach(), hub.attach(), hub.attach()];
    assert_eq!(hub.closed, [(connections[2], Farewell::Crowded)]);
    hub.detach(connections[0]);
    hub.attach();
    assert_eq!(hub.closed.len(), 1);
}

#[test]
fn a_connection_that_does_not_read_is_not_read_from_and_at_last_closed() {
    let mut limits = HubLimits::new();
    (limits.window, limits.max_message_size, limits.max_unsent_size) = (500, 500, 4_000);
    let mut hub = Hub::with(HubConfig::new().limits(limits));
    let connection = hub.attach();
    hub.stuck.push(connection);
    for _ in 0..60 {
        assert!(hub.board.wants_input(connection));
        hub.say(connection, r#"{"kind": "ping"}"#);
    }
    for _ in 0..10 {
        hub.say(connection, r#"{"kind": "ping"}"#);
    }
    assert!(!hub.board.wants_input(connection));
    for _ in 0..300 {
        hub.say(connection, r#"{"kind": "ping"}"#);
    }
    assert_eq!(hub.closed, [(connection, Farewell::Congested)]);
    assert!(!hub.board.wants_input(connection), "it is gone");
}

#[test]
fn deliveries_do_not_keep_a_connection_from_being_read() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    hub.stuck.push(bob.connection);
    for said in ["x".repeat(100 * 1024), "x".repeat(150 * 1024), "x".repeat((1 << 20) - 1_000)] {
        hub.post_text(&alice, &channel, &said).unwrap();
    }
    let unsent: usize = hub.heard(bob.connection).iter().map(String::len).sum();
    assert!(unsent > 1 << 20, "a window, and a message of the largest size");
    assert!(hub.board.wants_input(bob.connection));
}

#[test]
fn a_hub_that_drains_answers_delivers_and_says_goodbye() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    hub.stuck.push(bob.connection);
    hub.post_text(&alice, &channel, "last words").unwrap();
    hub.drain(Duration::from_secs(5));
    assert_eq!(hub.closed, [(alice.connection, Farewell::ShuttingDown)]);
    let answer = hub.ask(bob.connection, &Operation::FindAgentId { name: "bob".to_owned() });
    assert_eq!(hub.answer(bob.connection, &answer).unwrap().unwrap_err().0, "shutting_down");
    let bytes: usize = hub.heard(bob.connection).iter().map(String::len).sum();
    hub.leave(bob.connection, bytes + 1_000);
    assert_eq!(hub.closed[1], (bob.connection, Farewell::ShuttingDown));
    let late = hub.attach();
    assert_eq!(hub.closed[2], (late, Farewell::ShuttingDown));
}

#[test]
fn who_waits_for_a_channel_to_open_is_told_that_the_hub_drains() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let create = wscope::link::CreateChannel::new(&alice.id, "conversation", vec![bob.id.clone()]);
    let request = hub.ask(alice.connection, &Operation::CreateChannel(Box::new(create)));
    hub.drain(Duration::from_secs(5));
    assert_eq!(hub.answer(alice.connection, &request).unwrap().unwrap_err().0, "shutting_down");
    assert_eq!(hub.closed.len(), 2);
}

#[test]
fn who_does_not_read_while_the_hub_drains_is_cut_off() {
    let mut hub = Hub::new();
    let alice = hub.join("alice");
    hub.stuck.push(alice.connection);
    hub.say(alice.connection, r#"{"kind": "ping"}"#);
    hub.drain(Duration::from_secs(5));
    assert!(hub.closed.is_empty());
    hub.pass(Duration::from_secs(5));
    assert_eq!(hub.closed, [(alice.connection, Farewell::ShuttingDown)]);
}

#[test]
fn the_operator_counts_and_closes() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    hub.open("conversation", &alice, &[&bob]);
    hub.detach(bob.connection);
    let stats = hub.board.stats();
    assert_eq!((stats.endpoints, stats.agents, stats.online, stats.channels), (1, 2, 1, 1));
    assert!(hub.kick("alice") && !hub.kick("alice") && !hub.kick("ghost"));
    assert_eq!(hub.closed, [(alice.connection, Farewell::Kicked)]);
    assert_eq!(hub.board.stats().online, 0);
}

#[test]
fn time_that_goes_back_stands_still() {
    let mut hub = Hub::new();
    let alice = hub.join("alice");
    hub.now = Timestamp::from_nanos(5);
    hub.frame(alice.connection, &hello("alice", None));
    let Frame::Welcome(welcome) = &hub.frames(alice.connection)[0] else { panic!("no welcome") };
    assert_eq!(welcome.hub_time, "2026-11-21T06:35:41+00:00");
}

#[test]
fn a_connection_that_is_gone_is_nobody() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    hub.detach(connection);
    hub.detach(connection);
    hub.say(connection, r#"{"kind": "ping"}"#);
    hub.leave(connection, 5);
    assert!(hub.heard(connection).is_empty());
}

#[test]
fn an_idle_agent_on_a_connection_costs_two_kibibytes() {
    const AGENTS: u64 = 1_000;
    let now = Timestamp::from_nanos(START);
    let mut board = Switchboard::new(HubConfig::new(), [7; 32]);
    let used = measure(|| {
        for number in 0..AGENTS {
            let connection = board.attach(now);
            let mut register = Register::new(Passport::new(format!("agent-{number}")));
            register.rule = Some(Rule::default()); // AG2's clients always send one
            let params = Operation::Register(Box::new(register)).params();
            let request = Frame::Request(Request::new("r", "register", params)).encode();
            board.receive(connection, request.as_bytes(), now);
            while let Some(effect) = board.next_effect() {
                if let Effect::Send { endpoint, message } = effect {
                    board.sent(endpoint, message.len(), now);
                }
            }
        }
    });
    assert_eq!(board.stats().online as u64, AGENTS);
    let each = used.bytes_current / i64::try_from(AGENTS).unwrap();
    assert!(each < 2_048, "{each} bytes");
}
