//! Codes, and the messages that AG2 has for them.

use wscope::link::{AuthError, ErrorCode, FieldError, Refusal};

#[test]
fn a_code_is_read_as_it_is_written() {
    for code in ["not_found", "access_denied", "protocol_error", "auth_failed", "error"] {
        assert!(!matches!(ErrorCode::from(code.to_owned()), ErrorCode::Other(_)), "{code}");
        assert_eq!(ErrorCode::from(code.to_owned()).as_str(), code);
    }
    assert_eq!(ErrorCode::from("new".to_owned()), ErrorCode::Other("new".to_owned()));
}

#[test]
fn refusals_speak_with_ag2s_words_and_codes() {
    let table: [(Refusal, &str, &str); 5] = [
        (Refusal::UnknownName { name: "ghost".into() }, "not_found", "unknown name: ghost"),
        (Refusal::NotFound { what: "agent", id: "ghost".into() }, "not_found", "agent not found: ghost"),
        (FieldError::Missing { name: "name_or_id" }.into(), "error", "'name_or_id'"),
        (
            AuthError::OtherScheme {
                name: "bob".into(),
                scheme: "none".into(),
                registered: "api_key".into(),
            }
            .into(),
            "auth_failed",
            "auth scheme 'none' does not match 'bob''s registered scheme 'api_key'",
        ),
        (
            Refusal::UnknownOperation { op: "nope".into() },
            "protocol_error",
            "unknown control-plane op: 'nope'",
        ),
    ];
    for (refusal, code, message) in table {
        assert_eq!((refusal.code().as_str(), refusal.to_string().as_str()), (code, message));
    }
}
