//! Any calls in any order, between any bytes of the peer: what a connection never does.

use super::{
    Choices,
    trace::feed,
    wire::{self, FixedKey, Frame, Written},
};
use wscope::proto::{
    CloseCode, CloseConnection, CloseFrames, CloseReason, Config, Connection, ConnectionState, Event, Failed,
    LocalError, MessageDelivery, Piece, Ping, Pong, Role,
};

/// Input: the role and a configuration, then calls until it ends.
pub fn state_machine(input: &[u8]) {
    let mut choices = Choices::new(input);
    let mut machine = Machine::new(&mut choices);
    while !choices.is_empty() {
        machine.call(&mut choices);
        machine.check();
    }
    machine.end();
}

/// A connection, and what is known of it from outside.
struct Machine {
    connection: Connection,
    role: Role,
    written: Written,
    before: Seen,
}

/// What may only ever move forward.
#[derive(Clone, Debug)]
struct Seen {
    state: ConnectionState,
    failed: Option<Failed>,
    close_frames: CloseFrames,
}

impl Seen {
    fn of(connection: &Connection) -> Self {
        Self {
            state: connection.state(),
            failed: connection.failed(),
            close_frames: connection.close_frames().clone(),
        }
    }
}

impl Machine {
    fn new(choices: &mut Choices<'_>) -> Self {
        let role = choices.one_of([Role::Client, Role::Server]);
        let config = Config::new()
            .delivery(choices.one_of([MessageDelivery::Whole, MessageDelivery::Pieces]))
            .answer_pings(!choices.flag())
            .answer_close(!choices.flag())
            .max_message_size(choices.one_of([1 << 20, 0, 100, 70_000]))
            .max_fragments(choices.one_of([131_072, 3]))
            .max_empty_fragments(choices.one_of([1024, 1]));
        let connection = Connection::new(role, config).with_random(Box::new(FixedKey));
        assert_eq!(connection.state(), ConnectionState::Open);
        let before = Seen::of(&connection);
        Self { connection, role, written: Written::default(), before }
    }

    /// One call.
    fn call(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() % 16 {
            0 => self.receive_frame(choices),
            1 => self.receive_close(choices),
            2 => {
                let len = usize::from(choices.byte());
                self.receive(choices.bytes(len));
            }
            3 => self.receive(&large_message(self.role.peer(), choices)),
            4 => self.receive_eof(),
            5 => self.misuse_buffer(choices),
            6 => self.transmit(false),
            7 => self.transmit(true),
            8 => self.send(Event::Message(text(choices).into())),
            9 => self.send(Event::Message(payload(choices).into())),
            10 => self.send(piece(choices).into()),
            11 => self.send(Ping::new(payload(choices)).unwrap_or_default().into()),
            12 => self.send(Pong::new(payload(choices)).unwrap_or_default().into()),
            13 => self.send(close(choices).into()),
            14 => self.send_borrowed(choices),
            _ => self.receive_legal_frames(choices),
        }
    }

    /// A frame that the peer may have made up.
    fn receive_frame(&mut self, choices: &mut Choices<'_>) {
        let first = choices.byte();
        let masked = (self.role == Role::Server) != (choices.byte() == 255);
        let frame = Frame {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            opcode: first & 0xF,
            mask: masked.then_some(wire::KEY),
            payload: payload(choices).to_vec(),
        };
        self.receive(&frame.bytes());
    }

    /// A close frame that an honest peer could send.
    fn receive_close(&mut self, choices: &mut Choices<'_>) {
        let reason = close(choices).reason;
        let payload = payload_of(Some(&reason)).unwrap_or_default();
        self.receive(&Frame::new(self.role.peer(), wire::CLOSE, payload).bytes());
    }

