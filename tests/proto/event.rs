use bytes::Bytes;
use wscope::proto::{
    CloseCode, CloseConnection, CloseReason, Event, Message, MessageKind, Payload, Piece, Ping, Pong, Text,
};

#[test]
fn a_control_payload_has_at_most_125_bytes() {
    let longest = [7; 125];
    assert_eq!(Ping::new(&longest).unwrap().payload(), longest);
    assert_eq!(Pong::new(&longest).unwrap().payload(), longest);
    assert_eq!(Ping::default().payload(), b"");
    for error in [Ping::new(&[0; 126]).unwrap_err(), Pong::new(&[0; 126]).unwrap_err()] {
        assert_eq!(error.len, 126);
        assert_eq!(
            error.to_string(),
            "no ping or pong of 126 bytes: the limit of a payload is 125 bytes (RFC 6455 §5.5)"
        );
    }
}

#[test] // RFC 6455 §5.5.3
fn the_response_to_a_ping_carries_its_payload() {
    assert_eq!(Ping::new(b"abc").unwrap().response(), Pong::new(b"abc").unwrap());
    assert_ne!(Ping::new(b"abc").unwrap(), Ping::new(b"ab").unwrap());
    assert_eq!(format!("{:?}", Ping::new(b"a\n\xFF").unwrap()), r#"Ping(b"a\n\xff")"#);
}

#[test] // RFC 6455 §5.5.1
fn the_response_to_a_close_frame_echoes_it() {
    let close = CloseConnection::new(CloseReason::new(CloseCode::GOING_AWAY, "bye").unwrap());
    assert_eq!(close.response(), close);
    assert_eq!(CloseConnection::empty().response(), CloseConnection::default());
    assert_eq!(CloseConnection::empty().reason, None);
}

#[test]
fn messages_are_made_of_text_and_of_bytes() {
    for text in [Message::from("é"), Message::from("é".to_owned()), Message::from(Text::from("é"))] {
        assert_eq!(text, Message::Text("é".into()));
        assert_eq!((text.kind(), text.len(), text.is_empty()), (MessageKind::Text, 2, false));
        assert_eq!((text.as_text(), text.as_bytes()), (Some("é"), "é".as_bytes()));
    }
    for bytes in
        [Message::from(&b"ab"[..]), Message::from(b"ab".to_vec()), Message::from(Bytes::from_static(b"ab"))]
    {
        assert_eq!(bytes, Message::Binary(Bytes::from_static(b"ab")));
        assert_eq!((bytes.kind(), bytes.len(), bytes.as_text()), (MessageKind::Binary, 2, None));
    }
    assert!(Message::from("").is_empty());
    assert_eq!(
        (MessageKind::Text.to_string(), MessageKind::Binary.to_string()),
        ("text".into(), "binary".into())
    );
}

#[test]
fn payloads_are_borrowed_text_and_bytes() {
    let (text, bytes) = (Message::from("é"), Message::from(&b"ab"[..]));
    let (string, shared) = ("é".to_owned(), Text::from("é"));
    for payload in [Payload::from("é"), Payload::from(&text), Payload::from(&string), Payload::from(&shared)]
    {
        assert_eq!(
            (payload, payload.kind(), payload.as_bytes()),
            (Payload::Text("é"), MessageKind::Text, "é".as_bytes())
        );
    }
    let (vec, shared) = (b"ab".to_vec(), Bytes::from_static(b"ab"));
    let all = [&b"ab"[..], &vec, &shared].map(Payload::from);
    for payload in [Payload::from(b"ab"), Payload::from(&bytes), Payload::from(&vec), Payload::from(&shared)]
        .into_iter()
        .chain(all)
    {
        assert_eq!(
            (payload, payload.kind(), payload.as_bytes()),
            (Payload::Binary(b"ab"), MessageKind::Binary, &b"ab"[..])
        );
    }
}

#[test]
fn debug_shows_the_start_of_a_message_and_its_length() {
    assert_eq!(format!("{:?}", Message::from("a\n")), r#"Text("a\n")"#);
    assert_eq!(format!("{:?}", Message::from(&b"\0\xFF"[..])), r#"Binary(b"\x00\xff")"#);
    let payload = Payload::from(&[b'x'; 1000]);
    assert_eq!(format!("{payload:?}"), format!("Binary(b\"{}\".. 1000 bytes)", "x".repeat(64)));
    let long = format!("{:?}", Message::from("x".repeat(1 << 20)));
    assert_eq!(long, format!("Text(\"{}\".. 1048576 bytes)", "x".repeat(64)));
    assert!(format!("{:?}", Message::from("é".repeat(100) + "x")).contains(".. 201 bytes"));
}

#[test]
fn events_are_made_of_what_they_carry() {
    let (ping, pong, close) = (Ping::default(), Pong::default(), CloseConnection::empty());
    assert_eq!(Event::from("x"), Event::Message("x".into()));
    assert_eq!(Event::from(Message::from("x")), Event::Message("x".into()));
    assert_eq!(Event::from("x".to_owned()), Event::Message("x".into()));
    assert_eq!(Event::from(vec![1]), Event::Message(vec![1].into()));
    assert_eq!(Event::from(ping.clone()), Event::Ping(ping));
    assert_eq!(Event::from(pong.clone()), Event::Pong(pong));
    assert_eq!(Event::from(close.clone()), Event::CloseConnection(close));
    let (more, last) = (Piece::more("x"), Piece::last("y"));
    assert_eq!((more.frame_finished, more.message_finished), (true, false));
    assert_eq!((last.frame_finished, last.message_finished), (true, true));
    assert_eq!(Event::from(more.clone()), Event::Piece(more));
}
