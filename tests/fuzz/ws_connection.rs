//! Any calls in any order, from the first byte on: what a connection with its handshake never does.

use super::{
    Choices,
    http::Head,
    response_head::{acceptance, request},
    wire::{self, FixedKey, Frame, Written},
};
use wscope::proto::{
    AcceptConnection, CloseConnection, ConnectionState, Event, Message, RejectConnection, RejectData, Role,
    Transition, WsConnection, WsEvent, WsFailed,
};

/// Input: the role, then calls until it ends.
pub fn ws_connection(input: &[u8]) {
    let mut choices = Choices::new(input);
    let role = choices.one_of([Role::Client, Role::Server]);
    let engine = if role == Role::Client { WsConnection::client() } else { WsConnection::server() };
    let engine = engine.with_random(Box::new(FixedKey));
    let state = engine.state();
    let mut machine = Machine { engine, role, state, failed: None, written: Written::default() };
    while !choices.is_empty() {
        machine.call(&mut choices);
        machine.check();
    }
}

/// A connection, and what is known of it from outside.
struct Machine {
    engine: WsConnection,
    role: Role,
    state: ConnectionState,
    failed: Option<WsFailed>,
    /// What was written since the connection was opened.
    written: Written,
}

impl Machine {
    fn call(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() % 10 {
            0 => {
                let len = usize::from(choices.byte());
                self.receive(choices.bytes(len));
            }
            1 => self.receive(&handshake(self.role.peer(), choices)),
            2 => {
                let opcode = choices.one_of([wire::TEXT, wire::BINARY, wire::PING, wire::PONG, wire::CLOSE]);
                self.receive(&Frame::new(self.role.peer(), opcode, choices.bytes(2)).bytes());
            }
            3 => {
                let ended = self.engine.receive_eof();
                self.told(ended);
            }
            4 => self.engine.time_out(),
            5 => self.transmit(),
            6 => self.send(request().into()),
            7 => {
                let subprotocol = choices.one_of([None, Some("chat"), Some("not offered")]);
                let accept = AcceptConnection::new();
                self.send(subprotocol.into_iter().fold(accept, AcceptConnection::with_subprotocol).into());
            }
            8 => self.refuse(choices),
            _ => {
                let event = choices.one_of([0, 1, 2]);
                let message: Message = choices.bytes(3).into();
                self.send(match event {
                    0 => Event::Message(message).into(),
                    1 => CloseConnection::empty().into(),
                    _ => Event::Ping(Default::default()).into(),
                });
            }
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        while let Some(()) = {
            let received = self.engine.receive(&mut input);
            self.told(received)
        } {
            self.check();
        }
        let waits = self.engine.state() == ConnectionState::Connecting;
        assert!(input.is_empty() || waits, "bytes are left in state {}", self.engine.state());
    }

    /// What the engine told of the peer.
    fn told(&mut self, told: Result<Option<WsEvent>, WsFailed>) -> Option<()> {
        match told {
            Ok(None) => None,
            Ok(Some(event)) => {
                assert_eq!(self.failed, None, "{event:?} after a failure");
                let first = matches!(event, WsEvent::Request(_));
                assert!(!first || self.role == Role::Server && self.state == ConnectionState::Connecting);
                Some(())
            }
            Err(failed) => {
                assert_eq!(self.engine.state(), ConnectionState::Closed, "{failed}");
                assert_eq!(*self.failed.get_or_insert_with(|| failed.clone()), failed, "a failure is sticky");
                None
            }
        }
    }

    fn refuse(&mut self, choices: &mut Choices<'_>) {
        let reject = RejectConnection::new(403).expect("a status");
        self.send(match choices.byte() % 4 {
            0 => reject.with_body("no").into(),
            1 => reject.with_body_to_follow().into(),
            2 => RejectData::more("n").into(),
            _ => RejectData::last("o").into(),
        });
    }

    fn send(&mut self, event: WsEvent) {
        let (what, mut out) = (format!("{event:?}"), Vec::new());
        let sent = self.engine.send(event, &mut out);
        if let Err(error) = sent {
            assert!(out.is_empty(), "{error}, and yet something was written of {what}");
            assert_eq!(self.engine.state(), self.state, "{error} for {what}");
        } else if self.state == ConnectionState::Connecting {
            Head::parse(&out);
        } else if self.engine.connection().is_some() {
            self.written.judge(self.role, &out);
        }
    }

    fn transmit(&mut self) {
        let (wanted, mut out) = (self.engine.wants_transmit(), Vec::new());
        self.engine.transmit(&mut out);
        assert_eq!(wanted, !out.is_empty());
        assert!(!self.engine.wants_transmit());
        if self.engine.connection().is_some() {
            self.written.judge(self.role, &out);
        } else if wanted {
            assert!(Head::parse(&out).start.starts_with("HTTP/1.1 4"), "a refusal");
        }
    }

    /// What holds after every call: the state went along the table, in two steps at most.
    fn check(&mut self) {
        use Transition::{
            Accept, EndReject, Eof, Fail, ReceiveClose, ReceiveData, Reject, SendClose, SendData, SendPong,
        };
        let steps =
            [Accept, Reject, EndReject, SendData, SendPong, SendClose, ReceiveData, ReceiveClose, Fail, Eof];
        let (from, to) = (self.state, self.engine.state());
        let after = |state: ConnectionState| steps.into_iter().filter_map(move |step| state.on(step));
        let reached = from == to || after(from).any(|next| next == to || after(next).any(|last| last == to));
        assert!(reached, "from {from} to {to}");
        assert!(self.failed.is_none() || to == ConnectionState::Closed);
        self.state = to;
    }
}

/// What an honest peer begins with.
fn handshake(sender: Role, choices: &mut Choices<'_>) -> Vec<u8> {
    match (sender, choices.byte() % 4) {
        (Role::Client, _) => super::response_head::client(Default::default()).1,
        (Role::Server, 0 | 1) => acceptance(AcceptConnection::new()),
        (Role::Server, 2) => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno".to_vec(),
        (Role::Server, _) => b"HTTP/1.1 403 Forbidden\r\n\r\nno".to_vec(),
    }
}
