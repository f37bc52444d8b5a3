//! Each library driven in its cheapest way: its own loop over the same transport, nothing between.
//!
//! The transport is never pending, so the futures of asynchronous libraries are polled once, with a waker that does
//! nothing: no executor is measured.

use crate::wire::{Kind, MANY, Reads, Wire, payload};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::{
    hint::black_box,
    io::{Read, Write},
};
use wscope::proto;

/// One message received or one message sent, whatever the case is.
pub type Step = Box<dyn FnMut()>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// As server, frames of a client.
    Decode(Reads),
    /// As this side, written out at once.
    Encode(Side),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Server,
    Client,
}

#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub direction: Direction,
    pub kind: Kind,
    pub size: usize,
    /// Moves the frames in memory.
    pub place: usize,
}

/// Makes a case ready to be stepped through.
pub type Library = fn(Case) -> Step;

pub const OURS: (&str, Library) = ("wscope", wscope_case);
/// The last is ourselves again, without `fill_payload`: where that plays no part, it shows how far a ratio can be trusted.
pub const PEERS: [(&str, Library); 4] = [
    ("tungstenite", tungstenite_case),
    ("fastwebsockets", fastwebsockets_case),
    ("tokio-websockets", tokio_websockets_case),
    ("wscope, copied", wscope_copied_case),
];

/// How far apart two places of the scratch buffer are: as [`Wire`]'s, and out of step with them.
const SCRATCH_PLACE: usize = 1416;

/// Above the largest message, for all alike.
const LIMIT: usize = 2 << 20;

/// Large binary messages are read straight into their own buffers.
fn wscope_case(case: Case) -> Step {
    wscope_with(case, true)
}

/// Everything goes through the scratch buffer.
fn wscope_copied_case(case: Case) -> Step {
    wscope_with(case, false)
}

/// Reads into one scratch buffer, as all connections of a thread share one.
fn wscope_with(case: Case, fill: bool) -> Step {
    let config = proto::Config::new().max_message_size(LIMIT);
    match case.direction {
        Direction::Decode(reads) => {
            let mut wire = Wire::new(case, reads);
            let mut connection = proto::Connection::new(proto::Role::Server, config);
            let begin = case.place * SCRATCH_PLACE % 4096;
            let mut scratch = vec![0; begin + MANY];
            let (mut start, mut end) = (begin, begin);
            Box::new(move || {
                loop {
                    let mut input = &mut scratch[start..end];
                    let event = connection.receive(&mut input).expect("legal frames");
                    start = end - input.len();
                    if let Some(event) = event {
                        black_box(event);
                        return;
                    }
                    // A socket writes into the spare room of a vector, as a slice does.
                    let filled = fill
                        && connection
                            .fill_payload(|buffer, wanted| wire.next(wanted).read_to_end(buffer))
                            .is_some();
                    let read = if filled { 0 } else { wire.read(&mut scratch[begin..]).expect("memory") };
                    (start, end) = (begin, begin + read);
                }
            })
        }
        Direction::Encode(side) => {
            let role = if side == Side::Server { proto::Role::Server } else { proto::Role::Client };
            let mut connection = proto::Connection::new(role, config);
            let mut out = Vec::new();
            let mut wire = Wire::sink();
            let message = match case.kind {
                Kind::Text => proto::Message::Text(text(case.size).into()),
                Kind::Binary => proto::Message::from(payload(Kind::Binary, case.size)),
            };
            Box::new(move || {
                out.clear();
                connection.send_message(&message, &mut out).expect("an open connection");
                wire.write_all(&out).expect("memory");
            })
        }
    }
}

fn tungstenite_case(case: Case) -> Step {
    use tungstenite::{
        Message, WebSocket,
        protocol::{Role, WebSocketConfig},
    };
    // It clears its read buffer, of 128 KiB, before each read: no more of it than a read can fill.
    let config = match case.direction {
        Direction::Decode(Reads::One) => {
            WebSocketConfig::default().read_buffer_size((case.size + 14).clamp(4096, 128 * 1024))
        }
        Direction::Decode(Reads::Many) | Direction::Encode(_) => WebSocketConfig::default(),
    };
    match case.direction {
        Direction::Decode(reads) => {
            let wire = Wire::new(case, reads);
            let mut socket = WebSocket::from_raw_socket(wire, Role::Server, Some(config));
            Box::new(move || {
                black_box(socket.read().expect("legal frames"));
            })
        }
        Direction::Encode(side) => {
            let role = if side == Side::Server { Role::Server } else { Role::Client };
            let wire = Wire::sink();
            let mut socket = WebSocket::from_raw_socket(wire, role, Some(config));
            let message = match case.kind {
                Kind::Text => Message::text(text(case.size)),
                Kind::Binary => Message::binary(payload(Kind::Binary, case.size)),
            };
            Box::new(move || socket.send(message.clone()).expect("memory"))
        }
    }
}

fn fastwebsockets_case(case: Case) -> Step {
    use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
    match case.direction {
        Direction::Decode(reads) => {
            let wire = Wire::new(case, reads);
            let mut socket = WebSocket::after_handshake(wire, Role::Server);
            Box::new(move || {
                black_box(ready(socket.read_frame()).expect("legal frames").payload.len());
            })
        }
        Direction::Encode(side) => {
            let role = if side == Side::Server { Role::Server } else { Role::Client };
            let mut socket = WebSocket::after_handshake(Wire::sink(), role);
            let payload: &'static [u8] = payload(case.kind, case.size).leak();
            let opcode = if case.kind == Kind::Text { OpCode::Text } else { OpCode::Binary };
            Box::new(move || {
                let frame = Frame::new(true, opcode, None, Payload::Borrowed(payload));
                ready(socket.write_frame(frame)).expect("memory");
            })
        }
    }
}

fn tokio_websockets_case(case: Case) -> Step {
    use tokio_websockets::{ClientBuilder, Limits, Message, ServerBuilder};
    let limits = Limits::default().max_payload_len(Some(LIMIT));
    match case.direction {
        Direction::Decode(reads) => {
            let wire = Wire::new(case, reads);
            let mut socket = ServerBuilder::new().limits(limits).serve(wire);
            Box::new(move || {
                black_box(ready(socket.next()).expect("endless").expect("legal frames"));
            })
        }
        Direction::Encode(side) => {
            let wire = Wire::sink();
            let mut socket = match side {
                Side::Server => ServerBuilder::new().limits(limits).serve(wire),
                Side::Client => ClientBuilder::new().limits(limits).take_over(wire),
            };
            let message = match case.kind {
                Kind::Text => Message::text(text(case.size)),
                Kind::Binary => Message::binary(Bytes::from(payload(Kind::Binary, case.size))),
            };
            Box::new(move || ready(socket.send(message.clone())).expect("memory"))
        }
    }
}

fn text(size: usize) -> String {
    String::from_utf8(payload(Kind::Text, size)).expect("ASCII")
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the transport is never pending")
}
