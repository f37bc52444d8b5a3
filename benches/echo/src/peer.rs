//! A client connection of the generator: frames that were encoded beforehand go out, and what comes back is counted.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use native_tls::{TlsConnector, TlsStream};

/// One frame, masked, as often as a connection may have messages under way.
pub struct Frames {
    bytes: Vec<u8>,
    payload: usize,
    frame: usize,
}

impl Frames {
    pub fn new(payload: usize, depth: usize) -> Self {
        let mut frame = vec![FIN | BINARY];
        match payload {
            0..126 => frame.push(MASKED | payload as u8),
            126..0x1_0000 => {
                frame.push(MASKED | 126);
                frame.extend((payload as u16).to_be_bytes());
            }
            _ => {
                frame.push(MASKED | 127);
                frame.extend((payload as u64).to_be_bytes());
            }
        }
        frame.extend(KEY);
        frame.extend((0..payload).map(|at| byte(at) ^ KEY[at % 4]));
        Self { bytes: frame.repeat(depth), payload, frame: frame.len() }
    }
}

/// What a payload holds at `at`.
fn byte(at: usize) -> u8 {
    (at % 251) as u8
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref(),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }
}

pub struct Peer {
    stream: Stream,
    /// Bytes of frames that are still to be sent, and how much of the frame under way is out.
    owed: usize,
    sent: usize,
    /// Answers to pings, which go out between two frames.
    pongs: Vec<u8>,
    incoming: Incoming,
    /// When messages were sent that have not come back, and how many at a time.
    under_way: VecDeque<(Instant, usize)>,
    /// Whether epoll was asked about writing.
    pub watched_for_room: bool,
}

impl Peer {
    /// Opens so many WebSockets, some at a time: the server is busy, and does not sleep between two.
    pub fn open(port: u16, tls: bool, count: usize) -> io::Result<Vec<Self>> {
        let mut peers = Vec::with_capacity(count);
        while peers.len() < count {
            let begin = peers.len();
            for _ in begin..count.min(begin + AT_A_TIME) {
                peers.push(Self::ask(port, tls)?);
            }
            peers[begin..].iter_mut().try_for_each(Self::see_answer)?;
        }
        Ok(peers)
    }

    /// Connects, and asks for a WebSocket.
    fn ask(port: u16, tls: bool) -> io::Result<Self> {
        let socket = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut stream = if tls {
            let trusting = TlsConnector::builder().danger_accept_invalid_certs(true).build();
            let connector = trusting.map_err(io::Error::other)?;
            Stream::Tls(Box::new(connector.connect("localhost", socket).map_err(io::Error::other)?))
        } else {
            Stream::Plain(socket)
        };
        let mut request: &[u8] = REQUEST;
        while !request.is_empty() {
            let written = stream.write(request)?;
            request = &request[written..];
        }
        Ok(Self {
            stream,
            owed: 0,
            sent: 0,
            pongs: Vec::new(),
            incoming: Incoming::default(),
            under_way: VecDeque::new(),
            watched_for_room: false,
        })
    }

