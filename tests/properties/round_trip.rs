//! What is encoded is decoded again: at every border of the length forms and of the limit, for both roles and kinds.

use crate::{
    cases,
    fuzz::{
        trace::{Seen, Trace},
        wire::{FixedKey, Frame, Written},
    },
};
use proptest::{collection::vec, prelude::*};
use wscope::proto::{
    CloseCode, CloseConnection, CloseReason, Config, Connection, Event, Failed, Message, MessageDelivery,
    MessageKind, Piece, Ping, Pong, ProtocolError, Role,
};

const LIMIT: usize = Config::MAX_MESSAGE_SIZE;
const LENGTHS: [usize; 11] = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, LIMIT - 1, LIMIT, LIMIT + 1];
const ROLES: [Role; 2] = [Role::Client, Role::Server];
const KINDS: [MessageKind; 2] = [MessageKind::Text, MessageKind::Binary];
const DELIVERIES: [MessageDelivery; 2] = [MessageDelivery::Whole, MessageDelivery::Pieces];

fn open(role: Role, config: Config) -> Connection {
    Connection::new(role, config).with_random(Box::new(FixedKey))
}

/// A message whose bytes tell their places; text has characters of one to three bytes.
fn message(kind: MessageKind, len: usize) -> Message {
    match kind {
        MessageKind::Text => {
            let mut text = "aü€".repeat(len / "aü€".len());
            text.extend(std::iter::repeat_n('z', len - text.len()));
            text.into()
        }
        MessageKind::Binary => (0..len).map(|at| (at % 251) as u8).collect::<Vec<u8>>().into(),
    }
}

/// The bytes of a message: whole, or in pieces of at most `piece` bytes and an empty last one.
fn encode(sender: Role, message: &Message, piece: Option<usize>) -> Vec<u8> {
    let (mut connection, mut wire) = (open(sender, Config::new()), Vec::new());
    let mut send = |event: Event| connection.send(event, &mut wire).expect("an open connection");
    match (piece, message) {
        (None, message) => send(message.clone().into()),
        (Some(piece), Message::Binary(bytes)) => {
            bytes.chunks(piece).for_each(|chunk| send(Piece::more(chunk).into()));
            send(Piece::last(Vec::new()).into());
        }
        (Some(piece), Message::Text(text)) => {
            let mut rest: &str = text;
            while !rest.is_empty() {
                let cut = (piece..rest.len()).find(|&cut| rest.is_char_boundary(cut));
                let (head, tail) = rest.split_at(cut.unwrap_or(rest.len()));
                send(Piece::more(head).into());
                rest = tail;
            }
            send(Piece::last("").into());
        }
    }
    wire
}

/// Decodes at once, and in reads of 4096 bytes.
fn decode(receiver: Role, delivery: MessageDelivery, wire: &[u8]) -> Trace {
    let trace = |cuts| Trace::of(&mut open(receiver, Config::new().delivery(delivery)), wire, cuts);
    let (whole, cut) = (trace(Vec::new()), trace(vec![4096; wire.len() / 4096]));
    assert_eq!(whole, cut);
    whole
}

/// The one message of a trace.
fn joined(trace: &Trace) -> Message {
    let mut message = None;
    for seen in &trace.events {
        match seen {
            Seen::Event(Event::Message(whole)) => return whole.clone(),
            Seen::Pieces { kind, data, frame_finished, message_finished } => {
                let (_, all, finished) = message.get_or_insert((*kind, Vec::new(), false));
                assert!(!*finished && *frame_finished);
                all.extend_from_slice(data);
                *finished = *message_finished;
            }
            other => panic!("nobody sent {other:?}"),
        }
    }
    match message {
        Some((MessageKind::Text, data, true)) => String::from_utf8(data).expect("text").into(),
        Some((MessageKind::Binary, data, true)) => data.into(),
        other => panic!("the end is missing: {other:?}"),
    }
}

#[test]
fn messages_survive_at_every_border() {
    for role in ROLES {
        for (kind, len) in KINDS.into_iter().flat_map(|kind| LENGTHS.map(|len| (kind, len))) {
            let message = message(kind, len);
            for piece in [None, Some(1000), Some(len.max(1))] {
                let wire = encode(role, &message, piece);
                for delivery in DELIVERIES {
                    let trace = decode(role.peer(), delivery, &wire);
                    let what = format!("{role} sends {len} bytes of {kind} in {piece:?}, {delivery:?}");
                    if len > LIMIT {
                        let size = LIMIT as u64 + 1;
                        let error = ProtocolError::MessageTooBig { size, limit: LIMIT as u64 };
                        assert_eq!(trace.failed, Some(Failed::Peer(error)), "{what}");
                        assert_eq!(error.close_code(), CloseCode::MESSAGE_TOO_BIG);
                    } else {
                        assert_eq!(trace.failed, None, "{what}");
                        assert!(joined(&trace) == message, "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn messages_are_one_frame_in_the_shortest_form() {
    for role in ROLES {
        for (kind, len) in KINDS.into_iter().flat_map(|kind| LENGTHS.map(|len| (kind, len))) {
            let message = message(kind, len);
            let wire = encode(role, &message, None);
            let frames = Written::default().judge(role, &wire);
            let opcode = if kind == MessageKind::Text { 1 } else { 2 };
            assert!(frames == [Frame::new(role, opcode, message.as_bytes())], "{role}, {kind}, {len} bytes");
        }
    }
}

#[test]
fn control_frames_survive_at_every_length() {
    for role in ROLES {
        for len in 0..=125 {
            let payload = &message(MessageKind::Text, len);
            let ping = Ping::new(payload.as_bytes()).expect("at most 125 bytes");
            let pong = Pong::new(payload.as_bytes()).expect("at most 125 bytes");
            let text = message(MessageKind::Text, len.min(CloseReason::MAX_LEN));
            let reason = CloseReason::new(CloseCode::GOING_AWAY, text.as_text().expect("text"));
            let close = CloseConnection::new(reason.expect("at most 123 bytes"));
            let events = [Event::Ping(ping), Event::Pong(pong), Event::CloseConnection(close)];
            let (mut sender, mut wire) = (open(role, Config::new()), Vec::new());
            for event in &events {
                sender.send(event.clone(), &mut wire).expect("an open connection");
            }
            let trace = Trace::of(&mut open(role.peer(), Config::new()), &wire, []);
            assert_eq!(trace.events, events.map(Seen::Event), "{role}");
        }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn messages_survive_in_any_pieces(
        (client, text, pieces) in (any::<bool>(), any::<bool>(), any::<bool>()),
        data in vec(".{0,40}", 1..10),
        cuts in vec(0..200_usize, 0..20),
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let delivery = if pieces { MessageDelivery::Pieces } else { MessageDelivery::Whole };
        let (mut sender, mut wire) = (open(role, Config::new()), Vec::new());
        for (at, part) in data.iter().enumerate() {
            let part: Message = if text { part.as_str().into() } else { part.as_bytes().into() };
            let piece = if at + 1 == data.len() { Piece::last(part) } else { Piece::more(part) };
            sender.send(piece, &mut wire).expect("an open connection");
        }
        let trace = Trace::of(&mut open(role.peer(), Config::new().delivery(delivery)), &wire, cuts);
        let all = data.concat();
        prop_assert_eq!(joined(&trace), if text { Message::from(all) } else { all.into_bytes().into() });
    }
}
