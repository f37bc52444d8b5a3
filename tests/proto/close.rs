use crate::wire::{FIN, ROLES, frame, open, receive};
use wscope::proto::{CloseCode, CloseConnection, CloseFrames, CloseReason, Config, InvalidCloseCode, Side};

#[test] // RFC 6455 §7.4 and the IANA registry
fn a_close_code_holds_what_may_be_on_the_wire_and_nothing_else() {
    for code in 0..=u16::MAX {
        let legal = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        match CloseCode::new(code) {
            Ok(valid) => {
                assert!(legal, "{code}");
                assert_eq!((valid.as_u16(), u16::from(valid)), (code, code));
            }
            Err(error) => {
                assert!(!legal, "{code}");
                assert_eq!(error.code, code);
            }
        }
        assert_eq!(CloseCode::try_from(code), CloseCode::new(code));
    }
}

#[test]
fn close_codes_have_their_registered_names() {
    let names = [
        (1000, "NORMAL_CLOSURE", CloseCode::NORMAL_CLOSURE),
        (1001, "GOING_AWAY", CloseCode::GOING_AWAY),
        (1002, "PROTOCOL_ERROR", CloseCode::PROTOCOL_ERROR),
        (1003, "UNSUPPORTED_DATA", CloseCode::UNSUPPORTED_DATA),
        (1007, "INVALID_FRAME_PAYLOAD_DATA", CloseCode::INVALID_FRAME_PAYLOAD_DATA),
        (1008, "POLICY_VIOLATION", CloseCode::POLICY_VIOLATION),
        (1009, "MESSAGE_TOO_BIG", CloseCode::MESSAGE_TOO_BIG),
        (1010, "MANDATORY_EXTENSION", CloseCode::MANDATORY_EXTENSION),
        (1011, "INTERNAL_ERROR", CloseCode::INTERNAL_ERROR),
        (1012, "SERVICE_RESTART", CloseCode::SERVICE_RESTART),
        (1013, "TRY_AGAIN_LATER", CloseCode::TRY_AGAIN_LATER),
        (1014, "BAD_GATEWAY", CloseCode::BAD_GATEWAY),
    ];
    for (number, name, code) in names {
        assert_eq!((code.as_u16(), code.name()), (number, name));
        assert_eq!(format!("{code} {code:?}"), format!("{number} ({name}) {number} ({name})"));
    }
    for (number, name) in [
        (3000, "IANA_RESERVED"),
        (3999, "IANA_RESERVED"),
        (4000, "PRIVATE_RESERVED"),
        (4999, "PRIVATE_RESERVED"),
    ] {
        assert_eq!(CloseCode::new(number).unwrap().name(), name);
    }
}

#[test]
fn an_invalid_code_is_refused_by_its_number() {
    let error: InvalidCloseCode = CloseCode::new(1006).unwrap_err();
    assert_eq!(
        error.to_string(),
        "close code 1006 may not be sent: take 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 §7.4)"
    );
}

#[test]
fn a_reason_has_at_most_123_bytes() {
    assert_eq!(CloseReason::MAX_LEN, 123);
    let longest = "ä".repeat(61) + "x";
    let reason = CloseReason::new(CloseCode::GOING_AWAY, longest.as_str()).unwrap();
    assert_eq!((reason.code(), reason.reason()), (CloseCode::GOING_AWAY, longest.as_str()));
    let error = CloseReason::new(CloseCode::GOING_AWAY, longest + "y").unwrap_err();
    assert_eq!(
        (error.len, error.to_string().as_str()),
        (
            124,
            "a close reason of 124 bytes exceeds the limit of 123 bytes (RFC 6455 §5.5); `CloseReason::truncated` cuts it"
        )
    );
}

#[test]
fn a_truncated_reason_ends_on_a_border_of_characters() {
    let cut = |text: &str| CloseReason::truncated(CloseCode::NORMAL_CLOSURE, text).reason().to_owned();
    assert_eq!(cut("short"), "short");
    assert_eq!(cut(&"x".repeat(200)), "x".repeat(123));
    assert_eq!(cut(&"ä".repeat(100)), "ä".repeat(61)); // 122 bytes: the next would end at 124
    assert_eq!(cut(&"🦀".repeat(100)), "🦀".repeat(30)); // 120 bytes
}

#[test]
fn a_reason_prints_its_code_and_escapes_its_text() {
    let bare = CloseReason::from(CloseCode::NORMAL_CLOSURE);
    assert_eq!(format!("{bare} {bare:?}"), "1000 (NORMAL_CLOSURE) 1000 (NORMAL_CLOSURE)");
    let rude = CloseReason::new(CloseCode::GOING_AWAY, "bye\n\x1b[31m\"").unwrap();
    assert_eq!(rude.to_string(), r#"1001 (GOING_AWAY) "bye\n\u{1b}[31m\"""#);
}

#[test]
fn both_close_frames_and_their_order_are_kept() {
    for role in ROLES {
        let ours = CloseReason::new(CloseCode::GOING_AWAY, "ours").unwrap();
        let theirs = CloseReason::new(CloseCode::NORMAL_CLOSURE, "theirs").unwrap();
        let their_frame = frame(role.peer(), FIN | 8, b"\x03\xE8theirs");

        let mut first = open(role, Config::new());
        assert_eq!(*first.close_frames(), CloseFrames::default());
        first.send(CloseConnection::new(ours.clone()), &mut Vec::new()).unwrap();
        assert_eq!((first.close_frames().first, &first.close_frames().received), (Some(Side::Local), &None));
        receive(&mut first, &their_frame).unwrap();

        let mut second = open(role, Config::new().answer_close(false));
        receive(&mut second, &their_frame).unwrap();
        assert_eq!((second.close_frames().first, &second.close_frames().sent), (Some(Side::Remote), &None));
        second.send(CloseConnection::new(ours.clone()), &mut Vec::new()).unwrap();

        for (connection, side) in [(&first, Side::Local), (&second, Side::Remote)] {
            let frames = connection.close_frames();
            assert_eq!(frames.sent, Some(Some(ours.clone())));
            assert_eq!(frames.received, Some(Some(theirs.clone())));
            assert_eq!(frames.first, Some(side));
        }
    }
}
