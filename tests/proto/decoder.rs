use crate::wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, ROLES, RSV1, TEXT, decode, frame, header};
use wscope::proto::{
    CloseCode, CloseConnection, CloseReason, Config, Decoder, Event, Message, MessageDelivery, MessageKind,
    Opcode, Piece, Ping, Pong, ProtocolError as E, Role,
};

fn decoder(role: Role) -> Decoder {
    Decoder::new(role, Config::new())
}

fn pieces(role: Role) -> Decoder {
    Decoder::new(role, Config::new().delivery(MessageDelivery::Pieces))
}

/// Two messages, one in fragments with control frames between them, and a close frame.
fn conversation(sender: Role) -> (Vec<u8>, Vec<Event>) {
    let long = "é".repeat(200);
    let wire = [
        frame(sender, FIN | TEXT, "grün".as_bytes()),
        frame(sender, BINARY, &[1; 130]),
        frame(sender, FIN | PING, b"ping"),
        frame(sender, CONTINUATION, b""),
        frame(sender, FIN | PONG, b""),
        frame(sender, FIN | CONTINUATION, &[2; 3]),
        frame(sender, FIN | TEXT, b""),
        frame(sender, TEXT, &long.as_bytes()[..111]),
        frame(sender, FIN | CONTINUATION, &long.as_bytes()[111..]),
        frame(sender, FIN | CLOSE, b"\x03\xE9bye"),
    ];
    let events = vec![
        Event::Message("grün".into()),
        Event::Ping(Ping::new(b"ping").unwrap()),
        Event::Pong(Pong::default()),
        Event::Message(Message::from([[1; 130].to_vec(), vec![2; 3]].concat())),
        Event::Message("".into()),
        Event::Message(long.into()),
        Event::CloseConnection(CloseConnection::new(CloseReason::new(CloseCode::GOING_AWAY, "bye").unwrap())),
    ];
    (wire.concat(), events)
}

#[test]
fn messages_and_control_frames_come_out_in_their_order() {
    for role in ROLES {
        let (wire, events) = conversation(role.peer());
        assert_eq!(decode(&mut decoder(role), &wire).unwrap(), events);
    }
}

#[test]
fn any_two_cuts_of_the_input_give_the_same_events() {
    for role in ROLES {
        let (wire, events) = conversation(role.peer());
        for first in 0..wire.len() {
            for second in [first, first + 1, first + 2, first + 7, wire.len()] {
                let second = second.min(wire.len());
                let mut decoder = decoder(role);
                let got = [&wire[..first], &wire[first..second], &wire[second..]]
                    .map(|piece| decode(&mut decoder, piece).unwrap());
                assert_eq!(got.concat(), events, "cut at {first} and {second}");
            }
        }
    }
}

#[test]
fn one_event_a_call_and_the_rest_stays_with_the_caller() {
    for role in ROLES {
        let mut wire = frame(role.peer(), FIN | TEXT, b"one");
        let rest = frame(role.peer(), FIN | TEXT, b"two");
        wire.extend_from_slice(&rest);
        let mut input = &mut wire[..];
        assert_eq!(decoder(role).decode(&mut input), Ok(Some(Event::Message("one".into()))));
        assert_eq!(input, rest);
    }
}

