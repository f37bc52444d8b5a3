//! The seam, shown with an extension that doubles each byte: enough to see bits, limits, steps and faults.

#[cfg(feature = "deflate")]
mod deflate;

use crate::wire::{
    BINARY, CLOSE, CONTINUATION, FIN, FixedKey, PING, ROLES, RSV1, TEXT, decode, frame, receive,
};
use wscope::proto::{
    Config, Connection, Decoder, Event, Message, MessageDelivery, Piece, ProtocolError as E, Role,
    extension::{BrokenStream, InboundTransform, OutboundTransform, Rsv, Step, Transforms},
};

/// Sends each byte once and receives it twice; 0xEE breaks the stream. What does not fit waits.
#[derive(Debug, Default)]
struct Doubling {
    waiting: Option<u8>,
}

impl InboundTransform for Doubling {
    fn transform(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        mut room: usize,
    ) -> Result<Step, BrokenStream> {
        loop {
            if room == 0 {
                return Ok(Step::Full);
            }
            match (self.waiting.take(), input.split_first()) {
                (Some(byte), _) => output.push(byte),
                (None, Some((0xEE, _))) => return Err(BrokenStream::new()),
                (None, Some((byte, rest))) => {
                    *input = rest;
                    self.waiting = Some(*byte);
                    output.push(*byte);
                }
                (None, None) => return Ok(Step::Done),
            }
            room -= 1;
        }
    }

    /// Ends every message with a full stop.
    fn finish(&mut self, output: &mut Vec<u8>, room: usize) -> Result<Step, BrokenStream> {
        assert!(room > 0);
        output.push(b'.');
        Ok(Step::Done)
    }
}

/// Sends every other byte, and declines what is short.
#[derive(Debug)]
struct Halving;

impl OutboundTransform for Halving {
    fn transform(&mut self, payload: &[u8], first: bool, _: bool, output: &mut Vec<u8>) -> bool {
        if first && payload.len() < 4 {
            return false;
        }
        output.extend(payload.iter().step_by(2));
        true
    }
}

fn decoder(role: Role, config: Config) -> Decoder {
    Decoder::new(role, config).with_transform(Rsv::Rsv1, Box::<Doubling>::default())
}

fn connection(role: Role) -> Connection {
    let transforms = Transforms::new(Rsv::Rsv1, Box::<Doubling>::default(), Box::new(Halving));
    Connection::new(role, Config::new()).with_random(Box::new(FixedKey)).with_transforms(transforms)
}

fn text(text: impl Into<Message>) -> Event {
    Event::Message(text.into())
}

#[test] // RFC 6455 §9, RFC 7692 §6
fn the_owners_bit_marks_a_message_as_transformed() {
    for role in ROLES {
        let sender = role.peer();
        let mut connection = connection(role);
        assert_eq!(
            receive(&mut connection, &frame(sender, FIN | RSV1 | TEXT, b"ab")).unwrap(),
            [text("aabb.")]
        );
        assert_eq!(receive(&mut connection, &frame(sender, FIN | TEXT, b"ab")).unwrap(), [text("ab")]);
        let plain = [frame(sender, TEXT, b"a"), frame(sender, FIN | CONTINUATION, b"b")].concat();
        assert_eq!(receive(&mut connection, &plain).unwrap(), [text("ab")]);
        let fragments = [
            frame(sender, RSV1 | BINARY, b"a"),
            frame(sender, FIN | PING, b"plain"),
            frame(sender, CONTINUATION, b""),
            frame(sender, FIN | CONTINUATION, b"b"),
        ];
        assert_eq!(receive(&mut connection, &fragments.concat()).unwrap()[1], text(&b"aabb."[..]));
    }
}

#[test] // RFC 7692 §6.1
fn control_and_continuation_frames_may_not_carry_the_bit() {
    for role in ROLES {
        let sender = role.peer();
        let control = frame(sender, FIN | RSV1 | PING, b"");
        assert_eq!(decode(&mut decoder(role, Config::new()), &control), Err(E::ReservedBits { bits: 4 }));
        let wire =
            [frame(sender, RSV1 | TEXT, b"a"), frame(sender, FIN | RSV1 | CONTINUATION, b"b")].concat();
        assert_eq!(decode(&mut decoder(role, Config::new()), &wire), Err(E::ReservedBits { bits: 4 }));
    }
}

#[test]
fn what_is_sent_carries_the_bit_on_its_first_frame_unless_the_transform_declines() {
    for role in ROLES {
        let (mut connection, mut out) = (connection(role), Vec::new());
        connection.send("abcdef", &mut out).unwrap();
        connection.send("abc", &mut out).unwrap();
        connection.send(Piece::more("abcd"), &mut out).unwrap();
        connection.send(Piece::last("ef"), &mut out).unwrap();
        connection.send(Piece::more("ab"), &mut out).unwrap();
        connection.send(Piece::last("abcd"), &mut out).unwrap();
        let frames: [(u8, &[u8]); 6] = [
            (FIN | RSV1 | TEXT, b"ace"),
            (FIN | TEXT, b"abc"),
            (RSV1 | TEXT, b"ac"),
            (FIN | CONTINUATION, b"e"),
            (TEXT, b"ab"),
            (FIN | CONTINUATION, b"abcd"), // a message is transformed as a whole or not at all
        ];
        assert_eq!(out, frames.map(|(first, payload)| frame(role, first, payload)).concat());
    }
}

