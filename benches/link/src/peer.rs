//! A tenant that does no more than it must: frames out, and of what comes in only what has to be answered.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use serde_json::{Value, json};

/// How long a server may say nothing.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One connection, with one agent once it is registered.
pub struct Peer {
    socket: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    /// The id of its agent.
    pub agent: String,
}

impl Peer {
    pub fn open(port: u16) -> io::Result<Self> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.write_all(OPENING)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte)?;
            head.extend(byte);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(io::Error::other("no 101"));
        }
        Ok(Self { socket, input: Vec::new(), output: Vec::new(), written: 0, agent: String::new() })
    }

    /// From now on nobody waits here but in epoll.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }

    // ---- one thing after the other

    /// Sends a text, and waits until it has left.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        encode(text.as_bytes(), &mut self.output);
        self.flush().map(drop)
    }

    /// Waits for the next text. Pings go unanswered: no run is long enough for that to matter.
    pub fn hear(&mut self) -> io::Result<String> {
        loop {
            if let Some((begin, end)) = frame(&self.input) {
                let is_text = self.input[0] == TEXT;
                let text = String::from_utf8_lossy(&self.input[begin..end]).into_owned();
                self.input.drain(..end);
                if is_text {
                    return Ok(text);
                }
                continue;
            }
            let mut piece = [0; 65_536];
            match self.socket.read(&mut piece)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => self.input.extend_from_slice(&piece[..count]),
            }
        }
    }

    /// Waits for the next delivery. What else comes is passed over.
    pub fn notified(&mut self) -> io::Result<Value> {
        loop {
            let text = self.hear()?;
            if is_notify(text.as_bytes()) {
                return Ok(serde_json::from_str(&text)?);
            }
        }
    }

    /// Asks without waiting.
    pub fn ask(&mut self, op: &str, params: &Value) -> io::Result<()> {
        self.say(&request(op, params))
    }

    /// Waits for an answer. Deliveries that come before it are passed over.
    pub fn answer(&mut self) -> io::Result<Value> {
        loop {
            let text = self.hear()?;
            if is_notify(text.as_bytes()) {
                continue;
            }
            let mut response: Value = serde_json::from_str(&text)?;
            if response["ok"] != json!(true) {
                return Err(io::Error::other(text));
            }
            return Ok(response["result"].take());
        }
    }

    /// An agent whose inbox has no limit: AG2's empties it for nobody who only listens.
    pub fn register(&mut self, name: &str) -> io::Result<()> {
        let rule = json!({"limits": {"inbox": {"max_pending": 0}}});
        let passport = json!({"name": name});
        self.ask("register", &json!({"passport": passport, "resume": {}, "rule": rule}))?;
        self.agent = self.answer()?["agent_id"].as_str().unwrap_or_default().to_owned();
        Ok(())
    }

    pub fn post(&self, channel: &str, event: &str, data: &Value) -> String {
        let envelope = json!({
            "channel_id": channel, "sender_id": self.agent, "audience": null, "event_type": event,
            "event_data": data, "envelope_id": "", "task_id": null, "causation_id": null, "trace_id": null,
            "priority": "normal", "depth": 0, "idempotency_key": null, "created_at": "", "ttl_seconds": null,
        });
        request("post_envelope", &json!({"envelope": envelope}))
    }

    // ---- many things at once

    /// Puts a frame behind what is to be sent.
    pub fn queue(&mut self, frame: &[u8]) {
        self.output.extend_from_slice(frame);
    }

    /// Sends what there is room for. Whether all has left.
    pub fn flush(&mut self) -> io::Result<bool> {
        while self.written < self.output.len() {
            match self.socket.write(&self.output[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(true)
    }

    /// Reads once, and acknowledges the deliveries for `channel`. How many those were, and how many other texts.
    pub fn turn(&mut self, channel: &str, buffer: &mut [u8]) -> io::Result<(usize, usize)> {
        match self.socket.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.input.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok((0, 0)),
            Err(error) => return Err(error),
        }
        let (mut notified, mut others, mut done) = (0, 0, 0);
        while let Some((begin, end)) = frame(&self.input[done..]) {
            let text = &self.input[done + begin..done + end];
            let is_text = self.input[done] == TEXT;
            done += end;
            if !is_notify(text) {
                others += usize::from(is_text);
                continue;
            }
            notified += 1;
            let envelope = text.windows(ENVELOPE_ID.len()).position(|window| window == ENVELOPE_ID);
            let id = envelope.and_then(|at| text.get(at + ENVELOPE_ID.len()..at + ENVELOPE_ID.len() + 32));
            let id = str::from_utf8(id.unwrap_or_default()).unwrap_or_default();
            let receipt = format!(
                r#"{{"envelope_id": "{id}", "status": "ack", "recipient_id": "{}", "channel_id": "{channel}", "reason": "", "kind": "receipt"}}"#,
                self.agent
            );
            encode(receipt.as_bytes(), &mut self.output);
        }
        self.input.drain(..done);
        Ok((notified, others))
    }
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// As AG2's client writes it.
pub fn request(op: &str, params: &Value) -> String {
    format!(
        r#"{{"request_id": "18e9fbf1a3647841015dbc7c723c78ad", "op": "{op}", "params": {params}, "kind": "request"}}"#
    )
}

/// A masked frame of text.
pub fn encode(text: &[u8], output: &mut Vec<u8>) {
    output.push(TEXT);
    match text.len() {
        length @ 0..126 => output.push(0x80 | length as u8),
        length @ 126..0x1_0000 => {
            output.push(0x80 | 126);
            output.extend((length as u16).to_be_bytes());
        }
        length => {
            output.push(0x80 | 127);
            output.extend((length as u64).to_be_bytes());
        }
    }
    output.extend(KEY);
    output.extend(text.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// Where the payload of the first frame begins and ends, if all of it is there.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let (begin, length) = match bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
        length => (2, usize::from(*length)),
    };
    (bytes.len() >= begin + length).then_some((begin, begin + length))
}

fn is_notify(text: &[u8]) -> bool {
    text.ends_with(br#""kind": "notify"}"#)
}

const OPENING: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ENVELOPE_ID: &[u8] = br#""envelope_id": ""#;
/// The first byte of a text in one frame.
const TEXT: u8 = 0x81;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
