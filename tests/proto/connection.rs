use crate::wire::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, ROLES, TEXT, frame, header, open, receive, transmitted,
};
use wscope::proto::{
    CloseCode, CloseConnection, CloseReason, Config, Connection, ConnectionState::*, Event, Failed,
    LocalError, Message, MessageKind, Piece, Ping, Pong, ProtocolError, Role,
};

fn normal_closure() -> CloseConnection {
    CloseConnection::new(CloseCode::NORMAL_CLOSURE)
}

const NORMAL: &[u8] = b"\x03\xE8";

/// A connection in each state that a connection can be in, with the state's name.
fn in_every_state(role: Role) -> [Connection; 4] {
    let close = frame(role.peer(), FIN | CLOSE, NORMAL);
    let [open, mut remote, mut local, mut closed] =
        [(); 4].map(|()| open(role, Config::new().answer_close(false)));
    receive(&mut remote, &close).unwrap();
    local.send(normal_closure(), &mut Vec::new()).unwrap();
    closed.receive_eof().unwrap_err();
    assert_eq!(
        [&open, &remote, &local, &closed].map(Connection::state),
        [Open, RemoteClosing, LocalClosing, Closed]
    );
    [open, remote, local, closed]
}

#[test]
fn what_is_sent_in_each_state_is_written_skipped_or_refused() {
    for role in ROLES {
        let events: [(Event, &str, &[u8], u8); 6] = [
            ("x".into(), "a message", b"x", FIN | TEXT),
            (Message::from(&b"x"[..]).into(), "a message", b"x", FIN | BINARY),
            (Piece::more("x").into(), "a message", b"x", TEXT),
            (Ping::new(b"x").unwrap().into(), "a ping", b"x", FIN | PING),
            (Pong::new(b"x").unwrap().into(), "a pong", b"x", FIN | PONG),
            (normal_closure().into(), "a close frame", NORMAL, FIN | CLOSE),
        ];
        for (event, what, payload, first) in events {
            for mut connection in in_every_state(role) {
                let (state, mut out) = (connection.state(), Vec::new());
                let sent = connection.send(event.clone(), &mut out);
                let legal = match (what, state) {
                    (_, Open) => true,
                    ("a pong" | "a close frame", RemoteClosing) => true,
                    ("a pong", LocalClosing) => {
                        assert_eq!((sent, &out[..]), (Ok(()), &b""[..]), "a pong while closing is skipped");
                        continue;
                    }
                    _ => false,
                };
                if legal {
                    assert_eq!((sent, out), (Ok(()), frame(role, first, payload)), "{what} in {state}");
                } else {
                    assert_eq!((sent, out), (Err(LocalError::WrongState { what, state }), vec![]));
                    assert_eq!(connection.state(), state);
                }
            }
        }
    }
}

#[test]
fn text_and_bytes_are_sent_without_taking_them() {
    for role in ROLES {
        let (mut connection, mut out) = (open(role, Config::new()), Vec::new());
        connection.send_message("é", &mut out).unwrap();
        connection.send_message(b"b", &mut out).unwrap();
        assert_eq!(out, [frame(role, FIN | TEXT, "é".as_bytes()), frame(role, FIN | BINARY, b"b")].concat());
        connection.send(normal_closure(), &mut out).unwrap();
        let refused = Err(LocalError::WrongState { what: "a message", state: LocalClosing });
        assert_eq!(connection.send_message("x", &mut out), refused);
        assert_eq!(connection.send_message(b"x", &mut out), refused);
    }
}

#[test]
fn pieces_are_fragments_of_one_message() {
    for role in ROLES {
        let (mut connection, mut out) = (open(role, Config::new()), Vec::new());
        connection.send(Piece::more("a"), &mut out).unwrap();
        let torn = LocalError::MessageUnfinished { unfinished: MessageKind::Text, sent: MessageKind::Text };
        assert_eq!(connection.send("whole", &mut out), Err(torn));
        connection.send(Piece::last("b"), &mut out).unwrap();
        connection.send("whole", &mut out).unwrap();
        let frames = [(TEXT, "a"), (FIN | CONTINUATION, "b"), (FIN | TEXT, "whole")];
        assert_eq!(out, frames.map(|(first, text)| frame(role, first, text.as_bytes())).concat());
    }
}

#[test] // RFC 6455 §5.5.1, §7.1.5
fn a_close_frame_is_answered_with_itself_once() {
    for role in ROLES {
        for payload in [&b""[..], NORMAL, b"\x03\xE9going", b"\x0F\xA0"] {
            let mut connection = open(role, Config::new());
            let close = frame(role.peer(), FIN | CLOSE, payload);
            let events =
                receive(&mut connection, &[&close[..], &frame(role.peer(), FIN | TEXT, b"late")].concat());
            assert!(matches!(events.unwrap()[..], [Event::CloseConnection(_)]), "what follows is discarded");
            assert_eq!(connection.state(), RemoteClosing);
            assert!(connection.wants_transmit());
            assert_eq!(transmitted(&mut connection), frame(role, FIN | CLOSE, payload));
            assert_eq!(connection.state(), Closed);
            assert_eq!(receive(&mut connection, &close), Ok(vec![]), "discarded");
            assert_eq!(transmitted(&mut connection), b"");
            assert_eq!(connection.receive_eof(), Ok(()));
            assert_eq!(connection.failed(), None);
        }
    }
}