#[test]
fn the_limit_of_a_message_holds_for_what_the_transform_makes_of_it() {
    for role in ROLES {
        for (opcode, delivery) in [
            (TEXT, MessageDelivery::Whole),
            (BINARY, MessageDelivery::Whole),
            (BINARY, MessageDelivery::Pieces),
        ] {
            let config = Config::new().max_message_size(101).delivery(delivery);
            let received = |len| {
                decode(
                    &mut decoder(role, config.clone()),
                    &frame(role.peer(), FIN | RSV1 | opcode, &vec![b'x'; len]),
                )
            };
            assert_eq!(received(50).unwrap().len(), 1);
            assert_eq!(received(51), Err(E::MessageTooBig { size: 102, limit: 101 }));
            assert_eq!(received(5000), Err(E::MessageTooBig { size: 102, limit: 101 }), "stopped at once");
        }
        let unlimited = Config::new().max_message_size(usize::MAX);
        let large = frame(role.peer(), FIN | RSV1 | TEXT, &[b'x'; 50_000]);
        let events = decode(&mut decoder(role, unlimited), &large).unwrap();
        assert_eq!(events, [text("x".repeat(100_000) + ".")], "in steps");
    }
}

#[test]
fn a_transformed_message_comes_in_pieces_too_and_is_checked() {
    for role in ROLES {
        let sender = role.peer();
        let mut pieces = decoder(role, Config::new().delivery(MessageDelivery::Pieces));
        let events = decode(&mut pieces, &frame(sender, FIN | RSV1 | TEXT, &[b'x'; 3000])).unwrap();
        let lengths: Vec<_> = events
            .iter()
            .map(|event| match event {
                Event::Piece(piece) => (piece.data.len(), piece.message_finished),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(lengths, [(2048, false), (2048, false), (1905, true)]);

        let bad_text = frame(sender, FIN | RSV1 | TEXT, "é".as_bytes()); // doubled: two starts
        assert_eq!(decode(&mut decoder(role, Config::new()), &bad_text), Err(E::InvalidUtf8));
        let broken = frame(sender, FIN | RSV1 | BINARY, b"ab\xEE");
        assert_eq!(decode(&mut decoder(role, Config::new()), &broken), Err(E::BrokenExtensionData));
        assert_eq!(BrokenStream::default().to_string(), "the payload is not a valid stream of its extension");
    }
}

#[test]
fn a_transformed_binary_message_is_not_filled_by_the_caller() {
    for role in ROLES {
        let mut decoder = decoder(role, Config::new());
        decode(&mut decoder, &frame(role.peer(), FIN | RSV1 | BINARY, &[0; 100_000])[..50_000]).unwrap();
        assert_eq!(decoder.fill_payload(|_, _| ()), None);
    }
}

/// Reports that it is full and never does anything.
#[derive(Debug)]
struct Stuck;

impl InboundTransform for Stuck {
    fn transform(&mut self, _: &mut &[u8], _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> {
        Ok(Step::Full)
    }

    fn finish(&mut self, _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> {
        Ok(Step::Full)
    }
}

#[test]
fn a_transform_that_makes_no_progress_ends_the_connection_and_not_the_program() {
    for role in ROLES {
        let mut decoder = Decoder::new(role, Config::new()).with_transform(Rsv::Rsv1, Box::new(Stuck));
        let wire = frame(role.peer(), FIN | RSV1 | BINARY, b"x");
        assert_eq!(decode(&mut decoder, &wire), Err(E::BrokenExtensionData));
    }
}

#[test]
fn a_connection_tells_whether_it_has_an_extension_also_when_it_is_closed() {
    for role in ROLES {
        let (mut extended, mut plain) = (connection(role), Connection::new(role, Config::new()));
        for _ in 0..2 {
            assert!(extended.has_extension() && !plain.has_extension());
            receive(&mut extended, &frame(role.peer(), FIN | CLOSE, b"")).unwrap();
            receive(&mut plain, &frame(role.peer(), FIN | CLOSE, b"")).unwrap();
        }
    }
}

#[test]
fn bytes_after_a_fault_are_lost_and_do_no_harm() {
    for role in ROLES {
        for delivery in [MessageDelivery::Whole, MessageDelivery::Pieces] {
            let mut decoder = decoder(role, Config::new().max_message_size(3).delivery(delivery));
            let wire = frame(role.peer(), FIN | RSV1 | BINARY, b"abcdef");
            for _ in 0..3 {
                let refused = decode(&mut decoder, &wire);
                assert!(matches!(refused, Err(E::MessageTooBig { limit: 3, .. })), "{refused:?}");
            }
        }
    }
}

#[test]
fn payloads_are_counted_as_they_travel() {
    for role in ROLES {
        let mut connection = connection(role);
        let mut out = Vec::new();
        connection.send("abcdef", &mut out).unwrap();
        connection.send(Piece::more("abcd"), &mut out).unwrap();
        connection.send(Piece::last("ef"), &mut out).unwrap();
        connection.send("abc", &mut out).unwrap();
        assert_eq!(connection.payload_sent(), 3 + 2 + 1 + 3, "{role}");
        let wire = [
            frame(role.peer(), FIN | RSV1 | TEXT, b"abc"),
            frame(role.peer(), FIN | PING, b"no message"),
            frame(role.peer(), FIN | BINARY, &[0; 40_000]),
        ];
        receive(&mut connection, &wire.concat()[..20_000]).unwrap();
        assert!((1..20_000).contains(&connection.payload_received()), "what has come of it");
        receive(&mut connection, &wire.concat()[20_000..]).unwrap();
        assert_eq!(connection.payload_received(), 40_003);
        receive(&mut connection, &frame(role.peer(), FIN | CLOSE, b"")).unwrap();
        assert_eq!(connection.payload_received(), 40_003, "also when all is over");

        let mut plain = Connection::new(role, Config::new());
        let header = plain.send_header("abc", &mut out).unwrap();
        assert_eq!(plain.payload_sent(), if header { 3 } else { 0 });
    }
}
