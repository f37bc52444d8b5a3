//! The oracle and we on the same frames, legal and not: both accept or both refuse, and what both accept is the same.
//!
//! Frames are given one by one and whole, because the oracle looks at a frame when it is complete, and we as soon as we
//! can. Differences, all of them on purpose:
//!
//! - A length that is not in its shortest form breaks RFC 6455 §5.2, and in a control frame §5.5 too; the oracle takes it.
//! - Close code 1014 is registered since the RFC; the oracle refuses it.
//! - Refusing a close code, the oracle reports a close frame, which is its own answer (1002); we report the fault.

use crate::{
    fuzz::{
        choices::Choices,
        wire::{self, FixedKey, Frame, KEY, LengthForm},
    },
    peer::Peer,
};
use proptest::{collection::vec, prelude::*};
use tungstenite::{Error, Message as OracleMessage, protocol::frame::coding::CloseCode as OracleCode};
use wscope::proto::{CloseCode, Config, Connection, Event, Failed, Message, Opcode, ProtocolError, Role};

/// For us and for the oracle: small, so that random lengths are on both sides of it.
const LIMIT: usize = 300;

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// What one frame led to.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Nothing yet: a fragment.
    Nothing,
    Message(OracleMessage),
    /// With this close code.
    Refused(u16),
}

/// Both implementations of one role.
struct Both {
    ours: Connection,
    oracle: Peer,
}

impl Both {
    fn new(role: Role) -> Self {
        let config =
            Config::new().max_message_size(LIMIT).max_fragments(u32::MAX).max_empty_fragments(u32::MAX);
        let ours = Connection::new(role, config).with_random(Box::new(FixedKey));
        Self { ours, oracle: Peer::new(role, LIMIT) }
    }

    fn receive(&mut self, frame: &[u8]) -> (Result<Option<Event>, Failed>, Outcome) {
        let ours = self.ours.receive(&mut &mut frame.to_vec()[..]);
        let oracle = match self.oracle.receive(frame) {
            (received, None | Some(Error::ConnectionClosed)) => match <[_; 1]>::try_from(received) {
                Ok([message]) => Outcome::Message(message),
                Err(received) => {
                    assert_eq!(received, [], "one frame, one message");
                    Outcome::Nothing
                }
            },
            (_, Some(Error::Protocol(_))) => Outcome::Refused(1002),
            (_, Some(Error::Utf8(_))) => Outcome::Refused(1007),
            (_, Some(Error::Capacity(_))) => Outcome::Refused(1009),
            (_, Some(error)) => panic!("the oracle failed: {error}"),
        };
        (ours, oracle)
    }

    /// Gives one whole frame to both and asserts that they agree; gives whether both go on.
    fn agree(&mut self, frame: &[u8]) -> bool {
        match self.receive(frame) {
            (Ok(None), Outcome::Nothing) => true,
            (Ok(Some(event)), Outcome::Message(message)) => {
                let closes = matches!(event, Event::CloseConnection(_));
                assert!(same(&event, &message), "we: {event:?}, the oracle: {message:?}");
                !closes
            }
            (Err(_), Outcome::Refused(_)) => false,
            (Err(Failed::Peer(error)), _) if !is_shortest(frame) => {
                use ProtocolError::{ControlTooLong, LengthNotMinimal};
                assert!(matches!(error, LengthNotMinimal { .. } | ControlTooLong { .. }), "{error}");
                false
            }
            (Err(Failed::Peer(ProtocolError::InvalidCloseCode { .. })), Outcome::Message(message)) => {
                assert!(is_refusal(&message), "{message:?}");
                false
            }
            (ours, oracle) => panic!("we: {ours:?}, the oracle: {oracle:?}, for {}", frame.escape_ascii()),
        }
    }
}

/// Whether the length of a frame is in its shortest form.
fn is_shortest(frame: &[u8]) -> bool {
    Frame::read(&mut &frame[..]).is_none_or(|read| read.bytes() == frame)
}

