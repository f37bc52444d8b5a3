//! Frames by hand, and engines that read them: what the other files are written with.

#[allow(dead_code, unreachable_pub, reason = "the bodies of the fuzz targets use the rest of it")]
#[path = "../fuzz/wire.rs"]
mod plain;

pub(crate) use plain::{BINARY, CLOSE, CONTINUATION, FixedKey, PING, PONG, TEXT};

use plain::{Frame, LengthForm};
use wscope::proto::{Config, Connection, Decoder, Event, Failed, ProtocolError, Role};

pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;
pub(crate) const RSV3: u8 = 0x10;

/// One frame as `sender` puts it on the wire: its first byte as given, masked if it is the client's.
pub(crate) fn frame(sender: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    plain_frame(sender, first, payload).bytes()
}

/// The header of such a frame, whatever comes after it.
pub(crate) fn header(sender: Role, first: u8, len: u64) -> Vec<u8> {
    plain_frame(sender, first, b"").header(len, LengthForm::Shortest)
}

fn plain_frame(sender: Role, first: u8, payload: &[u8]) -> Frame {
    Frame { fin: first & FIN != 0, rsv: first >> 4 & 7, ..Frame::new(sender, first & 0xF, payload) }
}

/// An open connection with a fixed key.
pub(crate) fn open(role: Role, config: Config) -> Connection {
    plain::open(role, config, None)
}

/// Feeds `bytes` at once and takes all events; after an error those before it are lost.
pub(crate) fn receive(connection: &mut Connection, bytes: &[u8]) -> Result<Vec<Event>, Failed> {
    let mut bytes = bytes.to_vec();
    let mut input = &mut bytes[..];
    let mut events = Vec::new();
    while let Some(event) = connection.receive(&mut input)? {
        events.push(event);
    }
    assert!(input.is_empty(), "an engine that wants more has used everything");
    Ok(events)
}

/// As [`receive`], for a decoder alone.
pub(crate) fn decode(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Event>, ProtocolError> {
    let mut bytes = bytes.to_vec();
    let mut input = &mut bytes[..];
    let mut events = Vec::new();
    while let Some(event) = decoder.decode(&mut input)? {
        events.push(event);
    }
    assert!(input.is_empty(), "a decoder that wants more has used everything");
    Ok(events)
}

/// What the engine writes of its own accord.
pub(crate) fn transmitted(connection: &mut Connection) -> Vec<u8> {
    let mut out = Vec::new();
    connection.transmit(&mut out);
    assert!(!connection.wants_transmit());
    out
}
