//! Operations: read liberally, written with every parameter.

use wscope::link::{CreateChannel, Frame, Operation, Payload};

const SESSION: &str = include_str!("frames/session.jsonl");

#[test]
fn captured_requests_are_operations_and_are_written_back_unchanged() {
    let mut known = 0;
    for line in SESSION.lines() {
        let Frame::Request(request) = Frame::decode(line).unwrap() else { continue };
        let Ok(operation) = Operation::decode(&request.op, &request.params) else {
            assert_eq!(request.op, "checkpoint_task");
            continue;
        };
        assert_eq!(operation.op(), request.op);
        assert_eq!(operation.params().as_str(), request.params.as_str());
        known += 1;
    }
    assert!(known > 10, "{known}");
}

#[test]
fn a_missing_parameter_and_one_of_a_wrong_type_are_told_by_name() {
    let refused = |op, params| {
        let refusal = Operation::decode(op, &Payload::parse(params).unwrap()).unwrap_err();
        (refusal.code().as_str().to_owned(), refusal.to_string())
    };
    let expect = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    assert_eq!(refused("get_agent", "{}"), expect("error", "'name_or_id'"));
    assert_eq!(
        refused("get_agent", r#"{"name_or_id": 5}"#),
        expect("protocol_error", "malformed parameter: name_or_id")
    );
    assert_eq!(refused("post_envelope", r#"{"envelope": {}}"#), expect("error", "'event_data'"));
    assert_eq!(
        refused(
            "create_channel",
            r#"{"creator_id": "a", "manifest_type": "t", "participants": [], "knobs": 5}"#
        )
        .0,
        "protocol_error"
    );
    assert_eq!(refused("nope", "{}"), expect("protocol_error", "unknown control-plane op: 'nope'"));
}

#[test]
fn null_is_the_same_as_missing_where_it_may_be_missing() {
    let params = r#"{"creator_id": "a", "manifest_type": "t", "participants": ["b"], "ttl": null, "labels": null, "manifest_version": null}"#;
    let operation = Operation::decode("create_channel", &Payload::parse(params).unwrap()).unwrap();
    let expected = CreateChannel::new("a", "t", vec!["b".to_owned()]);
    assert_eq!(operation, Operation::CreateChannel(Box::new(expected)));
}
