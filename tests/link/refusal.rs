//! Codes, and the messages that AG2 has for them.

use wscope::{
    Error,
    link::{AuthError, ErrorCode, FieldError, Id, Payload, Refusal, Timestamp, Ttl},
};

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

#[test]
fn what_cannot_be_parsed_goes_through_a_question_mark() {
    fn parsed(text: &str) -> [Result<(), Error>; 4] {
        let id = || Ok(text.parse::<Id>().map(drop)?);
        let time = || Ok(text.parse::<Timestamp>().map(drop)?);
        let ttl = || Ok(Ttl::Text(text.to_owned()).duration().map(drop)?);
        let payload = || Ok(Payload::parse(text).map(drop)?);
        [id(), time(), ttl(), payload()]
    }
    for outcome in parsed("{") {
        assert!(matches!(outcome, Err(Error::Other(_))), "{outcome:?}");
    }
}