#[test]
fn an_answer_of_the_callers_own_takes_the_place_of_the_engines() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        receive(&mut connection, &frame(role.peer(), FIN | CLOSE, NORMAL)).unwrap();
        let mut out = Vec::new();
        connection.send(CloseConnection::new(CloseCode::GOING_AWAY), &mut out).unwrap();
        assert_eq!(out, frame(role, FIN | CLOSE, b"\x03\xE9"));
        assert_eq!((connection.state(), transmitted(&mut connection)), (Closed, vec![]));
    }
}

#[test]
fn a_caller_who_answers_by_himself_is_left_alone() {
    for role in ROLES {
        let mut connection = open(role, Config::new().answer_close(false).answer_pings(false));
        receive(&mut connection, &frame(role.peer(), FIN | PING, b"x")).unwrap();
        receive(&mut connection, &frame(role.peer(), FIN | CLOSE, NORMAL)).unwrap();
        assert!(!connection.wants_transmit());
        assert_eq!((transmitted(&mut connection), connection.state()), (vec![], RemoteClosing));
    }
}

#[test] // RFC 6455 §7.1.1
fn after_our_close_frame_messages_still_come_until_the_peers() {
    for role in ROLES {
        let sender = role.peer();
        let mut connection = open(role, Config::new());
        connection.send(normal_closure(), &mut Vec::new()).unwrap();
        let wire = [
            frame(sender, FIN | TEXT, b"late"),
            frame(sender, FIN | PING, b"x"),
            frame(sender, FIN | CLOSE, b"\x03\xE9"),
            frame(sender, FIN | TEXT, b"too late"),
        ];
        let events = receive(&mut connection, &wire.concat()).unwrap();
        assert_eq!(events.len(), 3);
        assert_eq!(events[0], Event::Message("late".into()));
        assert_eq!(
            (transmitted(&mut connection), connection.state()),
            (vec![], Closed),
            "no pong, no second close"
        );
    }
}

#[test]
fn close_frames_that_cross_each_other_close_both_sides() {
    let [mut client, mut server] = ROLES.map(|role| open(role, Config::new()));
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    client.send(normal_closure(), &mut to_server).unwrap();
    server.send(CloseConnection::empty(), &mut to_client).unwrap();
    receive(&mut server, &to_server).unwrap();
    receive(&mut client, &to_client).unwrap();
    for connection in [&mut client, &mut server] {
        assert_eq!((connection.state(), connection.wants_transmit()), (Closed, false));
    }
}

#[test]
fn a_close_frame_takes_the_queued_pongs_along_and_is_the_last() {
    for role in ROLES {
        let ping = frame(role.peer(), FIN | PING, b"x");
        let pong = frame(role, FIN | PONG, b"x");
        let close = frame(role, FIN | CLOSE, NORMAL);

        let (mut ours, mut out) = (open(role, Config::new()), Vec::new());
        receive(&mut ours, &ping).unwrap();
        ours.send(normal_closure(), &mut out).unwrap();
        assert_eq!(out, [&pong[..], &close].concat());

        let mut theirs = open(role, Config::new());
        receive(&mut theirs, &[ping, frame(role.peer(), FIN | CLOSE, NORMAL)].concat()).unwrap();
        let mut pongs = Vec::new();
        theirs.transmit_pongs(&mut pongs);
        assert_eq!((pongs, theirs.wants_transmit()), (pong, true));
        assert_eq!(transmitted(&mut theirs), close);
    }
}

#[test] // RFC 6455 §7.1.7
fn a_fault_fails_the_connection_once_and_for_all() {
    for role in ROLES {
        let sender = role.peer();
        let faults = [
            (frame(sender, 0x83, b""), ProtocolError::ReservedOpcode { opcode: 3 }),
            (frame(sender, FIN | TEXT, b"\xFF"), ProtocolError::InvalidUtf8),
            (
                header(sender, FIN | BINARY, 2 << 20),
                ProtocolError::MessageTooBig { size: 2 << 20, limit: 1 << 20 },
            ),
        ];
        for (bytes, fault) in faults {
            let mut connection = open(role, Config::new());
            let wire = [&frame(sender, FIN | PING, b"x")[..], &bytes, b"more"].concat();
            assert_eq!(receive(&mut connection, &wire), Err(Failed::Peer(fault)));
            assert_eq!(connection.state(), Closed);
            let reason = CloseReason::new(fault.close_code(), fault.to_string()).unwrap();
            assert_eq!(connection.close_frames().sent, Some(Some(reason)));
            let payload =
                [&fault.close_code().as_u16().to_be_bytes()[..], fault.to_string().as_bytes()].concat();
            let pong_and_close = [frame(role, FIN | PONG, b"x"), frame(role, FIN | CLOSE, &payload)].concat();
            assert_eq!(transmitted(&mut connection), pong_and_close);

            assert_eq!(receive(&mut connection, &frame(sender, FIN | TEXT, b"x")), Err(Failed::Peer(fault)));
            assert_eq!(connection.receive_eof(), Err(Failed::Peer(fault)));
            assert_eq!(connection.failed(), Some(Failed::Peer(fault)));
            assert_eq!(transmitted(&mut connection), b"", "one close frame");
            assert!(connection.send("x", &mut Vec::new()).is_err());
        }
    }
}

