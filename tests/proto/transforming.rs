//! The work of an extension done apart, and past it. The extension inverts each byte, and notes what it is asked.

use crate::wire::{BINARY, CONTINUATION, FIN, FixedKey, PING, PONG, ROLES, RSV1, TEXT, frame, open, receive};
use std::sync::{Arc, Mutex};
use wscope::proto::{
    CloseCode, CloseConnection, Config, Connection, Event, LocalError, MessageKind, Piece, Ping, Role,
    extension::{BrokenStream, InboundTransform, OutboundTransform, Rsv, Step, Transforms},
};

/// Inverts, and doubles where it `grows`. Declines what is shorter than four.
#[derive(Clone, Debug, Default)]
struct Inverting {
    grows: bool,
    discarded: Arc<Mutex<usize>>,
}

impl OutboundTransform for Inverting {
    fn wants(&self, len: usize) -> bool {
        len >= 4
    }

    fn discard(&mut self) {
        *self.discarded.lock().unwrap() += 1;
    }

    fn transform(&mut self, payload: &[u8], first: bool, last: bool, output: &mut Vec<u8>) -> bool {
        if first && last && !self.wants(payload.len()) {
            return false;
        }
        output
            .extend(payload.iter().flat_map(|byte| std::iter::repeat_n(!byte, 1 + usize::from(self.grows))));
        true
    }
}

