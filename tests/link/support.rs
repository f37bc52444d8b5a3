//! A hub under a clock of its own, with connections that collect what they are sent.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use wscope::link::{
    Effect, Envelope, Farewell, Frame, HubConfig, Id, Notify, Operation, Passport, Payload, Register,
    Request, Rule, Switchboard, Timestamp,
};

/// The beginning of time: 2026-11-21T06:35:41+00:00.
pub(crate) const START: u64 = 1_795_242_941_000_000_000;

pub(crate) struct Hub {
    pub(crate) board: Switchboard,
    pub(crate) now: Timestamp,
    /// What each connection was sent and has not looked at.
    inbox: BTreeMap<Id, Vec<String>>,
    pub(crate) closed: Vec<(Id, Farewell)>,
    requests: u64,
    /// Connections that do not read: what they are sent does not leave.
    pub(crate) stuck: Vec<Id>,
}

/// An agent, and the connection that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) connection: Id,
    pub(crate) id: String,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self::with(HubConfig::new())
    }

    pub(crate) fn with(config: HubConfig) -> Self {
        Self {
            board: Switchboard::new(config, [7; 32]),
            now: Timestamp::from_nanos(START),
            inbox: BTreeMap::new(),
            closed: Vec::new(),
            requests: 0,
            stuck: Vec::new(),
        }
    }

    pub(crate) fn attach(&mut self) -> Id {
        let id = self.board.attach(self.now);
        self.collect();
        id
    }

    pub(crate) fn detach(&mut self, connection: Id) {
        self.board.detach(connection, self.now);
        self.collect();
    }

    /// Lets time pass, alarm by alarm.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now.after(time);
        while let Some(at) = self.board.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.board.wake(self.now);
            self.collect();
        }
        self.now = until;
    }

    pub(crate) fn say(&mut self, connection: Id, text: &str) {
        self.board.receive(connection, text.as_bytes(), self.now);
        self.collect();
    }

    pub(crate) fn say_bytes(&mut self, connection: Id, bytes: &[u8]) {
        self.board.receive(connection, bytes, self.now);
        self.collect();
    }

    pub(crate) fn frame(&mut self, connection: Id, frame: &Frame) {
        self.say(connection, &frame.encode());
    }

    /// Sends a request, and gives its id.
    pub(crate) fn ask(&mut self, connection: Id, operation: &Operation) -> String {
        self.requests += 1;
        let id = format!("r{}", self.requests);
        self.frame(connection, &Frame::Request(Request::new(&id, operation.op(), operation.params())));
        id
    }

    /// Sends a request and gives its result, or code and message; frames before the answer stay.
    pub(crate) fn request(
        &mut self,
        connection: Id,
        operation: &Operation,
    ) -> Result<Value, (String, String)> {
        let id = self.ask(connection, operation);
        self.answer(connection, &id).unwrap()
    }

    /// The answer to a request, if it is there.
    pub(crate) fn answer(&mut self, connection: Id, id: &str) -> Option<Result<Value, (String, String)>> {
        let inbox = self.inbox.entry(connection).or_default();
        let at = inbox.iter().position(|text| {
            let frame: Value = serde_json::from_str(text).unwrap();
            frame["kind"] == "response" && frame["request_id"] == id
        })?;
        let frame: Value = serde_json::from_str(&inbox.remove(at)).unwrap();
        let word = |name: &str| frame[name].as_str().unwrap().to_owned();
        Some(if frame["ok"] == true {
            Ok(frame["result"].clone())
        } else {
            Err((word("error_code"), word("error_message")))
        })
    }

    /// What the connection was sent since it last looked.
    pub(crate) fn heard(&mut self, connection: Id) -> Vec<String> {
        self.inbox.remove(&connection).unwrap_or_default()
    }

    /// The same as frames.
    pub(crate) fn frames(&mut self, connection: Id) -> Vec<Frame> {
        self.heard(connection).iter().map(|text| Frame::decode(text).unwrap()).collect()
    }

    /// The same, deliveries alone.
    pub(crate) fn notifies(&mut self, connection: Id) -> Vec<Notify> {
        let notify = |frame| match frame {
            Frame::Notify(notify) => Some(*notify),
            _ => None,
        };
        self.frames(connection).into_iter().filter_map(notify).collect()
    }

    /// The same, texts of content alone.
    pub(crate) fn texts(&mut self, connection: Id) -> Vec<String> {
        let notifies = self.notifies(connection).into_iter();
        notifies
            .filter(|it| it.envelope.event_type == Envelope::TEXT)
            .map(|it| text_of(&it.envelope))
            .collect()
    }

    pub(crate) fn register(&mut self, connection: Id, name: &str) -> Bound {
        let register = Register::new(Passport::new(name));
        self.register_as(connection, register)
    }

    pub(crate) fn register_as(&mut self, connection: Id, register: Register) -> Bound {
        let passport = self.request(connection, &Operation::Register(Box::new(register))).unwrap();
        Bound { connection, id: passport["agent_id"].as_str().unwrap().to_owned() }
    }

    /// A new connection that holds a new agent.
    pub(crate) fn join(&mut self, name: &str) -> Bound {
        let connection = self.attach();
        self.register(connection, name)
    }

    /// The same, with a rule of its own.
    pub(crate) fn join_with(&mut self, name: &str, change: impl FnOnce(&mut Rule)) -> Bound {
        let mut register = Register::new(Passport::new(name));
        change(register.rule.insert(Rule::default()));
        let connection = self.attach();
        self.register_as(connection, register)
    }

    /// Acks a delivery.
    pub(crate) fn ack(&mut self, agent: &Bound, notify: &Notify) {
        use wscope::link::Receipt;
        let Envelope { envelope_id, channel_id, .. } = &notify.envelope;
        self.frame(agent.connection, &Frame::Receipt(Receipt::ack(envelope_id, &agent.id, channel_id)));
    }

    /// Acks all that the connection of the agent was sent for it, and gives the texts.
    pub(crate) fn ack_all(&mut self, agent: &Bound) -> Vec<String> {
        let notifies = self.notifies(agent.connection);
        for notify in notifies.iter().filter(|notify| notify.recipient_id == agent.id) {
            self.ack(agent, notify);
        }
        let texts = notifies.iter().filter(|notify| notify.envelope.event_type == Envelope::TEXT);
        texts.map(|notify| text_of(&notify.envelope)).collect()
    }

    /// Opens a channel, with everyone's invite and opening acknowledged, and gives its id.
    pub(crate) fn open(&mut self, kind: &str, creator: &Bound, others: &[&Bound]) -> String {
        use wscope::link::CreateChannel;
        let invited = others.iter().map(|other| other.id.clone()).collect();
        let create = CreateChannel::new(&creator.id, kind, invited);
        let request = self.ask(creator.connection, &Operation::CreateChannel(Box::new(create)));
        for other in others {
            let notifies = self.notifies(other.connection);
            let invite =
                notifies.iter().find(|it| it.envelope.event_type == Envelope::INVITE).unwrap().clone();
            self.ack(other, &invite);
            self.accept(other, &invite);
        }
        let channel = self.answer(creator.connection, &request).unwrap().unwrap();
        for agent in others.iter().chain([&creator]) {
            self.ack_all(agent);
        }
        channel["channel_id"].as_str().unwrap().to_owned()
    }

    /// Posts the answer to an invite.
    pub(crate) fn accept(&mut self, agent: &Bound, invite: &Notify) {
        let data = Payload::of(&json!({"channel_id": invite.envelope.channel_id})).unwrap();
        let mut ack = Envelope::new(&invite.envelope.channel_id, &agent.id, Envelope::INVITE_ACK, data);
        ack.causation_id = Some(invite.envelope.envelope_id.clone());
        self.post(agent, ack).unwrap();
    }

    pub(crate) fn post(&mut self, agent: &Bound, envelope: Envelope) -> Result<Value, (String, String)> {
        self.request(agent.connection, &Operation::PostEnvelope { envelope: Box::new(envelope) })
    }

    pub(crate) fn post_text(
        &mut self,
        agent: &Bound,
        channel: &str,
        said: &str,
    ) -> Result<Value, (String, String)> {
        self.post(agent, text(channel, agent, said))
    }

    /// What comes out of the hub, into the inboxes; at once told to have left, but where a connection is stuck.
    fn collect(&mut self) {
        while let Some(effect) = self.board.next_effect() {
            match effect {
                Effect::Send { endpoint, message } => {
                    let length = message.len();
                    let text = message.into_text();
                    assert_eq!(text.len(), length);
                    self.inbox.entry(endpoint).or_default().push(text);
                    if !self.stuck.contains(&endpoint) {
                        self.board.sent(endpoint, length, self.now);
                    }
                }
                Effect::Close { endpoint, farewell } => self.closed.push((endpoint, farewell)),
                effect => panic!("unknown effect {effect:?}"),
            }
        }
    }

    /// Tells that so many bytes have left.
    pub(crate) fn leave(&mut self, connection: Id, bytes: usize) {
        self.board.sent(connection, bytes, self.now);
        self.collect();
    }

    pub(crate) fn drain(&mut self, time: Duration) {
        self.board.drain(self.now.after(time), self.now);
        self.collect();
    }

    pub(crate) fn kick(&mut self, name: &str) -> bool {
        let found = self.board.kick(name, self.now);
        self.collect();
        found
    }
}

pub(crate) fn text(channel: &str, sender: &Bound, said: &str) -> Envelope {
    let data = Payload::of(&json!({"text": said})).unwrap();
    Envelope::new(channel, &sender.id, Envelope::TEXT, data)
}

pub(crate) fn text_of(envelope: &Envelope) -> String {
    envelope.event_data.to::<Value>().unwrap()["text"].as_str().unwrap().to_owned()
}

/// A refusal by its code.
pub(crate) fn code(answer: Result<Value, (String, String)>) -> String {
    answer.unwrap_err().0
}

pub(crate) fn hello(name: &str, since: Option<&str>) -> Frame {
    let mut hello = wscope::link::Hello::new(name);
    hello.since_envelope_id = since.map(str::to_owned);
    Frame::Hello(hello)
}