    /// Frames that an honest peer could send, in a row.
    fn receive_legal_frames(&mut self, choices: &mut Choices<'_>) {
        let peer = self.role.peer();
        let mut bytes = Vec::new();
        for _ in 0..choices.byte() % 32 {
            let opcode = choices.one_of([wire::PING, wire::PONG, wire::TEXT, wire::BINARY]);
            let mut payload = payload(choices).to_vec();
            payload.truncate(125);
            if opcode == wire::TEXT {
                payload.retain(u8::is_ascii);
            }
            bytes.extend(Frame::new(peer, opcode, payload).bytes());
        }
        self.receive(&bytes);
    }

    fn receive(&mut self, bytes: &[u8]) {
        let over = self.connection.close_frames().received.is_some() || self.before.failed.is_some();
        let mut closed = over;
        feed(&mut self.connection, bytes, |event| {
            assert!(!closed, "nothing is received after a close frame or a failure, but {event:?}");
            closed = matches!(event, Event::CloseConnection(_));
        });
        assert_eq!(closed, over || self.connection.close_frames().received.is_some());
    }

    fn receive_eof(&mut self) {
        let before = &self.before;
        let clean = before.failed.is_none() && before.close_frames.received.is_some();
        let expected = if clean { Ok(()) } else { Err(before.failed.unwrap_or(Failed::UnexpectedEof)) };
        assert_eq!(self.connection.receive_eof(), expected);
        assert_eq!(self.connection.receive_eof(), expected, "the second end is as the first");
        // An answer that is not written yet can still be.
        let answers = before.state == ConnectionState::RemoteClosing;
        let state = if answers { ConnectionState::RemoteClosing } else { ConnectionState::Closed };
        assert_eq!(self.connection.state(), state);
    }

    /// A `read` that does what it likes with the buffer that it is lent.
    fn misuse_buffer(&mut self, choices: &mut Choices<'_>) {
        let how = choices.byte();
        let misused = self.connection.fill_payload(|buffer, wanted| {
            let before = buffer.len();
            match how % 4 {
                0 => buffer.clear(),
                1 => buffer.truncate(before - 1),
                2 => buffer.resize(before + wanted + 1, 0),
                _ => return false,
            }
            true
        });
        if misused == Some(true) {
            assert_eq!(self.connection.failed(), Some(Failed::PayloadBufferMisused));
        }
    }

    fn transmit(&mut self, pongs_alone: bool) {
        let wanted = self.connection.wants_transmit();
        let mut out = Vec::new();
        if pongs_alone {
            self.connection.transmit_pongs(&mut out);
            assert!(wanted || out.is_empty());
        } else {
            self.connection.transmit(&mut out);
            assert_eq!(wanted, !out.is_empty(), "wants_transmit tells whether there is anything");
            assert!(!self.connection.wants_transmit());
        }
        let frames = self.written.judge(self.role, &out);
        assert!(frames.iter().all(|frame| matches!(frame.opcode, wire::PONG | wire::CLOSE)), "{frames:?}");
    }

    fn send(&mut self, event: Event) {
        let mut out = Vec::new();
        let outcome = self.connection.send(event.clone(), &mut out);
        self.sent(&event, outcome, &out);
    }

    /// A message through the methods that take no event.
    fn send_borrowed(&mut self, choices: &mut Choices<'_>) {
        let mut out = Vec::new();
        let text = text(choices);
        let outcome = if choices.flag() {
            self.connection.send_message(text, &mut out)
        } else {
            self.connection.send_message(text.as_bytes(), &mut out)
        };
        self.sent(&Event::Message(text.into()), outcome, &out);
    }

