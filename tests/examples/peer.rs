//! A client made of bytes: what it sends and sees is what stands on the wire, and no code under test is between.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

use super::program::LIMIT;

pub(crate) struct Peer(TcpStream);

/// A response, until the empty line.
#[derive(Debug)]
pub(crate) struct Head(String);

/// A frame of a server (RFC 6455 §5.2).
#[derive(Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

impl Peer {
    /// Sends a request for `target` with further `headers`, each with its line end, and does not wait for an answer.
    pub(crate) fn ask(port: u16, target: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Self(stream)
    }

    /// The same, and the server lets us in.
    pub(crate) fn enter(port: u16, target: &str, headers: &str) -> (Self, Head) {
        let mut peer = Self::ask(port, target, headers);
        let head = peer.head();
        assert_eq!(head.status(), "101");
        assert_eq!(head.header("Sec-WebSocket-Accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        (peer, head)
    }

    /// The head of the response, and no byte more.
    pub(crate) fn head(&mut self) -> Head {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        Head(String::from_utf8(head).unwrap())
    }

    /// What is left of the stream.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        rest
    }

    /// A whole frame, under the mask that changes nothing.
    pub(crate) fn send(&mut self, first: u8, payload: impl AsRef<[u8]>) {
        let payload = payload.as_ref();
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..=125 => frame.push(0x80 | u8::try_from(len).unwrap()),
            len => {
                frame.push(0x80 | 127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        if matches!(payload.len(), 126..=0xffff) {
            frame.truncate(1);
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.0.write_all(&frame).unwrap();
    }

    pub(crate) fn frame(&mut self) -> Frame {
        let mut header = [0; 2];
        self.0.read_exact(&mut header).unwrap();
        let len = match header[1] {
            126 => u64::from(u16::from_be_bytes(self.bytes())),
            127 => u64::from_be_bytes(self.bytes()),
            len => u64::from(len),
        };
        let mut payload = vec![0; usize::try_from(len).unwrap()];
        self.0.read_exact(&mut payload).unwrap();
        Frame { first: header[0], payload }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn expect(&mut self, first: u8, payload: impl AsRef<[u8]>) {
        assert_eq!(self.frame(), Frame { first, payload: payload.as_ref().to_vec() });
    }

    /// The server closes with `code` and `reason`; answers, and sees the end of the stream.
    pub(crate) fn expect_close(mut self, code: u16, reason: &str) {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        self.expect(CLOSE, &payload);
        self.send(CLOSE, &payload);
        assert_eq!(self.rest(), b"");
    }

    /// What is sent comes back.
    pub(crate) fn expect_echo(&mut self) {
        for (first, payload) in [(TEXT, "Grüße".as_bytes()), (BINARY, &[0, 255]), (TEXT, b"")] {
            self.send(first, payload);
            self.expect(first, payload);
        }
    }

    /// Nothing has come so far.
    pub(crate) fn expect_silence(&self) {
        self.0.set_nonblocking(true).unwrap();
        let peeked = self.0.peek(&mut [0]);
        self.0.set_nonblocking(false).unwrap();
        assert_eq!(peeked.unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    /// The stream ends, by its end or by a reset, and no frame comes before that.
    pub(crate) fn expect_cut(mut self) {
        match self.0.read(&mut [0]) {
            Ok(count) => assert_eq!(count, 0),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

impl Head {
    pub(crate) fn status(&self) -> &str {
        self.0.split(' ').nth(1).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.0.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}