    /// Waits until the server has let it in.
    fn see_answer(&mut self) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut piece = [0; 1024];
            let count = self.stream.read(&mut piece)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            head.extend_from_slice(&piece[..count]);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(io::Error::other("no 101"));
        }
        self.stream.socket().set_nonblocking(true)
    }

    /// Sends one message, and waits until it has come back: as it was, or this is an error.
    pub fn try_echo(&mut self, frames: &Frames, buffer: &mut [u8]) -> io::Result<()> {
        self.stream.socket().set_nonblocking(false)?;
        self.send(1, Instant::now(), frames)?;
        let mut back = Vec::new();
        let (header, payload) = loop {
            let count = self.stream.read(buffer)?;
            back.extend_from_slice(&buffer[..count]);
            match parse(&back) {
                Some((header, payload)) if back.len() >= header + payload => break (header, payload),
                _ if count == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        };
        // A server without WebSocket sends back the frame, with its mask.
        let key = if back[1] & MASKED == 0 { [0; 4] } else { KEY };
        let same = |(at, &sent): (usize, &u8)| sent ^ key[at % 4] == byte(at);
        if payload != frames.payload || !back[header..].iter().enumerate().all(same) {
            return Err(io::Error::other("what came back is not what was sent"));
        }
        self.stream.socket().set_nonblocking(true)?;
        self.under_way.clear();
        Ok(())
    }

    /// Sends `count` more messages, as far as the socket takes them; they were due at `due`.
    pub fn send(&mut self, count: usize, due: Instant, frames: &Frames) -> io::Result<()> {
        self.under_way.push_back((due, count));
        self.owed += count * frames.frame;
        self.write(frames)
    }

    /// Writes what is owed, as far as the socket takes it.
    pub fn write(&mut self, frames: &Frames) -> io::Result<()> {
        loop {
            let pong = self.sent == 0 && !self.pongs.is_empty();
            let bytes = if pong {
                &self.pongs
            } else {
                &frames.bytes[self.sent..frames.bytes.len().min(self.sent + self.owed)]
            };
            if bytes.is_empty() {
                return Ok(());
            }
            match self.stream.write(bytes) {
                Ok(written) if pong => drop(self.pongs.drain(..written)),
                Ok(written) => {
                    self.owed -= written;
                    self.sent = (self.sent + written) % frames.frame;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads what is there. Says how many messages have come back, and gives their delays.
    pub fn read(&mut self, buffer: &mut [u8], delays: &mut Vec<(Duration, usize)>) -> io::Result<usize> {
        let mut echoes = 0;
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            echoes += self.incoming.count(&buffer[..count], &mut self.pongs);
            if count < buffer.len() && matches!(self.stream, Stream::Plain(_)) {
                break;
            }
        }
        self.arrived(echoes, delays);
        Ok(echoes)
    }

    fn arrived(&mut self, mut echoes: usize, delays: &mut Vec<(Duration, usize)>) {
        let now = Instant::now();
        while echoes > 0
            && let Some((due, waiting)) = self.under_way.front_mut()
        {
            let back = echoes.min(*waiting);
            delays.push((now.saturating_duration_since(*due), back));
            echoes -= back;
            *waiting -= back;
            if *waiting == 0 {
                self.under_way.pop_front();
            }
        }
    }

    /// Whether it waits for room in the socket.
    pub fn wants_room(&self) -> bool {
        self.owed > 0 || !self.pongs.is_empty()
    }

    /// Whether all has come back.
    pub fn is_quiet(&self) -> bool {
        self.under_way.is_empty()
    }
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.socket().as_fd()
    }
}

/// Where one frame ends and the next begins.
#[derive(Default)]
struct Incoming {
    /// Of a frame whose header is not complete.
    begun: Vec<u8>,
    first: u8,
    /// Of the payload, so much is to come.
    left: usize,
    ping: Vec<u8>,
}

impl Incoming {
    /// Says how many messages end in `bytes`, and answers the pings among them.
    fn count(&mut self, mut bytes: &[u8], pongs: &mut Vec<u8>) -> usize {
        let mut messages = 0;
        while !bytes.is_empty() {
            if self.left == 0 && !self.begin(&mut bytes) {
                break;
            }
            let (here, rest) = bytes.split_at(self.left.min(bytes.len()));
            self.left -= here.len();
            bytes = rest;
            let opcode = self.first & 0x0F;
            if opcode == PING {
                self.ping.extend_from_slice(here);
            }
            if self.left > 0 {
                break;
            }
            messages += usize::from(self.first & FIN != 0 && opcode < CLOSE);
            if opcode == PING {
                pongs.extend([PONG | FIN, MASKED | self.ping.len() as u8, 0, 0, 0, 0]); // zeros mask nothing
                pongs.append(&mut self.ping);
            }
        }
        messages
    }

    /// Takes the header of the next frame. False: it is not complete, and all bytes are taken.
    fn begin(&mut self, bytes: &mut &[u8]) -> bool {
        let whole = if self.begun.is_empty() { parse(bytes) } else { None };
        let (first, header, payload) = match whole {
            Some((header, payload)) => (bytes[0], header, payload),
            None => {
                let before = self.begun.len();
                self.begun.extend_from_slice(&bytes[..bytes.len().min(14 - before)]);
                let Some((header, payload)) = parse(&self.begun) else {
                    *bytes = &[];
                    return false;
                };
                let first = self.begun[0];
                self.begun.clear();
                (first, header - before, payload)
            }
        };
        *bytes = &bytes[header..];
        (self.first, self.left) = (first, payload);
        true
    }
}

/// Lengths of header and payload, once the header is there.
fn parse(bytes: &[u8]) -> Option<(usize, usize)> {
    let second = *bytes.get(1)?;
    let key = if second & MASKED == 0 { 0 } else { KEY.len() };
    let (header, payload) = match second & !MASKED {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        short => (2, usize::from(short)),
    };
    (bytes.len() >= header + key).then_some((header + key, payload))
}

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// Connections that are opened together.
const AT_A_TIME: usize = 50;

/// How long an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
