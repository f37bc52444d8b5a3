//! Frames: what is captured is read and written back unchanged; what is odd has a typed answer.

use wscope::link::{FieldError, Frame, FrameError, ReceiptStatus};

/// Frames that a hub of AG2 1.2.1 and two of its clients have sent.
const SESSION: &str = include_str!("frames/session.jsonl");

#[test]
fn every_captured_frame_is_read_and_written_back_unchanged() {
    assert!(SESSION.lines().count() > 30);
    for line in SESSION.lines() {
        assert_eq!(Frame::decode(line).unwrap().encode(), line);
    }
}

#[test]
fn the_order_of_keys_does_not_matter_and_unknown_fields_are_read_past() {
    let frame = Frame::decode("\n {\"kind\":\"hello\", \"colour\":[{}], \"name\":\"bob\"}\t").unwrap();
    let text = r#"{"name": "bob", "auth_scheme": "none", "auth_claim": {}, "since_envelope_id": null, "kind": "hello"}"#;
    assert_eq!(frame.encode(), text);
}

#[test]
fn the_last_of_two_equal_keys_wins() {
    let text = r#"{"kind": "ping", "name": 5, "kind": "hello", "name": "alice", "name": "bob"}"#;
    let Frame::Hello(hello) = Frame::decode(text).unwrap() else { panic!("another kind") };
    assert_eq!(hello.name, "bob");
}

#[test]
fn a_key_may_be_escaped() {
    assert_eq!(Frame::decode(r#"{"\u006bind": "p\u0069ng"}"#).unwrap(), Frame::Ping);
}

#[test]
fn a_missing_field_and_one_of_a_wrong_type_are_told_by_name() {
    let table = [
        (r#"{"kind": "hello"}"#, "malformed hello frame: field 'name' is missing"),
        (r#"{"kind": "hello", "name": 5}"#, "malformed hello frame: field 'name' has a wrong type"),
        (
            r#"{"kind": "hello", "name": "x", "since_envelope_id": 5}"#,
            "malformed hello frame: field 'since_envelope_id' has a wrong type",
        ),
        (
            r#"{"kind": "receipt", "envelope_id": "e", "status": "ack", "recipient_id": ["x"]}"#,
            "malformed receipt frame: field 'recipient_id' has a wrong type",
        ),
        (
            r#"{"kind": "receipt", "envelope_id": "e", "status": "ack", "reason": null}"#,
            "malformed receipt frame: field 'reason' has a wrong type",
        ),
        (
            r#"{"kind": "request", "request_id": "r", "op": "x", "params": null}"#,
            "malformed request frame: field 'params' has a wrong type",
        ),
        (
            r#"{"kind": "request", "request_id": "r", "op": "x", "params": []}"#,
            "malformed request frame: field 'params' has a wrong type",
        ),
        (
            r#"{"kind": "request", "request_id": 3, "op": "x"}"#,
            "malformed request frame: field 'request_id' has a wrong type",
        ),
        (r#"{"kind": "hello", "name": "\ud800"}"#, "malformed hello frame: field 'name' has a wrong type"),
        (r#"{"kind": "hullo"}"#, "unknown frame kind: 'hullo'"),
        (r#"{"name": "x"}"#, "frame without a kind"),
        (r#"{"kind": 5}"#, "frame without a kind"),
        ("[]", "unreadable frame: JSON: not an object"),
        ("5", "unreadable frame: JSON: not an object"),
    ];
    for (text, message) in table {
        assert_eq!(Frame::decode(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn the_id_of_a_malformed_request_is_told_when_it_can_be_read() {
    let id = |text| match Frame::decode(text).unwrap_err() {
        FrameError::Field { request_id, error: FieldError::WrongType { .. }, .. } => request_id,
        error => panic!("{error}"),
    };
    assert_eq!(id(r#"{"kind": "request", "request_id": "r", "op": 5}"#), Some("r".to_owned()));
    assert_eq!(id(r#"{"kind": "request", "request_id": 5, "op": "x"}"#), None);
}

#[test]
fn what_is_not_json_is_an_error_and_never_a_panic() {
    let deep = format!("{}{}", r#"{"kind": "request", "params": "#, "[".repeat(100_000));
    let wide = format!(r#"{{"kind": "ping"{}}}"#, r#", "x": 1"#.repeat(100));
    let texts = ["", " ", "{", "nul", "{\"kind\": NaN}", "\u{0}", "{\"kind\": \"ping\"} x", &deep, &wide];
    for text in texts {
        assert!(matches!(Frame::decode(text), Err(FrameError::Json(_))), "{}", &text[..text.len().min(40)]);
    }
}

#[test]
fn what_a_tenant_keeps_to_itself_is_not_printed() {
    let hello = r#"{"kind": "hello", "name": "x", "auth_claim": {"token": "s3cret"}}"#;
    let request =
        r#"{"kind": "request", "request_id": "r", "op": "register", "params": {"token": "s3cret"}}"#;
    for text in [hello, request] {
        assert!(!format!("{:?}", Frame::decode(text).unwrap()).contains("s3cret"));
    }
}

#[test]
fn an_unknown_status_is_kept() {
    let text = r#"{"envelope_id": "e", "status": "maybe", "recipient_id": "", "channel_id": "", "reason": "", "kind": "receipt"}"#;
    let frame = Frame::decode(text).unwrap();
    assert!(
        matches!(&frame, Frame::Receipt(receipt) if receipt.status == ReceiptStatus::Other("maybe".to_owned()))
    );
    assert_eq!(frame.encode(), text);
}
