//! Two engines on a lossless pipe that is cut anywhere: what one sends the other receives, equal and in order.

use super::{
    Choices,
    invert::Invert,
    trace::feed,
    wire::{Written, open},
};
use std::collections::VecDeque;
use wscope::proto::{
    CloseCode, CloseConnection, CloseReason, Config, Connection, ConnectionState, Event, LocalError, Message,
    MessageDelivery, Piece, Ping, Role,
};

/// Input: an extension or none, a delivery for each end, then what is sent and how many bytes move until it ends.
pub fn pipe(input: &[u8]) {
    let mut choices = Choices::new(input);
    let extended = choices.flag();
    let mut ends = [Role::Client, Role::Server].map(|role| End::new(role, extended, &mut choices));
    while !choices.is_empty() {
        let from = usize::from(choices.flag());
        match choices.byte() % 8 {
            0 | 1 => ends[from].send_message(&mut choices),
            2 | 3 => ends[from].send_piece(&mut choices),
            4 => ends[from].ping(&mut choices),
            5 => ends[from].transmit(),
            _ => {
                let len = choices.number();
                transfer(&mut ends, from, len);
            }
        }
    }
    settle(&mut ends);
    close(&mut ends, &mut Choices::new(input));
}

/// One end of the pipe, and what is under way from it.
struct End {
    role: Role,
    connection: Connection,
    written: Written,
    /// Bytes that the other end has not received.
    wire: VecDeque<u8>,
    /// Messages that the other end has not received.
    messages: VecDeque<Message>,
    /// The message that this end is sending in pieces.
    sending: Option<Message>,
    /// The message that this end is receiving in pieces.
    receiving: Option<Message>,
    sent_pings: u32,
    /// Pings that the other end has not received.
    pings: VecDeque<Ping>,
    /// Pings that the other end has received; it may answer each of them, and answers the last.
    unanswered: VecDeque<Ping>,
}