    /// Judges one attempt to send.
    fn sent(&mut self, event: &Event, outcome: Result<(), LocalError>, out: &[u8]) {
        use ConnectionState::{LocalClosing, Open, RemoteClosing};
        let state = self.before.state;
        let allowed = match event {
            Event::Pong(_) => matches!(state, Open | RemoteClosing | LocalClosing),
            Event::CloseConnection(_) => matches!(state, Open | RemoteClosing),
            _ => state == Open,
        };
        match outcome {
            Ok(()) => {
                assert!(allowed, "{event:?} was sent in state {state}");
                assert_eq!(out.is_empty(), state == LocalClosing, "{event:?} in state {state}");
            }
            Err(LocalError::MessageUnfinished { .. }) => {
                assert!(allowed && matches!(event, Event::Message(_) | Event::Piece(_)), "{event:?}");
            }
            Err(error) => assert!(!allowed, "{error} for {event:?} in state {state}"),
        }
        if outcome.is_err() {
            assert!(out.is_empty(), "an error, and yet something was written");
            assert_eq!(self.connection.state(), state);
        }
        self.written.judge(self.role, out);
    }

    /// What holds after every call.
    fn check(&mut self) {
        let (before, now) = (&self.before, Seen::of(&self.connection));
        match (before.state, now.state) {
            (from, to) if from == to => {}
            (ConnectionState::Open, ConnectionState::LocalClosing | ConnectionState::RemoteClosing) => {}
            (from, ConnectionState::Closed) if from != ConnectionState::Closed => {}
            (from, to) => panic!("a step from {from} to {to}"),
        }
        if before.failed.is_some() {
            assert_eq!(now.failed, before.failed, "a failure is sticky");
        }
        if now.failed.is_some() {
            assert_eq!(now.state, ConnectionState::Closed);
        }
        let (old, new) = (&before.close_frames, &now.close_frames);
        assert!(old.received.is_none() || old.received == new.received, "{old:?} became {new:?}");
        assert!(old.sent.is_none() || old.sent == new.sent, "{old:?} became {new:?}");
        assert!(old.first.is_none() || old.first == new.first, "{old:?} became {new:?}");
        assert_eq!(new.first.is_some(), new.received.is_some() || new.sent.is_some(), "{new:?}");
        if let Some(close) = &self.written.close {
            assert_eq!(payload_of(new.sent.as_ref()).as_ref(), Some(close), "sent, but not remembered so");
        }
        self.before = now;
    }

    /// The last words: afterwards what is remembered as sent was written.
    fn end(mut self) {
        self.transmit(false);
        self.check();
        assert_eq!(self.written.close, payload_of(self.before.close_frames.sent.as_ref()));
    }
}

/// The payload of a close frame, if there is one.
fn payload_of(close: Option<&Option<CloseReason>>) -> Option<Vec<u8>> {
    close.map(|reason| match reason {
        None => Vec::new(),
        Some(reason) => [&reason.code().as_u16().to_be_bytes()[..], reason.reason().as_bytes()].concat(),
    })
}

fn payload<'a>(choices: &mut Choices<'a>) -> &'a [u8] {
    let len = usize::from(choices.byte());
    choices.bytes(len)
}

fn text<'a>(choices: &mut Choices<'a>) -> &'a str {
    str::from_utf8(payload(choices)).unwrap_or("grüße")
}

fn piece(choices: &mut Choices<'_>) -> Piece {
    match choices.byte() % 4 {
        0 => Piece::more(text(choices)),
        1 => Piece::last(text(choices)),
        2 => Piece::more(payload(choices)),
        _ => Piece::last(payload(choices)),
    }
}

fn close(choices: &mut Choices<'_>) -> CloseConnection {
    match CloseCode::new(1000 + u16::from(choices.byte() % 15)) {
        Err(_) => CloseConnection::empty(),
        Ok(code) => CloseConnection::new(CloseReason::truncated(code, text(choices))),
    }
}

/// The start of a binary message of 64 KiB: enough of it, often, that the rest may be filled in.
fn large_message(sender: Role, choices: &mut Choices<'_>) -> Vec<u8> {
    let mut bytes = Frame::new(sender, wire::BINARY, vec![7; 1 << 16]).bytes();
    bytes.truncate(choices.number());
    bytes
}
