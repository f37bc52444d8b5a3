//! Each library driven in its cheapest way, with the same settings: zlib-rs at level 1, windows of 32 KiB, nothing sent plain.

use crate::{messages::messages, pipe::Pipe};
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, SinkExt};
use sockudo_ws::{deflate::DeflateConfig, protocol::CompressedProtocol};
use std::{any::Any, hint::black_box, sync::LazyLock};
use wscope::proto::{
    Config, Connection, Role, accept_extension, confirm_extension,
    extension::{Extension, Level, PermessageDeflate, WindowBits},
};

/// One message, whatever is done with it.
pub type Step = Box<dyn FnMut()>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub direction: Direction,
    /// Messages may point into earlier ones.
    pub takeover: bool,
    pub size: usize,
    pub level: Level,
    pub window_bits: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A server encodes, and nobody reads.
    Encode,
    /// A server encodes, a client decodes.
    FromServer,
    /// A client encodes, a server decodes.
    FromClient,
}

/// Makes a case ready to be stepped through.
pub type Library = fn(Case) -> Step;

/// Two ends of one connection, after one message of `size` in each direction.
pub type Keeper = fn(Case) -> Box<dyn Any>;

pub const OURS: (&str, Library, Keeper) = ("wscope", wscope_case, wscope_pair);
pub const PEERS: [(&str, Library, Keeper); 2] =
    [("yawc", yawc_case, yawc_pair), ("sockudo-ws", sockudo_case, sockudo_pair)];

// `wscope_ends` alone heeds the level and the window: the others have what `cases` of the program sets.

// ---- wscope

/// Client and server.
pub fn wscope_ends(case: Case) -> [Connection; 2] {
    let preset = if case.takeover { PermessageDeflate::dedicated() } else { PermessageDeflate::shared() };
    let bits = WindowBits::new(case.window_bits).expect("9 to 15");
    let wanted =
        preset.threshold(0).level(case.level).server_max_window_bits(bits).client_max_window_bits(bits);
    let (answer, at_server) = accept_extension(&wanted.offers(), &wanted).expect("its own offer");
    let at_client =
        confirm_extension(&[answer], Some(&wanted)).expect("its own answer").expect("an extension");
    [(Role::Client, at_client), (Role::Server, at_server)]
        .map(|(role, transforms)| Connection::new(role, Config::new()).with_transforms(transforms))
}

fn wscope_case(case: Case) -> Step {
    let [client, server] = wscope_ends(case);
    let (mut from, mut to) = case.direction.order(client, server);
    let mut messages = Cycle::of(case.size, |text| text);
    let mut wire = Vec::new();
    Box::new(move || {
        wire.clear();
        from.send_message(messages.next(), &mut wire).expect("open");
        if case.direction == Direction::Encode {
            black_box(&wire);
        } else {
            black_box(to.receive(&mut &mut wire[..]).expect("legal frames").expect("a message"));
        }
    })
}

fn wscope_pair(case: Case) -> Box<dyn Any> {
    let mut ends = wscope_ends(case);
    let message = &messages(case.size)[0];
    for _ in 0..2 {
        let [from, to] = &mut ends;
        let mut wire = Vec::new();
        from.send_message(message, &mut wire).expect("open");
        to.receive(&mut &mut wire[..]).expect("legal frames").expect("a message");
        ends.reverse();
    }
    Box::new(ends)
}

// ---- yawc

type Yawc = yawc::WebSocket<Pipe>;

fn yawc_end(pipe: Pipe, role: yawc::Role, case: Case) -> Yawc {
    use yawc::{CompressionLevel, DeflatePool, Options, WebSocket};
    static POOL: LazyLock<DeflatePool> = LazyLock::new(|| DeflatePool::new(4));
    let options = Options::default()
        .with_compression_level(CompressionLevel::new(case.level as u32))
        .with_compression_threshold(0)
        .with_utf8();
    let (extension, options) = if case.takeover {
        ("permessage-deflate", options)
    } else {
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            options.server_no_context_takeover().client_no_context_takeover().with_deflate_pool(POOL.clone()),
        )
    };
    WebSocket::from_stream_with_extensions(pipe, role, Some(extension), options).expect("agreed")
}