impl End {
    fn new(role: Role, extended: bool, choices: &mut Choices<'_>) -> Self {
        let delivery = choices.one_of([MessageDelivery::Whole, MessageDelivery::Pieces]);
        let config = Config::new().delivery(delivery).max_message_size(usize::MAX);
        let transforms = extended.then(Invert::transforms);
        Self {
            role,
            connection: open(role, config, transforms),
            written: Written::with_extension(extended),
            wire: VecDeque::new(),
            messages: VecDeque::new(),
            sending: None,
            receiving: None,
            sent_pings: 0,
            pings: VecDeque::new(),
            unanswered: VecDeque::new(),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.written.judge(self.role, bytes);
        self.wire.extend(bytes);
    }

    fn send(&mut self, event: impl Into<Event>) {
        let mut out = Vec::new();
        self.connection.send(event, &mut out).expect("what is sent here is always allowed");
        self.write(&out);
    }

    fn send_message(&mut self, choices: &mut Choices<'_>) {
        let message = message(choices);
        match &self.sending {
            None => {
                self.send(Event::Message(message.clone()));
                self.messages.push_back(message);
            }
            Some(unfinished) => {
                let (unfinished, mut out) = (unfinished.kind(), Vec::new());
                let sent = message.kind();
                let refused = self.connection.send(Event::Message(message), &mut out);
                assert_eq!(
                    (refused, out),
                    (Err(LocalError::MessageUnfinished { unfinished, sent }), Vec::new())
                );
            }
        }
    }

    /// The next piece of the message under way, or the first one of another.
    fn send_piece(&mut self, choices: &mut Choices<'_>) {
        let last = choices.flag();
        let data = match (&self.sending, message(choices)) {
            (Some(Message::Text(_)), Message::Binary(_)) => "ü€".into(),
            (Some(Message::Binary(_)), Message::Text(text)) => text.as_bytes().into(),
            (_, data) => data,
        };
        let sending = join(self.sending.take(), &data);
        self.send(if last { Piece::last(data) } else { Piece::more(data) });
        if last {
            self.messages.push_back(sending);
        } else {
            self.sending = Some(sending);
        }
    }

    /// A ping that is like no other.
    fn ping(&mut self, choices: &mut Choices<'_>) {
        let len = usize::from(choices.byte() % 122);
        self.sent_pings += 1;
        let payload = [&self.sent_pings.to_be_bytes(), choices.bytes(len)].concat();
        let ping = Ping::new(&payload).expect("at most 4 + 121 bytes");
        self.send(ping.clone());
        self.pings.push_back(ping);
    }

    fn transmit(&mut self) {
        let mut out = Vec::new();
        self.connection.transmit(&mut out);
        self.write(&out);
    }

    /// Compares an event with what the other end sent.
    fn received(&mut self, event: Event, from: &mut Self) {
        match event {
            Event::Message(message) => assert_eq!(Some(message), from.messages.pop_front()),
            Event::Piece(piece) => {
                let message = join(self.receiving.take(), &piece.data);
                if piece.message_finished {
                    assert_eq!(Some(message), from.messages.pop_front());
                } else {
                    self.receiving = Some(message);
                }
            }
            Event::Ping(ping) => {
                assert_eq!(Some(&ping), from.pings.pop_front().as_ref());
                from.unanswered.push_back(ping);
            }
            Event::Pong(pong) => {
                while self.unanswered.pop_front().expect("a pong answers a ping").response() != pong {}
            }
            Event::CloseConnection(_) => {}
            other => panic!("nobody sent {other:?}"),
        }
    }
}

/// Moves at most `len` bytes from one end to the other.
fn transfer(ends: &mut [End; 2], from: usize, len: usize) {
    let [client, server] = ends;
    let (from, to) = if from == 0 { (client, server) } else { (server, client) };
    let len = len.min(from.wire.len());
    let chunk: Vec<u8> = from.wire.drain(..len).collect();
    let mut events = Vec::new();
    feed(&mut to.connection, &chunk, |event| events.push(event));
    for event in events {
        to.received(event, from);
    }
    assert_eq!((from.connection.failed(), to.connection.failed()), (None, None));
}

/// Finishes what is unfinished and moves all that is under way: then everything has arrived.
fn settle(ends: &mut [End; 2]) {
    for end in ends.iter_mut() {
        if let Some(message) = end.sending.take() {
            let empty: Message = if message.as_text().is_some() { "".into() } else { Vec::new().into() };
            end.send(Piece::last(empty));
            end.messages.push_back(message);
        }
    }
    drain(ends);
    for end in ends {
        assert_eq!((end.messages.len(), end.pings.len(), &end.receiving), (0, 0, &None));
        assert_eq!(end.unanswered.len(), 0, "the last ping is always answered");
    }
}

fn drain(ends: &mut [End; 2]) {
    loop {
        ends.iter_mut().for_each(End::transmit);
        if ends.iter().all(|end| end.wire.is_empty()) {
            return;
        }
        transfer(ends, 0, usize::MAX);
        transfer(ends, 1, usize::MAX);
    }
}

/// One end closes, or both do: then both are closed and agree about it.
fn close(ends: &mut [End; 2], choices: &mut Choices<'_>) {
    let first = usize::from(choices.flag());
    let close = CloseConnection::new(CloseReason::truncated(CloseCode::NORMAL_CLOSURE, "done"));
    ends[first].send(close.clone());
    if choices.flag() {
        ends[1 - first].send(CloseConnection::empty());
    }
    drain(ends);
    for end in ends.iter_mut() {
        assert_eq!(end.connection.state(), ConnectionState::Closed);
        assert_eq!(end.connection.receive_eof(), Ok(()));
    }
    let [client, server] = [0, 1].map(|end| ends[end].connection.close_frames());
    assert_eq!((&client.sent, &client.received), (&server.received, &server.sent));
    assert_eq!(ends[first].connection.close_frames().sent, Some(close.reason));
}

/// Up to 64 KiB of text or bytes, but most are short.
fn message(choices: &mut Choices<'_>) -> Message {
    let (text, len) = (choices.flag(), choices.number());
    let seed = choices.byte();
    let len = len >> (seed % 16);
    if text {
        ["a", "ü", "€", "🦀"][usize::from(seed % 4)].repeat(len / 4).into()
    } else {
        (0..len).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect::<Vec<u8>>().into()
    }
}

/// A message and what comes after it.
fn join(message: Option<Message>, data: &Message) -> Message {
    match (message, data) {
        (None, data) => data.clone(),
        (Some(Message::Text(text)), Message::Text(data)) => format!("{text}{data}").into(),
        (Some(Message::Binary(bytes)), Message::Binary(data)) => [&bytes[..], data].concat().into(),
        (Some(message), data) => panic!("{data:?} inside {message:?}"),
    }
}