#[test]
fn pieces_come_as_the_bytes_come_and_end_with_their_message() {
    for role in ROLES {
        let sender = role.peer();
        let mut decoder = pieces(role);
        let wire = frame(sender, TEXT, "grün".as_bytes());
        let piece = |data: &str, frame_finished, message_finished| {
            let mut piece = Piece::more(data);
            (piece.frame_finished, piece.message_finished) = (frame_finished, message_finished);
            vec![Event::Piece(piece)]
        };
        let cut = wire.len() - 2; // in the middle of the ü
        assert_eq!(decode(&mut decoder, &wire[..cut - 1]).unwrap(), piece("gr", false, false));
        assert_eq!(decode(&mut decoder, &wire[cut - 1..cut]).unwrap(), [], "half a character is no piece");
        assert_eq!(decode(&mut decoder, &wire[cut..]).unwrap(), piece("ün", true, false));
        let empty = decode(&mut decoder, &frame(sender, CONTINUATION, b"")).unwrap();
        assert_eq!(empty, piece("", true, false), "the end of a frame is told");
        assert_eq!(
            decode(&mut decoder, &frame(sender, FIN | CONTINUATION, b"")).unwrap(),
            piece("", true, true)
        );
        assert_eq!(
            decode(&mut decoder, &frame(sender, FIN | TEXT, b"all")).unwrap(),
            piece("all", true, true)
        );
        let binary = Piece::last(&b"bytes"[..]);
        assert_eq!(
            decode(&mut decoder, &frame(sender, FIN | BINARY, b"bytes")).unwrap(),
            [Event::Piece(binary)]
        );
    }
}

#[test] // RFC 6455 §5.4
fn fragments_must_belong_together() {
    for role in ROLES {
        let sender = role.peer();
        for first in [CONTINUATION, FIN | CONTINUATION] {
            assert_eq!(decode(&mut decoder(role), &header(sender, first, 5)), Err(E::UnexpectedContinuation));
        }
        for (opcode, kind) in [(TEXT, MessageKind::Text), (BINARY, MessageKind::Binary)] {
            for fin in [0, FIN] {
                let mut decoder = decoder(role);
                decode(&mut decoder, &frame(sender, TEXT, b"begun")).unwrap();
                let next = header(sender, fin | opcode, 5);
                assert_eq!(decode(&mut decoder, &next), Err(E::ExpectedContinuation { kind }));
            }
        }
    }
}

#[test] // RFC 6455 §5.5.1, §7.4
fn close_frames_are_judged() {
    for role in ROLES {
        let close = |payload: &[u8]| decode(&mut decoder(role), &frame(role.peer(), FIN | CLOSE, payload));
        assert_eq!(close(b""), Ok(vec![Event::CloseConnection(CloseConnection::empty())]));
        assert_eq!(close(b"\x03"), Err(E::CloseCodeCut));
        assert_eq!(close(b"\x03\xE8\xFF"), Err(E::CloseReasonNotUtf8));
        assert_eq!(close(b"\x03\xE8cut\xC3"), Err(E::CloseReasonNotUtf8));
        for code in 0..=u16::MAX {
            let expected = match CloseCode::new(code) {
                Ok(code) => Ok(vec![Event::CloseConnection(CloseConnection::new(code))]),
                Err(_) => Err(E::InvalidCloseCode { code }),
            };
            assert_eq!(close(&code.to_be_bytes()), expected);
        }
        let longest = [b"\x03\xE8", "é".repeat(61).as_bytes(), b"x"].concat();
        let expected = CloseReason::new(CloseCode::NORMAL_CLOSURE, "é".repeat(61) + "x").unwrap();
        assert_eq!(close(&longest), Ok(vec![Event::CloseConnection(CloseConnection::new(expected))]));
    }
}

#[test] // RFC 6455 §5.5
fn a_control_payload_may_be_cut_anywhere_and_be_of_any_legal_length() {
    for role in ROLES {
        for len in [0, 1, 124, 125] {
            let payload: Vec<u8> = (0..len).collect();
            let wire = frame(role.peer(), FIN | PING, &payload);
            let mut decoder = decoder(role);
            let events: Vec<_> =
                wire.iter().flat_map(|byte| decode(&mut decoder, &[*byte]).unwrap()).collect();
            assert_eq!(events, [Event::Ping(Ping::new(&payload).unwrap())]);
        }
        let long = header(role.peer(), FIN | PING, 126);
        assert_eq!(decode(&mut decoder(role), &long), Err(E::ControlTooLong { opcode: Opcode::Ping }));
    }
}

#[test]
fn a_fault_of_the_header_is_found_however_it_is_cut() {
    for role in ROLES {
        let wire = frame(role.peer(), FIN | RSV1 | TEXT, b"text");
        let mut decoder = decoder(role);
        assert_eq!(decode(&mut decoder, &wire[..1]), Ok(vec![]));
        assert_eq!(decode(&mut decoder, &wire[1..]), Err(E::ReservedBits { bits: 4 }));
    }
}

