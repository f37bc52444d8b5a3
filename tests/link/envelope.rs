//! Envelopes: every field each time.

use wscope::link::{Envelope, Frame, Notify, Payload, Priority};

fn read(envelope: &str) -> Option<Notify> {
    match Frame::decode(&format!(r#"{{"kind": "notify", "envelope": {envelope}}}"#)) {
        Ok(Frame::Notify(notify)) => Some(*notify),
        _ => None,
    }
}

#[test]
fn the_least_that_is_read_and_all_that_is_written() {
    let least = r#"{"channel_id":"c","sender_id":"s","audience":null,"event_type":"t","event_data":{}}"#;
    let notify = read(least).unwrap();
    assert_eq!(notify.envelope, Envelope::new("c", "s", "t", Payload::empty_object()));
    assert_eq!(
        Frame::Notify(Box::new(notify)).encode(),
        r#"{"envelope": {"channel_id": "c", "sender_id": "s", "audience": null, "event_type": "t", "event_data": {}, "envelope_id": "", "task_id": null, "causation_id": null, "trace_id": null, "priority": "normal", "depth": 0, "idempotency_key": null, "created_at": "", "ttl_seconds": null}, "recipient_id": "", "kind": "notify"}"#
    );
}

#[test]
fn a_field_that_must_be_there_must_be_there() {
    for missing in ["channel_id", "sender_id", "audience", "event_type", "event_data"] {
        let all = ["channel_id", "sender_id", "audience", "event_type", "event_data"];
        let value = |name| match name {
            "audience" => "null",
            "event_data" => "{}",
            _ => r#""x""#,
        };
        let fields = all.into_iter().filter(|name| *name != missing);
        let fields: Vec<String> = fields.map(|name| format!(r#""{name}": {}"#, value(name))).collect();
        assert!(read(&format!("{{{}}}", fields.join(","))).is_none(), "{missing}");
    }
}

#[test]
fn data_is_an_object_or_a_list() {
    let with = |data: &str| {
        read(&format!(
            r#"{{"channel_id":"c","sender_id":"s","audience":[],"event_type":"t","event_data":{data}}}"#
        ))
    };
    assert!(with("{}").is_some() && with("[1]").is_some());
    assert!(with("5").is_none() && with("null").is_none() && with(r#""text""#).is_none());
}

#[test]
fn a_word_of_priority_that_nobody_knows_is_kept() {
    assert_eq!(Priority::from("background".to_owned()), Priority::Background);
    assert_eq!(Priority::from("soon".to_owned()).as_str(), "soon");
}