/// Whether both implementations say the same.
fn same(event: &Event, message: &OracleMessage) -> bool {
    match (event, message) {
        (Event::Message(Message::Text(ours)), OracleMessage::Text(text)) => **ours == **text,
        (Event::Message(Message::Binary(ours)), OracleMessage::Binary(bytes)) => ours == bytes,
        (Event::Ping(ping), OracleMessage::Ping(payload)) => ping.payload() == payload,
        (Event::Pong(pong), OracleMessage::Pong(payload)) => pong.payload() == payload,
        (Event::CloseConnection(close), OracleMessage::Close(frame)) => match (&close.reason, frame) {
            (None, None) => true,
            (Some(ours), Some(_)) if ours.code() == CloseCode::BAD_GATEWAY => is_refusal(message),
            (Some(ours), Some(theirs)) => {
                ours.code().as_u16() == u16::from(theirs.code) && ours.reason() == theirs.reason.as_str()
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether this is how the oracle refuses a close code.
fn is_refusal(message: &OracleMessage) -> bool {
    matches!(message, OracleMessage::Close(Some(frame))
        if frame.code == OracleCode::Protocol && frame.reason.as_str() == "Protocol violation")
}

/// Gives the frames at the start of `bytes` to both; what is missing of the last one is zeros.
fn agree_on(role: Role, bytes: &[u8]) {
    let mut both = Both::new(role);
    let padded = [bytes, &[0; LIMIT + 14]].concat();
    let mut rest = &padded[..];
    while padded.len() - rest.len() < bytes.len() {
        let before = rest;
        // A frame that does not fit is above the limit: its header is enough to refuse it.
        let frame = Frame::read(&mut rest).map_or(before, |_| &before[..before.len() - rest.len()]);
        if !both.agree(frame) || frame.len() == before.len() {
            return;
        }
    }
}

#[test]
fn both_refuse_each_fault_with_the_same_code() {
    for role in ROLES {
        let sender = role.peer();
        let frame = |opcode, payload: &[u8]| Frame::new(sender, opcode, payload);
        let mask = |mask| Frame { mask, ..frame(wire::TEXT, b"a") };
        let faults = [
            ("rsv1", Frame { rsv: 4, ..frame(wire::TEXT, b"a") }, 1002),
            ("rsv2", Frame { rsv: 2, ..frame(wire::BINARY, b"a") }, 1002),
            ("rsv3", Frame { rsv: 1, ..frame(wire::PING, b"a") }, 1002),
            ("reserved data opcode", frame(3, b""), 1002),
            ("reserved control opcode", frame(11, b""), 1002),
            ("fragmented ping", frame(wire::PING, b"").more(), 1002),
            ("long ping", frame(wire::PING, &[0; 126]), 1002),
            ("continuation of nothing", frame(wire::CONTINUATION, b"a"), 1002),
            ("half a close code", frame(wire::CLOSE, b"\x03"), 1002),
            ("wrong mask", mask(if role == Role::Server { None } else { Some(KEY) }), 1002),
            ("close reason not UTF-8", frame(wire::CLOSE, b"\x03\xE8\xFF"), 1007),
            ("text not UTF-8", frame(wire::TEXT, b"a\xFF"), 1007),
            ("text cut inside a character", frame(wire::TEXT, b"a\xC3"), 1007),
            ("fragment not UTF-8", frame(wire::TEXT, b"a\xED\xA0").more(), 1007),
            ("too big", frame(wire::BINARY, &[0; LIMIT + 1]), 1009),
            ("fragment too big", frame(wire::TEXT, &[b'a'; LIMIT + 1]).more(), 1009),
        ];
        for (name, frame, code) in faults {
            let (ours, oracle) = Both::new(role).receive(&frame.bytes());
            let Err(Failed::Peer(error)) = ours else { panic!("{role} received {ours:?} for {name}") };
            assert_eq!(error.close_code().as_u16(), code, "{role}, {name}");
            assert_eq!(oracle, Outcome::Refused(code), "{role}, {name}");
        }
    }
}

#[test]
fn both_refuse_each_fault_inside_a_message_with_the_same_code() {
    for role in ROLES {
        let frame = |opcode, payload: &[u8]| Frame::new(role.peer(), opcode, payload);
        let faults = [
            ("message in message", frame(wire::BINARY, b"a"), 1002),
            ("first fragment in message", frame(wire::TEXT, b"a").more(), 1002),
            ("character broken by the next fragment", frame(wire::CONTINUATION, b"a").more(), 1007),
            ("message ends inside a character", frame(wire::CONTINUATION, b""), 1007),
            ("sum too big", frame(wire::CONTINUATION, &[b'a'; LIMIT]).more(), 1009),
        ];
        for (name, frame, code) in faults {
            let mut both = Both::new(role);
            assert!(both.agree(&Frame::new(role.peer(), wire::TEXT, *b"a\xC3").more().bytes()));
            let (ours, oracle) = both.receive(&frame.bytes());
            let Err(Failed::Peer(error)) = ours else { panic!("{role} received {ours:?} for {name}") };
            assert_eq!(error.close_code().as_u16(), code, "{role}, {name}");
            assert_eq!(oracle, Outcome::Refused(code), "{role}, {name}");
        }
    }
}

#[test]
fn differences_are_those_listed() {
    for role in ROLES {
        for (form, len) in [(LengthForm::Two, 125), (LengthForm::Eight, 125), (LengthForm::Eight, 126)] {
            let frame = Frame::new(role.peer(), wire::BINARY, vec![7; len]).bytes_with(form);
            let (ours, oracle) = Both::new(role).receive(&frame);
            assert_eq!(ours, Err(Failed::Peer(ProtocolError::LengthNotMinimal { len: len as u64 })));
            assert_eq!(oracle, Outcome::Message(vec![7; len].into()));
        }
        let frame = Frame::new(role.peer(), wire::PING, "a").bytes_with(LengthForm::Two);
        let (ours, oracle) = Both::new(role).receive(&frame);
        assert_eq!(ours, Err(Failed::Peer(ProtocolError::ControlTooLong { opcode: Opcode::Ping })));
        assert_eq!(oracle, Outcome::Message(OracleMessage::Ping("a".into())));
        for code in 0..=u16::MAX {
            let frame = Frame::new(role.peer(), wire::CLOSE, code.to_be_bytes()).bytes();
            let (ours, oracle) = Both::new(role).receive(&frame);
            let refused = matches!(&oracle, Outcome::Message(message) if is_refusal(message));
            assert_eq!(ours.is_err() || code == 1014, refused, "{role}, {code}: {ours:?}, {oracle:?}");
        }
    }
}

/// Frames of which anything may be wrong, seldom.
fn frames(input: &[u8], sender: Role) -> Vec<u8> {
    let (mut choices, mut bytes) = (Choices::new(input), Vec::new());
    while !choices.is_empty() {
        let (first, odd, len) = (choices.byte(), choices.byte(), usize::from(choices.byte()));
        let opcode = [wire::CONTINUATION, wire::TEXT, wire::BINARY, wire::PING, wire::PONG, wire::CLOSE, 3];
        let opcode = opcode[usize::from(first) % if odd < 16 { 7 } else { 5 }];
        let payload = choices.bytes(if odd & 1 == 0 { len % 8 } else { len });
        let frame = Frame::new(if odd == 255 { sender.peer() } else { sender }, opcode, payload);
        let frame = Frame {
            fin: first & 0x80 == 0 || opcode & 8 != 0 && odd != 254,
            rsv: if odd == 253 { first >> 4 & 7 } else { 0 },
            ..frame
        };
        bytes.extend(frame.bytes_with(if odd == 252 { LengthForm::Two } else { LengthForm::Shortest }));
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_agree_on_random_bytes(bytes in vec(any::<u8>(), 0..600)) {
        ROLES.into_iter().for_each(|role| agree_on(role, &bytes));
    }

    #[test]
    fn both_agree_on_random_frames(input in vec(any::<u8>(), 0..600)) {
        ROLES.into_iter().for_each(|role| agree_on(role, &frames(&input, role.peer())));
    }

    #[test]
    fn both_agree_on_random_texts(
        fragments in vec(prop_oneof![".{0,4}".prop_map(String::into_bytes), vec(0x80_u8.., 0..3)], 1..6),
    ) {
        for role in ROLES {
            let mut both = Both::new(role);
            let mut opcode = wire::TEXT;
            for (at, fragment) in fragments.iter().enumerate() {
                let frame = Frame::new(role.peer(), opcode, fragment.clone());
                let frame = if at + 1 < fragments.len() { frame.more() } else { frame };
                if !both.agree(&frame.bytes()) {
                    break;
                }
                opcode = wire::CONTINUATION;
            }
        }
    }
}
