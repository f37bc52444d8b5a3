//! The other end: a blocking socket, moved by hand, that waits for nothing longer than [`PATIENCE`].

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use socket2::SockRef;
use wscope::proto::Role;

/// What takes longer hangs, on a machine that is busy, too. Below the limits that are defaults, and far above those that are set here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// One end of a TCP connection. As a client its frames are masked.
pub(crate) struct Attacker {
    stream: TcpStream,
    role: Role,
}

impl Attacker {
    /// Connected to a server of ours, and nothing said.
    pub(crate) fn connect(port: u16) -> Self {
        Self::new(TcpStream::connect(("127.0.0.1", port)).unwrap(), Role::Client)
    }

    /// A server at which a client of ours has connected.
    pub(crate) fn accept(listener: &TcpListener) -> Self {
        Self::new(listener.accept().unwrap().0, Role::Server)
    }

    fn new(stream: TcpStream, role: Role) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, role }
    }

    /// After the opening handshake, with the given path if it is the client.
    pub(crate) fn shaken(mut self, path: &str) -> Self {
        match self.role {
            Role::Client => {
                self.send(REQUEST.replace("GET / ", &format!("GET {path} ")));
                let head = self.head();
                assert_eq!(status(&head), Some(101), "{head}");
            }
            Role::Server => {
                let request = self.head();
                self.send(acceptance(&request));
            }
        }
        self
    }

    // ---- sending

    /// Sends what the victim has to take.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends what the victim need not take: it may have gone.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends `bytes` again and again, up to so many in all, and says how many were taken before the victim went away, or took nothing
    /// for `patience`.
    pub(crate) fn flood(&mut self, bytes: &[u8], most: usize, patience: Duration) -> usize {
        self.stream.set_write_timeout(Some(patience)).unwrap();
        let mut sent = 0;
        while sent < most {
            match self.stream.write(bytes) {
                Ok(count) => sent += count,
                Err(_) => break,
            }
        }
        self.stream.set_write_timeout(Some(PATIENCE)).unwrap();
        sent
    }

    /// A frame, masked if it has to be: the first byte as it is, the length in its shortest form.
    pub(crate) fn frame(&self, first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
        frame(self.role, first, payload.as_ref())
    }

    /// Sends such a frame.
    pub(crate) fn send_frame(&mut self, first: u8, payload: impl AsRef<[u8]>) {
        let frame = self.frame(first, payload);
        self.send(frame);
    }

    /// Ends the sending direction.
    pub(crate) fn half_close(&self) {
        let _ = self.stream.shutdown(Shutdown::Write); // the victim may have gone
    }

    /// Goes with a reset.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    // ---- receiving

    /// Whether what comes begins like this.
    pub(crate) fn hears(&mut self, bytes: &[u8]) -> bool {
        let mut came = vec![0; bytes.len()];
        self.stream.read_exact(&mut came).is_ok() && came == bytes
    }

    /// What comes up to the end of the stream, or to a reset.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "after {} bytes", bytes.len())
            }
        }
        bytes
    }

    /// The same, of a victim that may not answer with a reset: it would destroy what it has said.
    pub(crate) fn rest_without_reset(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// The status of a refusal, after which the stream has ended.
    pub(crate) fn refusal(&mut self) -> Option<u16> {
        let rest = self.rest();
        status(&String::from_utf8_lossy(&rest))
    }

    /// A head, and nothing of what follows.
    pub(crate) fn head(&mut self) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(self.stream.read(&mut byte).unwrap(), 1, "the stream ended inside a head: {bytes:?}");
            bytes.extend(byte);
        }
        String::from_utf8(bytes).unwrap()
    }

    /// The next frame: its first byte and its payload. `None` at the end of the stream.
    pub(crate) fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        if self.stream.read_exact(&mut head).is_err() {
            return None;
        }
        let len = match head[1] & 0x7F {
            126 => u16::from_be_bytes(self.array()).into(),
            127 => u64::from_be_bytes(self.array()),
            short => short.into(),
        };
        let mask: [u8; 4] = if head[1] & 0x80 == 0 { [0; 4] } else { self.array() };
        let mut payload = vec![0; usize::try_from(len).unwrap()];
        self.stream.read_exact(&mut payload).unwrap();
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        Some((head[0], payload))
    }

    /// The next frame of a client, which has a payload of `len` bytes: its key, and the payload as it is on the wire.
    pub(crate) fn receive_masked(&mut self, len: usize) -> ([u8; 4], Vec<u8>) {
        let [_, second] = self.array();
        assert_eq!(usize::from(second), 0x80 | len);
        let (key, mut payload) = (self.array(), vec![0; len]);
        self.stream.read_exact(&mut payload).unwrap();
        (key, payload)
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// The code of the close frame that comes sooner or later; 1005 if it has none, `None` if none comes.
    pub(crate) fn close_code(&mut self) -> Option<u16> {
        let began = Instant::now();
        while let Some((first, payload)) = self.receive() {
            if first == CLOSE {
                return Some(payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]])));
            }
            assert!(began.elapsed() < PATIENCE, "no close frame");
        }
        None
    }

    /// Whether nothing comes for so long.
    pub(crate) fn hears_nothing(&mut self, while_waiting: Duration) -> bool {
        self.stream.set_read_timeout(Some(while_waiting)).unwrap();
        let nothing = matches!(
            self.stream.peek(&mut [0]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
        );
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        nothing
    }
}

/// A frame of an end in the role `role`. The key is no zero, so that what is not unmasked does not look right.
pub(crate) fn frame(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let masked = if role == Role::Client { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        len @ ..126 => frame.push(masked | len as u8),
        len @ ..65_536 => {
            frame.push(masked | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(masked | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    if role == Role::Client {
        frame.extend(KEY);
        frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        frame.extend(payload);
    }
    frame
}

/// The answer that accepts `request`.
pub(crate) fn acceptance(request: &str) -> String {
    let key = request.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key").then_some(value)
    });
    let accept = tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// The status with which an answer begins; `None` if it is none.
pub(crate) fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

pub(crate) const REQUEST: &str = "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// First bytes of frames, whole.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8A;
// First bytes of fragments.
pub(crate) const TEXT_BEGUN: u8 = 0x01;
pub(crate) const BINARY_BEGUN: u8 = 0x02;
pub(crate) const CONTINUED: u8 = 0x00;
pub(crate) const CONTINUED_LAST: u8 = 0x80;
/// RSV1: compressed.
#[cfg(feature = "deflate")]
pub(crate) const RSV1: u8 = 0x40;

const KEY: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