#[test]
fn a_large_binary_message_is_read_into_its_own_buffer() {
    for role in ROLES {
        let payload: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        let wire = frame(role.peer(), FIN | BINARY, &payload);
        let (head, mut rest) = wire.split_at(20_000);
        let mut decoder = decoder(role);
        assert_eq!(decode(&mut decoder, head).unwrap(), []);
        let mut fills = 0;
        while !rest.is_empty() {
            let (took, kept) = decoder
                .fill_payload(|buffer, wanted| {
                    assert!(wanted > 0);
                    assert_eq!(buffer.capacity() - buffer.len(), wanted, "all the room there is");
                    assert!(buffer.capacity() <= 4 * (buffer.len() + 15), "grows with what came");
                    let (now, later) = rest.split_at(wanted.min(7000 + fills));
                    buffer.extend_from_slice(now);
                    rest = later;
                    now.len()
                })
                .unwrap();
            assert!(kept && took > 0);
            fills += 1;
        }
        assert!(decoder.fill_payload(|_, _| ()).is_none(), "nothing more is wanted");
        let events = decode(&mut decoder, b"").unwrap();
        assert_eq!(events, [Event::Message(payload.into())]);
    }
}

#[test]
fn fills_and_input_may_alternate() {
    for role in ROLES {
        let payload: Vec<u8> = (0..=255).cycle().take(100_001).collect();
        let wire = frame(role.peer(), FIN | BINARY, &payload);
        let mut decoder = decoder(role);
        let mut rest = &wire[..];
        let mut events = Vec::new();
        for step in [17_003, 1001, 3, 5000, 77_777].into_iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(step));
            events.extend(decode(&mut decoder, now).unwrap());
            rest = later;
            decoder.fill_payload(|buffer, wanted| {
                let (now, later) = rest.split_at(rest.len().min(wanted).min(step / 2));
                buffer.extend_from_slice(now);
                rest = later;
            });
            if rest.is_empty() {
                break;
            }
        }
        events.extend(decode(&mut decoder, b"").unwrap());
        assert_eq!(events, [Event::Message(payload.into())]);
    }
}

#[test]
fn only_a_large_plain_binary_message_under_way_is_filled() {
    for role in ROLES {
        let sender = role.peer();
        let begun = |mut decoder: Decoder, opcode, came: usize| {
            let wire = frame(sender, FIN | opcode, &vec![b'x'; 100_000]);
            decode(&mut decoder, &wire[..came]).unwrap();
            decoder.fill_payload(|_, _| ()).is_some()
        };
        assert!(begun(decoder(role), BINARY, 20_000));
        assert!(!begun(decoder(role), BINARY, 0), "nothing has begun");
        let enough = header(sender, FIN | BINARY, 100_000).len() + 16 * 1024;
        assert!(begun(decoder(role), BINARY, enough));
        assert!(!begun(decoder(role), BINARY, enough - 1), "a peer that declares much and sends little");
        assert!(!begun(decoder(role), TEXT, 20_000), "text goes through the validator");
        assert!(!begun(pieces(role), BINARY, 20_000), "pieces are handed out");
    }
}

#[test]
fn a_fill_that_does_anything_but_append_what_was_wanted_is_told() {
    for role in ROLES {
        let misuses: [fn(&mut Vec<u8>, usize); 4] = [
            |buffer, _| buffer.clear(),
            |buffer, _| buffer.truncate(buffer.len() - 1),
            |buffer, wanted| buffer.resize(buffer.len() + wanted + 1, 0),
            |buffer, _| *buffer = Vec::new(),
        ];
        for misuse in misuses {
            let mut decoder = decoder(role);
            decode(&mut decoder, &frame(role.peer(), FIN | BINARY, &vec![0; 100_000])[..20_000]).unwrap();
            assert_eq!(decoder.fill_payload(misuse), Some(((), false)));
        }
    }
}