fn yawc_case(case: Case) -> Step {
    use yawc::{Frame, Role};
    let mut messages = Cycle::of(case.size, Bytes::from);
    if case.direction == Direction::Encode {
        let mut server = yawc_end(Pipe::sink(), Role::Server, case);
        return Box::new(move || ready(server.send(Frame::text(messages.next().clone()))).expect("memory"));
    }
    let (here, there) = Pipe::pair();
    let (client, server) = (yawc_end(here, Role::Client, case), yawc_end(there, Role::Server, case));
    let (mut from, mut to) = case.direction.order(client, server);
    Box::new(move || {
        ready(from.send(Frame::text(messages.next().clone()))).expect("memory");
        black_box(ready(to.next_frame()).expect("legal frames"));
    })
}

fn yawc_pair(case: Case) -> Box<dyn Any> {
    use yawc::{Frame, Role};
    let (here, there) = Pipe::pair();
    let mut ends = [yawc_end(here, Role::Client, case), yawc_end(there, Role::Server, case)];
    let message = Bytes::from(messages(case.size).swap_remove(0));
    for _ in 0..2 {
        let [from, to] = &mut ends;
        ready(from.send(Frame::text(message.clone()))).expect("memory");
        ready(to.next_frame()).expect("legal frames");
        ends.reverse();
    }
    Box::new(ends)
}

// ---- sockudo-ws

const LIMIT: usize = 1 << 20;

/// Client and server.
fn sockudo_ends(case: Case) -> (CompressedProtocol, CompressedProtocol) {
    let config = DeflateConfig {
        server_no_context_takeover: !case.takeover,
        client_no_context_takeover: !case.takeover,
        compression_level: case.level as u32,
        compression_threshold: 0,
        ..DeflateConfig::default()
    };
    (
        CompressedProtocol::client(LIMIT, LIMIT, config.clone()),
        CompressedProtocol::server(LIMIT, LIMIT, config),
    )
}

fn sockudo_case(case: Case) -> Step {
    let (client, server) = sockudo_ends(case);
    let (mut from, mut to) = case.direction.order(client, server);
    let mut messages = Cycle::of(case.size, sockudo_ws::Message::text);
    let (mut wire, mut received) = (BytesMut::new(), Vec::new());
    Box::new(move || {
        wire.clear();
        from.encode_message(messages.next(), &mut wire).expect("open");
        if case.direction == Direction::Encode {
            black_box(&wire);
        } else {
            to.process_into(&mut wire, &mut received).expect("legal frames");
            assert_eq!(black_box(&received).len(), 1);
        }
    })
}

fn sockudo_pair(case: Case) -> Box<dyn Any> {
    let (client, server) = sockudo_ends(case);
    let mut ends = [client, server];
    let message = sockudo_ws::Message::text(messages(case.size).swap_remove(0));
    for _ in 0..2 {
        let [from, to] = &mut ends;
        let mut wire = BytesMut::new();
        from.encode_message(&message, &mut wire).expect("open");
        assert_eq!(to.process(&mut wire).expect("legal frames").len(), 1);
        ends.reverse();
    }
    Box::new(ends)
}

// ---- what they share

impl Direction {
    /// Who sends, and who receives.
    fn order<T>(self, client: T, server: T) -> (T, T) {
        match self {
            Self::FromClient => (client, server),
            Self::Encode | Self::FromServer => (server, client),
        }
    }
}

/// The messages, one after the other, without an end.
struct Cycle<T> {
    messages: Vec<T>,
    next: usize,
}

impl<T> Cycle<T> {
    fn of(size: usize, as_library_wants: impl FnMut(String) -> T) -> Self {
        Self { messages: messages(size).into_iter().map(as_library_wants).collect(), next: 0 }
    }

    fn next(&mut self) -> &T {
        self.next = (self.next + 1) % self.messages.len();
        &self.messages[self.next]
    }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the transport is never pending")
}
