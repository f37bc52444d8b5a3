//! The play with a hub and its tenants, and the hub for tenants from elsewhere.

use super::{
    peer::{Peer, TEXT},
    program::{Ended, Program, refuses, run},
};

#[test]
fn each_envelope_arrives_exactly_once() {
    let ended = run("hub_and_tenants", &[]);
    assert_eq!((ended.code, ended.errors.len()), (Some(0), 0), "{ended:?}");
    assert_eq!(ended.out.last().unwrap(), "each envelope arrived exactly once, in order");
    for said in ["bob    is cut off", "bob    is back", "envelopes wait for sloth", "hub    has drained"] {
        assert!(ended.out.iter().any(|line| line.contains(said)), "{said}: {ended:?}");
    }
}

#[test]
fn a_lost_envelope_is_noticed() {
    let ended = run("hub_and_tenants", &["--lose-one"]);
    assert_eq!((ended.code, ended.errors.len()), (Some(1), 0), "{ended:?}");
    assert_eq!(ended.out.last().unwrap(), "NOT exactly once");
    let carol: Vec<_> = ended.out.iter().filter(|line| line.trim().starts_with("carol  ")).collect();
    let numbers: Vec<&str> = carol.last().unwrap().split_whitespace().collect();
    assert_eq!(numbers, ["carol", "300", "299", "1", "0", "0"]);
}

#[test]
fn a_hub_for_others_is_ready_when_it_says_so_and_drains_at_a_signal() {
    let program = Program::start("hub_and_tenants", &["--serve", "127.0.0.1:0", "--api-key", "alice=s3cret"]);
    let line = program.line();
    let port = line.strip_prefix("READY ws://127.0.0.1:").unwrap().parse().unwrap();

    let (mut alice, _) = Peer::enter(port, "/", "");
    alice.send(TEXT, r#"{"kind": "ping"}"#);
    alice.expect(TEXT, r#"{"kind": "pong"}"#);
    for (key, ok) in [("wrong", false), ("s3cret", true)] {
        alice.send(TEXT, register("alice", key));
        let answer = String::from_utf8(alice.frame().payload).unwrap();
        assert!(answer.contains(&format!(r#""ok": {ok}"#)), "{answer}");
        assert!(!answer.contains("s3cret"), "a key is told to nobody: {answer}");
    }

    program.signal("TERM");
    alice.expect_close(1001, "the hub is shutting down");
    let out = vec!["1 agents, 0 envelopes, 0 deliveries".to_owned()];
    assert_eq!(program.end(), Ended { code: Some(0), out, errors: vec![] });
}

#[test]
fn a_hub_that_trusts_everyone_stays_at_home() {
    let ended = run("hub_and_tenants", &["--serve", "0.0.0.0:0"]);
    assert_eq!((ended.code, ended.out.len()), (Some(1), 0), "{ended:?}");
    assert!(ended.errors[0].contains("without authentication"), "{ended:?}");
}

#[test]
fn bad_arguments_are_refused() {
    for arguments in [
        &["--serve"][..],
        &["--serve", "127.0.0.1:0", "--api-key"],
        &["--serve", "127.0.0.1:0", "--api-key", "no key"],
        &["--serve", "127.0.0.1:0", "--api-key", "=nobody"],
        &["--lose-two"],
    ] {
        refuses("hub_and_tenants", arguments);
    }
    assert_eq!(run("hub_and_tenants", &["--help"]).code, Some(0));
}

fn register(name: &str, key: &str) -> String {
    format!(
        r#"{{"request_id": "1", "op": "register", "params": {{"passport": {{"name": "{name}", "auth": {{"scheme": "api_key", "claim": {{"token": "{key}"}}}}}}, "resume": {{}}}}, "kind": "request"}}"#
    )
}