impl InboundTransform for Inverting {
    fn transform(&mut self, _: &mut &[u8], _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> {
        Err(BrokenStream::new())
    }

    fn finish(&mut self, _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> {
        Err(BrokenStream::new())
    }
}

fn connection(role: Role, extension: &Inverting) -> Connection {
    let transforms = Transforms::new(Rsv::Rsv1, Box::new(extension.clone()), Box::new(extension.clone()));
    Connection::new(role, Config::new()).with_random(Box::new(FixedKey)).with_transforms(transforms)
}

fn inverted(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

#[test]
fn what_is_transformed_apart_is_as_what_is_sent_at_once() {
    for role in ROLES {
        for step in [1, 2, 3, 4, 5, 6, usize::MAX] {
            let (mut connection, mut out) = (connection(role, &Inverting::default()), Vec::new());
            for piece in [
                Piece::last("abcdef"),
                Piece::more(&b"abcdef"[..]),
                Piece::more(&b""[..]),
                Piece::last(&b"gh"[..]),
            ] {
                let mut work = connection.begin(&piece).unwrap().unwrap();
                assert_eq!(work.piece(), &piece);
                while !work.step(step) {}
                assert!(work.step(step), "what is done stays done");
                connection.finish(work, &mut out).unwrap();
            }
            let frames = [
                frame(role, FIN | RSV1 | TEXT, &inverted(b"abcdef")),
                frame(role, RSV1 | BINARY, &inverted(b"abcdef")),
                frame(role, CONTINUATION, b""),
                frame(role, FIN | CONTINUATION, &inverted(b"gh")),
            ];
            assert_eq!(out, frames.concat());
            assert_eq!(connection.payload_sent(), 14);
        }
    }
}

#[test]
fn what_is_left_of_the_work_is_done_when_it_is_finished() {
    for role in ROLES {
        let (mut connection, mut out) = (connection(role, &Inverting::default()), Vec::new());
        let mut work = connection.begin(&Piece::last("abcdef")).unwrap().unwrap();
        assert!(!work.step(0), "a step of nothing is one of a byte");
        connection.finish(work, &mut out).unwrap();
        assert_eq!(out, frame(role, FIN | RSV1 | TEXT, &inverted(b"abcdef")));
    }
}

#[test]
fn where_there_is_no_work_there_is_nothing_to_begin() {
    for role in ROLES {
        assert!(open(role, Config::new()).begin(&Piece::last("abcdef")).unwrap().is_none(), "no extension");
        let mut extended = connection(role, &Inverting::default());
        assert!(extended.begin(&Piece::last("abc")).unwrap().is_none(), "too short for it");
        extended.send(Piece::last("abc"), &mut Vec::new()).unwrap();
        extended.skip_transform(true);
        assert!(extended.begin(&Piece::last("abcdef")).unwrap().is_none(), "past it");
    }
}

#[test]
fn meanwhile_the_connection_receives_and_refuses_other_data() {
    for role in ROLES {
        let (mut connection, mut out) = (connection(role, &Inverting::default()), Vec::new());
        let work = connection.begin(&Piece::last("abcdef")).unwrap().unwrap();
        let came = receive(&mut connection, &frame(role.peer(), FIN | TEXT, b"hello")).unwrap();
        assert_eq!(came, [Event::from("hello")]);
        receive(&mut connection, &frame(role.peer(), FIN | PING, b"p")).unwrap();
        connection.transmit(&mut out);
        connection.send(Ping::new(b"q").unwrap(), &mut out).unwrap();
        let unfinished = |sent| LocalError::MessageUnfinished { unfinished: MessageKind::Text, sent };
        let text = unfinished(MessageKind::Text);
        assert_eq!(connection.send("other", &mut out), Err(text));
        assert_eq!(connection.send_header("other", &mut out), Err(text));
        assert_eq!(connection.send(Piece::more("other"), &mut out), Err(text));
        assert_eq!(connection.begin(&Piece::last("other")).map(|_| ()), Err(text));
        assert_eq!(connection.send_message(b"other", &mut out), Err(unfinished(MessageKind::Binary)));
        connection.finish(work, &mut out).unwrap();
        connection.send("abc", &mut out).unwrap();
        let frames = [
            frame(role, FIN | PONG, b"p"),
            frame(role, FIN | PING, b"q"),
            frame(role, FIN | RSV1 | TEXT, &inverted(b"abcdef")),
            frame(role, FIN | TEXT, b"abc"),
        ];
        assert_eq!(out, frames.concat());
    }
}

#[test]
fn what_is_withdrawn_was_never_begun() {
    for role in ROLES {
        let extension = Inverting::default();
        let (mut connection, mut out) = (connection(role, &extension), Vec::new());
        connection.send(Piece::more("abcdef"), &mut out).unwrap();
        let mut work = connection.begin(&Piece::last("never sent")).unwrap().unwrap();
        assert!(!work.step(3));
        assert_eq!(connection.withdraw(work), Piece::last("never sent"));
        assert_eq!(*extension.discarded.lock().unwrap(), 1);
        connection.send(Piece::last("gh"), &mut out).unwrap();
        let frames = [
            frame(role, RSV1 | TEXT, &inverted(b"abcdef")),
            frame(role, FIN | CONTINUATION, &inverted(b"gh")),
        ];
        assert_eq!(out, frames.concat());
    }
}

#[test]
fn a_message_that_grew_in_several_steps_goes_out_as_it_is() {
    for role in ROLES {
        let extension = Inverting { grows: true, ..Inverting::default() };
        let (mut connection, mut out) = (connection(role, &extension), Vec::new());
        let mut work = connection.begin(&Piece::last("abcdef")).unwrap().unwrap();
        while !work.step(4) {}
        connection.finish(work, &mut out).unwrap();
        assert_eq!(out, frame(role, FIN | TEXT, b"abcdef"));
        assert_eq!(*extension.discarded.lock().unwrap(), 1, "no later message may point at it");
    }
}

#[test]
fn a_close_frame_in_between_wins() {
    for role in ROLES {
        let (mut connection, mut out) = (connection(role, &Inverting::default()), Vec::new());
        let work = connection.begin(&Piece::last("abcdef")).unwrap().unwrap();
        connection.send(CloseConnection::new(CloseCode::NORMAL_CLOSURE), &mut out).unwrap();
        let closed = out.clone();
        assert!(matches!(connection.finish(work, &mut out), Err(LocalError::WrongState { .. })));
        assert_eq!(out, closed);
    }
}

#[test] // RFC 7692 §6
fn messages_can_go_past_the_extension() {
    for role in ROLES {
        let (mut connection, mut out) = (connection(role, &Inverting::default()), Vec::new());
        connection.skip_transform(true);
        connection.send("plain", &mut out).unwrap();
        connection.send(Piece::more("begun plain"), &mut out).unwrap();
        connection.skip_transform(false);
        connection.send(Piece::last("stays plain"), &mut out).unwrap();
        connection.send(Piece::more("begun so"), &mut out).unwrap();
        connection.skip_transform(true);
        connection.send(Piece::last("stays so"), &mut out).unwrap();
        let mut header = Vec::new();
        assert_eq!(connection.send_header("plain", &mut header).unwrap(), role == Role::Server);
        assert_eq!(header.is_empty(), role == Role::Client);
        connection.skip_transform(false);
        assert!(!connection.send_header("plain", &mut out).unwrap());
        let frames = [
            frame(role, FIN | TEXT, b"plain"),
            frame(role, TEXT, b"begun plain"),
            frame(role, FIN | CONTINUATION, b"stays plain"),
            frame(role, RSV1 | TEXT, &inverted(b"begun so")),
            frame(role, FIN | CONTINUATION, &inverted(b"stays so")),
        ];
        assert_eq!(out, frames.concat());
    }
}
