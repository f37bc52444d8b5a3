use crate::wire::{BINARY, CLOSE, CONTINUATION, FIN, FixedKey, PING, PONG, ROLES, TEXT, frame};
use wscope::proto::{
    CloseCode, CloseConnection, CloseReason, Encoder, LocalError, Payload, Ping, Pong, Role,
};

fn encoder(role: Role) -> Encoder {
    Encoder::new(role).with_random(Box::new(FixedKey))
}

#[test] // RFC 6455 §5.2, at every border of a length
fn a_message_is_one_frame() {
    for role in ROLES {
        for len in [0, 1, 125, 126, 127, 1024, 65_535, 65_536, 200_000] {
            let text = "x".repeat(len);
            for (payload, opcode) in
                [(Payload::Text(&text), TEXT), (Payload::Binary(text.as_bytes()), BINARY)]
            {
                let mut out = Vec::new();
                encoder(role).message(payload, &mut out).unwrap();
                assert_eq!(out, frame(role, FIN | opcode, text.as_bytes()));
            }
        }
    }
}

#[test] // RFC 6455 §5.7
fn the_examples_of_the_rfc_are_encoded_as_printed() {
    let mut out = Vec::new();
    encoder(Role::Client).message("Hello", &mut out).unwrap();
    assert_eq!(out, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    out.clear();
    let mut server = encoder(Role::Server);
    server.fragment("Hel", false, &mut out).unwrap();
    server.fragment("lo", true, &mut out).unwrap();
    assert_eq!(out, b"\x01\x03Hel\x80\x02lo");
    out.clear();
    server.ping(&Ping::new(b"Hello").unwrap(), &mut out);
    assert_eq!(out, b"\x89\x05Hello");
}

#[test]
fn control_frames_may_stand_between_fragments() {
    for role in ROLES {
        let (mut encoder, mut out) = (encoder(role), Vec::new());
        encoder.fragment(b"a", false, &mut out).unwrap();
        encoder.ping(&Ping::new(b"p").unwrap(), &mut out);
        encoder.fragment(b"", false, &mut out).unwrap();
        encoder.pong(&Pong::new(b"q").unwrap(), &mut out);
        encoder.fragment(b"b", true, &mut out).unwrap();
        encoder.message("next", &mut out).unwrap();
        let expected = [
            frame(role, BINARY, b"a"),
            frame(role, FIN | PING, b"p"),
            frame(role, CONTINUATION, b""),
            frame(role, FIN | PONG, b"q"),
            frame(role, FIN | CONTINUATION, b"b"),
            frame(role, FIN | TEXT, b"next"),
        ];
        assert_eq!(out, expected.concat());
    }
}

#[test]
fn a_close_frame_has_code_and_text_or_nothing() {
    for role in ROLES {
        let longest = "x".repeat(CloseReason::MAX_LEN);
        let cases = [
            (CloseConnection::empty(), Vec::new()),
            (CloseConnection::new(CloseCode::NORMAL_CLOSURE), b"\x03\xE8".to_vec()),
            (
                CloseConnection::new(CloseReason::new(CloseCode::GOING_AWAY, &*longest).unwrap()),
                [b"\x03\xE9", longest.as_bytes()].concat(),
            ),
        ];
        for (close, payload) in cases {
            let mut out = Vec::new();
            encoder(role).close(&close, &mut out);
            assert_eq!(out, frame(role, FIN | CLOSE, &payload));
        }
    }
}

#[test]
fn an_unfinished_message_refuses_others_and_goes_on() {
    for role in ROLES {
        for (same, other) in
            [(Payload::from("x"), Payload::from(b"x")), (Payload::from(b"x"), Payload::from("x"))]
        {
            let (mut encoder, mut out) = (encoder(role), Vec::new());
            encoder.fragment(same, false, &mut out).unwrap();
            let before = out.clone();
            let torn = |sent: Payload<'_>| {
                Err(LocalError::MessageUnfinished { unfinished: same.kind(), sent: sent.kind() })
            };
            assert_eq!(encoder.message(same, &mut out), torn(same));
            assert_eq!(encoder.message(other, &mut out), torn(other));
            assert_eq!(encoder.fragment(other, true, &mut out), torn(other));
            assert_eq!(out, before);
            encoder.fragment(same, true, &mut out).unwrap();
            encoder.message(other, &mut out).unwrap();
        }
    }
}

#[test] // RFC 6455 §5.3
fn a_client_takes_a_fresh_key_for_each_frame_and_a_server_none() {
    let keys = |role| {
        let (mut encoder, mut out) = (Encoder::new(role), Vec::new());
        for _ in 0..100 {
            encoder.message(&[0; 4], &mut out).unwrap();
        }
        out
    };
    assert_eq!(keys(Role::Server), frame(Role::Server, FIN | BINARY, &[0; 4]).repeat(100));
    let frames = keys(Role::Client);
    let mut keys: Vec<_> = frames.chunks(10).map(|frame| &frame[2..6]).collect();
    assert!(frames.chunks(10).all(|frame| frame[2..6] == frame[6..10]), "zeros are masked to the key");
    keys.sort_unstable();
    keys.dedup();
    assert!(keys.len() > 95, "{} different keys", keys.len());
}
