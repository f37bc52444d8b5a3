//! JSON kept as it came, and written as Python writes it.

use serde_json::json;
use wscope::link::{InvalidJson, MAX_DEPTH, Payload};

#[test]
fn a_payload_is_kept_byte_for_byte() {
    for text in [
        r#"{"b":1,  "a": 1e400, "c":"\ud800"}"#,
        "[ 12345678901234567890123456789012345678901234567890 ]",
        r#""\u00e9é""#,
        "null",
    ] {
        assert_eq!(Payload::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for text in ["", "{", "NaN", "Infinity", "{} {}", "'a'", "\"\u{1}\"", "01"] {
        assert!(matches!(Payload::parse(text), Err(InvalidJson::Syntax(_))), "{text}");
    }
}

#[test]
fn nesting_has_a_limit_and_brackets_in_texts_do_not_count() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Payload::parse(&nested(MAX_DEPTH)).is_ok());
    assert!(matches!(Payload::parse(&nested(MAX_DEPTH + 1)), Err(InvalidJson::TooDeep)));
    assert!(Payload::parse(&format!(r#""{}\"{}""#, "[".repeat(1_000), "{".repeat(1_000))).is_ok());
}

#[test]
fn what_we_write_has_blanks_and_ascii_alone() {
    let written = Payload::of(&json!({"a": [1, "é😀\u{7f}\n\"\\/"], "b": {}, "c": []})).unwrap();
    // As json.dumps writes it.
    assert_eq!(written.as_str(), r#"{"a": [1, "\u00e9\ud83d\ude00\u007f\n\"\\/"], "b": {}, "c": []}"#);
}

#[test]
fn a_payload_prints_its_length_alone() {
    assert_eq!(format!("{:?}", Payload::parse(r#"{"token": "s3cret"}"#).unwrap()), "Payload(19 bytes)");
}
