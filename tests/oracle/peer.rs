//! A tungstenite connection with its stream in memory.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
};
use tungstenite::{
    Error, Message, WebSocket,
    protocol::{Role as OracleRole, WebSocketConfig},
};
use wscope::proto::Role;

/// The oracle on one end.
#[derive(Debug)]
pub(crate) struct Peer(WebSocket<Stream>);

/// What the oracle has not read, and what it has written.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) incoming: VecDeque<u8>,
    pub(crate) outgoing: Vec<u8>,
    ended: bool,
}

impl Peer {
    /// tungstenite with this limit on messages and frames, and else as strict as it can be.
    pub(crate) fn new(role: Role, limit: usize) -> Self {
        let role = match role {
            Role::Client => OracleRole::Client,
            Role::Server => OracleRole::Server,
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit))
            .accept_unmasked_frames(false);
        Self(WebSocket::from_raw_socket(Stream::default(), role, Some(config)))
    }

    /// The oracle after a handshake of its own.
    pub(crate) const fn after(socket: WebSocket<Stream>) -> Self {
        Self(socket)
    }

    /// Queues a message and gives the bytes that the oracle writes.
    pub(crate) fn send(&mut self, message: Message) -> Vec<u8> {
        self.0.send(message).expect("an open connection, and room in memory");
        self.written()
    }

    /// Gives bytes to the oracle: what it makes of them until it wants more, and the error that it ends with, if any.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> (Vec<Message>, Option<Error>) {
        self.0.get_mut().incoming.extend(bytes);
        let mut messages = Vec::new();
        loop {
            match self.0.read() {
                Ok(message) => messages.push(message),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return (messages, None);
                }
                Err(error) => return (messages, Some(error)),
            }
        }
    }

    /// The end of the stream.
    pub(crate) fn receive_eof(&mut self) -> Option<Error> {
        self.0.get_mut().ended = true;
        self.receive(&[]).1
    }

    /// What the oracle has written since the last call.
    pub(crate) fn written(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0.get_mut().outgoing)
    }
}

impl Stream {
    /// A stream on which these bytes have come.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { incoming: bytes.iter().copied().collect(), ..Self::default() }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.incoming.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
