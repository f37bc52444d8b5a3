//! Inputs: streams of frames, most of them legal.

use crate::fuzz::wire::{self, Frame, LengthForm};
use proptest::{collection::vec, prelude::*, sample::select};
use wscope::proto::Role;

/// What `sender` puts on the wire: legal messages and control frames, seldom a frame that is none, a few loose bytes at
/// the end.
pub(crate) fn stream(sender: Role) -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        8 => message(sender),
        4 => control(sender).prop_map(|frame| frame.bytes()),
        1 => any_frame(sender),
    ];
    (vec(part, 0..8), vec(any::<u8>(), 0..8)).prop_map(|(parts, end)| [parts.concat(), end].concat())
}

/// A message in some fragments, with control frames between them. Text is cut anywhere and is not always UTF-8.
fn message(sender: Role) -> impl Strategy<Value = Vec<u8>> {
    let fragments = vec((0..400_usize, proptest::option::of(control(sender))), 0..5);
    (payload(), fragments, 0..16_u8).prop_map(move |((opcode, payload), fragments, end)| {
        let (mut rest, mut bytes, mut opcode) = (&payload[..], Vec::new(), opcode);
        for (len, control) in fragments {
            let (head, tail) = rest.split_at(len.min(rest.len()));
            bytes.extend(Frame::new(sender, opcode, head).more().bytes());
            bytes.extend(control.iter().flat_map(Frame::bytes));
            (rest, opcode) = (tail, wire::CONTINUATION);
        }
        if end > 0 {
            bytes.extend(Frame::new(sender, opcode, rest).bytes());
        }
        bytes
    })
}

fn payload() -> impl Strategy<Value = (u8, Vec<u8>)> {
    prop_oneof![
        10 => ".{0,60}".prop_map(|text| (wire::TEXT, text.into_bytes())),
        5 => vec(any::<u8>(), 0..300).prop_map(|bytes| (wire::BINARY, bytes)),
        1 => Just((wire::BINARY, vec![9; 17_000])), // long enough to be filled
        3 => vec(any::<u8>(), 0..8).prop_map(|bytes| (wire::TEXT, bytes)),
    ]
}

fn control(sender: Role) -> impl Strategy<Value = Frame> {
    let opcode = prop_oneof![9 => Just(wire::PING), 9 => Just(wire::PONG), 1 => Just(wire::CLOSE)];
    (opcode, any::<u16>(), vec(any::<u8>(), 0..=123)).prop_map(move |(opcode, code, text)| {
        let code = 1000 + code % 20;
        let reason = String::from_utf8_lossy(&text[..text.len() / 3]);
        let payload =
            if opcode == wire::CLOSE { [&code.to_be_bytes(), reason.as_bytes()].concat() } else { text };
        Frame::new(sender, opcode, payload)
    })
}

/// A frame of which anything may be wrong.
fn any_frame(sender: Role) -> impl Strategy<Value = Vec<u8>> {
    let form = select(vec![LengthForm::Shortest, LengthForm::Two, LengthForm::Eight]);
    (any::<u8>(), any::<u8>(), vec(any::<u8>(), 0..130), form).prop_map(
        move |(first, mask, payload, form)| {
            let sender = if mask == 0 { sender.peer() } else { sender };
            let frame = Frame::new(sender, first & 0xF, payload);
            Frame { fin: first & 0x80 != 0, rsv: if mask < 8 { first >> 4 & 7 } else { 0 }, ..frame }
                .bytes_with(form)
        },
    )
}
