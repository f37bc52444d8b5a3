//! Frames by hand, and engines that read them: what the other files are written with.

use wscope::proto::{Config, Connection, Decoder, Event, Failed, ProtocolError, RandomSource, Role};

pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// The masking key of every frame made here.
pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// A random source that always gives [`KEY`].
#[derive(Debug)]
pub(crate) struct FixedKey;

impl RandomSource for FixedKey {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&KEY[..bytes.len()]);
    }
}

/// One frame as `sender` puts it on the wire: its first byte as given, masked if it is the client's.
pub(crate) fn frame(sender: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut wire = header(sender, first, payload.len() as u64);
    match sender {
        Role::Server => wire.extend_from_slice(payload),
        Role::Client => wire.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ KEY[at % 4])),
    }
    wire
}

/// The header of such a frame, whatever comes after it.
pub(crate) fn header(sender: Role, first: u8, len: u64) -> Vec<u8> {
    let mask = if sender == Role::Client { 0x80 } else { 0 };
    let mut wire = match len {
        0..126 => vec![first, mask | len as u8],
        126..65_536 => [&[first, mask | 126][..], &(len as u16).to_be_bytes()].concat(),
        65_536.. => [&[first, mask | 127][..], &len.to_be_bytes()].concat(),
    };
    if sender == Role::Client {
        wire.extend_from_slice(&KEY);
    }
    wire
}

/// An open connection with a fixed key.
pub(crate) fn open(role: Role, config: Config) -> Connection {
    Connection::new(role, config).with_random(Box::new(FixedKey))
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