#[test]
fn input_after_a_fault_is_used_up() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        let mut bytes = [0x83; 100];
        for _ in 0..2 {
            let mut input = &mut bytes[..];
            connection.receive(&mut input).unwrap_err();
            assert!(input.is_empty());
        }
    }
}

#[test]
fn a_fault_after_our_close_frame_sends_no_second_one() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        connection.send(normal_closure(), &mut Vec::new()).unwrap();
        receive(&mut connection, &frame(role.peer(), 0x83, b"")).unwrap_err();
        assert_eq!((transmitted(&mut connection), connection.state()), (vec![], Closed));
    }
}

#[test] // RFC 6455 §7.1.5
fn an_end_of_stream_without_the_peers_close_frame_is_unexpected() {
    for role in ROLES {
        let [mut open, mut remote, mut local, mut closed] = in_every_state(role);
        assert_eq!(open.receive_eof(), Err(Failed::UnexpectedEof));
        assert_eq!(local.receive_eof(), Err(Failed::UnexpectedEof));
        assert_eq!(closed.receive_eof(), Err(Failed::UnexpectedEof), "the failure stays");
        assert_eq!(remote.receive_eof(), Ok(()));
        assert_eq!(
            [open, remote, local, closed].map(|connection| connection.state()),
            [Closed, RemoteClosing, Closed, Closed]
        );
    }
}

#[test]
fn a_close_frame_is_answered_although_the_stream_ended_behind_it() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        receive(&mut connection, &frame(role.peer(), FIN | CLOSE, NORMAL)).unwrap();
        assert_eq!(connection.receive_eof(), Ok(()));
        assert_eq!(transmitted(&mut connection), frame(role, FIN | CLOSE, NORMAL));
        assert_eq!((connection.state(), connection.close_frames().sent.is_some()), (Closed, true));
        assert_eq!(connection.receive_eof(), Ok(()));
    }
}

#[test]
fn pongs_are_not_written_to_a_peer_that_vanished() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        receive(&mut connection, &frame(role.peer(), FIN | PING, b"x")).unwrap();
        connection.receive_eof().unwrap_err();
        assert!(!connection.wants_transmit());
    }
}

#[test]
fn an_end_of_stream_in_the_middle_of_a_frame_is_unexpected() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        receive(&mut connection, &frame(role.peer(), FIN | TEXT, b"cut")[..4]).unwrap();
        assert_eq!(connection.receive_eof(), Err(Failed::UnexpectedEof));
        assert_eq!(receive(&mut connection, b"x"), Err(Failed::UnexpectedEof));
        assert_eq!(transmitted(&mut connection), b"", "nobody is there to read a close frame");
    }
}

#[test]
fn a_large_message_is_filled_through_the_connection() {
    for role in ROLES {
        let payload = vec![7; 40_000];
        let wire = frame(role.peer(), FIN | BINARY, &payload);
        let mut connection = open(role, Config::new());
        receive(&mut connection, &wire[..20_000]).unwrap();
        let mut rest = &wire[20_000..];
        while !rest.is_empty() {
            connection
                .fill_payload(|buffer, wanted| {
                    let (now, later) = rest.split_at(wanted.min(rest.len()));
                    buffer.extend_from_slice(now);
                    rest = later;
                })
                .unwrap();
        }
        assert_eq!(receive(&mut connection, b"").unwrap(), [Event::Message(payload.into())]);
        connection.receive_eof().unwrap_err();
        assert_eq!(connection.fill_payload(|_, _| ()), None, "closed");
    }
}

#[test]
fn a_misused_payload_buffer_fails_the_connection_with_1011() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        receive(&mut connection, &frame(role.peer(), FIN | BINARY, &[0; 40_000])[..20_000]).unwrap();
        assert_eq!(connection.fill_payload(|buffer, _| buffer.clear()), Some(()));
        assert_eq!(receive(&mut connection, b"x"), Err(Failed::PayloadBufferMisused));
        assert_eq!(transmitted(&mut connection), frame(role, FIN | CLOSE, b"\x03\xF3"));
        assert_eq!(connection.fill_payload(|_, _| ()), None);
    }
}

#[test]
fn a_connection_knows_its_role() {
    for role in ROLES {
        assert_eq!(Connection::new(role, Config::new()).role(), role);
    }
}
