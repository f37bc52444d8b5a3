//! Any bytes as compressed messages: they end in the same messages within the limit, or in a fault, for every cut, and in
//! bounded memory. And what our own compressor makes of them comes back.

use super::{
    Choices,
    wire::{BINARY, Frame, TEXT},
};
use wscope::proto::{
    Config, Decoder, Event, Message, MessageDelivery, ProtocolError, Role,
    extension::{Extension, Level, PermessageDeflate, Transforms},
};

/// Input: takeover, delivery, opcode, limit, cut; then messages, each its length and its compressed payload.
pub fn inflate(input: &[u8]) {
    let mut choices = Choices::new(input);
    let preset = choices.one_of([PRESETS[0], PRESETS[1]]);
    let delivery = choices.one_of([MessageDelivery::Whole, MessageDelivery::Pieces]);
    let opcode = choices.one_of([BINARY, TEXT]);
    let config = Config::new().max_message_size(choices.number()).delivery(delivery);
    let cut = 1 + choices.number();
    let mut wire = Vec::new();
    while !choices.is_empty() {
        let len = choices.number();
        wire.extend(Frame { rsv: 4, ..Frame::new(Role::Client, opcode, choices.bytes(len)) }.bytes());
    }
    let whole = decode(&preset(), &config, &wire, usize::MAX);
    let in_cuts = decode(&preset(), &config, &wire, cut);
    // Which of two faults is found first does: zlib-rs keeps back what stands right before a broken block.
    assert_eq!(whole.1.is_some(), in_cuts.1.is_some(), "whether it fails does not depend on cuts");
    assert_eq!(whole.0, in_cuts.0, "nor does what was received");
    round_trip(&preset(), input);
}

const PRESETS: [fn() -> PermessageDeflate; 2] = [PermessageDeflate::shared, PermessageDeflate::dedicated];

/// The bytes of all messages that came whole, and the fault.
fn decode(
    preset: &PermessageDeflate,
    config: &Config,
    wire: &[u8],
    cut: usize,
) -> (Vec<Vec<u8>>, Option<ProtocolError>) {
    let mut decoder = receiving(preset, config.clone());
    let mut wire = wire.to_vec();
    let (mut messages, mut message) = (Vec::new(), Vec::new());
    for chunk in wire.chunks_mut(cut) {
        let mut chunk = chunk;
        loop {
            let mut decoded = None;
            let used = allocation_counter::measure(|| decoded = Some(decoder.decode(&mut chunk)));
            // The buffer of a message doubles and is moved; the stream is made once.
            let bound = 3 * config.max_message_size as u64 + 256 * 1024;
            assert!(used.bytes_max <= bound, "{} bytes for {config:?}", used.bytes_max);
            let (data, finished) = match decoded.expect("decoded") {
                Ok(Some(Event::Message(data))) => (data, true),
                Ok(Some(Event::Piece(piece))) => (piece.data, piece.message_finished),
                Ok(Some(event)) => panic!("{event:?} was not sent"),
                Ok(None) => break,
                Err(error) => {
                    assert!(
                        matches!(
                            error,
                            ProtocolError::BrokenExtensionData
                                | ProtocolError::MessageTooBig { .. }
                                | ProtocolError::InvalidUtf8
                        ),
                        "{error}"
                    );
                    return (messages, Some(error));
                }
            };
            message.extend_from_slice(data.as_bytes());
            assert!(message.len() <= config.max_message_size);
            if finished {
                messages.push(std::mem::take(&mut message));
            }
        }
    }
    (messages, None)
}

fn receiving(preset: &PermessageDeflate, config: Config) -> Decoder {
    let Transforms { rsv, inbound, .. } = transforms(preset);
    Decoder::new(Role::Server, config).with_transform(rsv, inbound)
}

fn transforms(preset: &PermessageDeflate) -> Transforms {
    let offer = "permessage-deflate".parse().expect("an offer");
    preset.accept(&offer).expect("every server accepts it").1
}

/// Compressed, in fragments that the bytes themselves cut, and inflated.
fn round_trip(preset: &PermessageDeflate, bytes: &[u8]) {
    let level = [Level::Fast, Level::Balanced, Level::Best][bytes.len() % 3];
    let Transforms { mut outbound, .. } = transforms(&preset.clone().threshold(0).level(level));
    let mut decoder = receiving(preset, Config::new());
    for _ in 0..2 {
        let at = bytes.first().map_or(0, |first| usize::from(*first)).min(bytes.len());
        let (head, tail) = bytes.split_at(at);
        let mut wire = Vec::new();
        assert!(outbound.transform(head, true, false, &mut wire), "a first fragment is always compressed");
        assert!(outbound.transform(tail, false, true, &mut wire), "nor may the others be plain");
        let mut frame = Frame { rsv: 4, ..Frame::new(Role::Client, BINARY, wire) }.bytes();
        let came = decoder.decode(&mut &mut frame[..]);
        assert_eq!(came, Ok(Some(Event::Message(Message::from(bytes)))));
    }
}
