//! Which frame goes where, and how it is answered.
//!
//! What AG2's hub drops with a line in its log is answered here: what cannot be read with an `error` frame, or, where the
//! id of a request can be read, with its response. AG2's tenants ignore an error for which no hello waits.

use std::collections::{BTreeMap, VecDeque};

use super::{
    alarm::{Alarm, Alarms},
    channel::Channel,
    config::HubConfig,
    effect::{Effect, Farewell, Outgoing},
    endpoint::Endpoint,
    limits::HubLimits,
    registry::Registry,
    stats::HubStats,
};
use crate::link::{
    auth::AuthRegistry,
    frame::{Frame, FrameError, Request},
    id::{Id, IdSource},
    operation::Operation,
    record::Passport,
    refusal::{ErrorCode, Refusal},
    store::Store,
    time::Timestamp,
};

/// A hub without sockets.
///
/// Calls sort into three families. Inputs say what has happened, and when: [`attach`](Self::attach),
/// [`receive`](Self::receive), [`sent`](Self::sent), [`detach`](Self::detach), [`wake`](Self::wake). After each of them
/// take the effects with [`next_effect`](Self::next_effect) until there are none, and set a timer to
/// [`deadline`](Self::deadline). The rest is for the operator. Time that goes back is taken as standing still.
///
/// ```
/// use wscope::link::{Effect, HubConfig, Switchboard, Timestamp};
///
/// let now = Timestamp::from_nanos(1_795_242_941_000_000_000);
/// let mut hub = Switchboard::new(HubConfig::new(), [7; 32]); // in earnest: a seed from the operating system
/// let connection = hub.attach(now);
/// hub.receive(connection, br#"{"kind": "ping"}"#, now);
///
/// let Some(Effect::Send { endpoint, message }) = hub.next_effect() else { panic!("no answer") };
/// assert_eq!(endpoint, connection);
/// assert_eq!(message.into_text(), r#"{"kind": "pong"}"#);
/// ```
#[derive(Debug)]
pub struct Switchboard {
    pub(super) limits: HubLimits,
    pub(super) auth: AuthRegistry,
    pub(super) store: Box<dyn Store>,
    pub(super) ids: IdSource,
    pub(super) now: Timestamp,
    pub(super) registry: Registry,
    pub(super) channels: BTreeMap<Id, Channel>,
    /// Channels that have ended, oldest first.
    pub(super) ended: VecDeque<Id>,
    pub(super) endpoints: BTreeMap<Id, Endpoint>,
    pub(super) alarms: Alarms,
    pub(super) effects: VecDeque<Effect>,
    /// Answers to requests that another request has settled. They go out after that one's own.
    pub(super) settled: Vec<Settlement>,
    pub(super) draining: bool,
    pub(super) stats: HubStats,
}

/// The late answer to a request.
#[derive(Debug)]
pub(super) struct Settlement {
    pub(super) endpoint: Id,
    pub(super) request_id: String,
    pub(super) outcome: Result<String, Refusal>,
}

/// What comes of a request: JSON, or an answer later on.
pub(super) enum Answer {
    Now(String),
    Later,
}

impl Switchboard {
    /// A hub without agents. Its ids follow from `seed`, which nobody else may know.
    #[must_use]
    pub fn new(config: HubConfig, seed: [u8; 32]) -> Self {
        let config = config.completed();
        Self {
            limits: config.limits,
            auth: config.auth,
            store: config.store,
            ids: IdSource::new(seed),
            now: Timestamp::default(),
            registry: Registry::default(),
            channels: BTreeMap::new(),
            ended: VecDeque::new(),
            endpoints: BTreeMap::new(),
            alarms: Alarms::default(),
            effects: VecDeque::new(),
            settled: Vec::new(),
            draining: false,
            stats: HubStats::default(),
        }
    }

    /// A connection is open. Gives the id by which it is known from now on.
    pub fn attach(&mut self, now: Timestamp) -> Id {
        self.at(now);
        let id = self.ids.next(self.now);
        let bind_by = self.now.after(self.limits.bind_timeout);
        self.endpoints.insert(id, Endpoint::new(bind_by));
        self.alarms.set(bind_by, Alarm::Binding(id));
        if self.draining {
            self.close(id, Farewell::ShuttingDown);
        } else if self.endpoints.len() > self.limits.max_endpoints {
            self.close(id, Farewell::Crowded);
        }
        id
    }

    /// A message has come, text or binary. Whatever it is, it is answered or ignored; the connection goes on.
    pub fn receive(&mut self, endpoint: Id, message: &[u8], now: Timestamp) {
        self.at(now);
        if !self.endpoints.contains_key(&endpoint) {
            return;
        }
        if message.len() > self.message_limit(endpoint) {
            return self.refuse_oversize(endpoint, message.len(), now);
        }
        match str::from_utf8(message) {
            Ok(text) => match Frame::decode(text) {
                Ok(frame) => self.frame(endpoint, frame),
                Err(error) => self.unreadable(endpoint, &error),
            },
            Err(_) => self.unreadable_text(endpoint, "message is not UTF-8"),
        }
        self.settle();
    }

    /// How many bytes a message of this connection may have.
    #[must_use]
    pub fn message_limit(&self, endpoint: Id) -> usize {
        let was_bound = self.endpoints.get(&endpoint).is_some_and(|connection| connection.was_bound);
        if was_bound { self.limits.max_message_size } else { self.limits.max_unbound_message_size }
    }

    /// A message of so many bytes has come, over [the limit](Self::message_limit), and was thrown away unread.
    pub fn refuse_oversize(&mut self, endpoint: Id, size: usize, now: Timestamp) {
        self.at(now);
        self.stats.unreadable += 1;
        let limit = self.message_limit(endpoint);
        self.error(endpoint, &Refusal::TooLarge { what: "message", size, limit });
    }

    /// So many bytes that came out as effects have left towards the peer, so there is room for as many.
    pub fn sent(&mut self, endpoint: Id, bytes: usize, now: Timestamp) {
        self.at(now);
        let Some(connection) = self.endpoints.get_mut(&endpoint) else { return };
        connection.unsent = connection.unsent.saturating_sub(bytes);
        self.pump(endpoint);
        self.close_if_drained(endpoint);
    }

    /// Whether the connection should be read from: not while answers pile up, which is when more is on its way than a window of
    /// deliveries and a message. Deliveries alone never get there: a tenant that stops reading until its receipts are taken
    /// is waited for by nobody who waits for it.
    #[must_use]
    pub fn wants_input(&self, endpoint: Id) -> bool {
        let most = self.limits.window.saturating_add(self.limits.max_message_size);
        self.endpoints.get(&endpoint).is_some_and(|connection| connection.unsent <= most)
    }

    /// A connection is gone. Agents, channels and cursors stay.
    pub fn detach(&mut self, endpoint: Id, now: Timestamp) {
        self.at(now);
        self.forget(endpoint);
        self.settle();
    }

    /// Closes a connection for a reason that whoever owns its socket has found.
    pub fn hang_up(&mut self, endpoint: Id, farewell: Farewell, now: Timestamp) {
        self.at(now);
        self.close(endpoint, farewell);
        self.settle();
    }

    /// The time of [`deadline`](Self::deadline) has come; earlier is harmless. Of many things that fall due together some are seen to,
    /// and the deadline stays where it is: so none of them holds up what else there is to do.
    pub fn wake(&mut self, now: Timestamp) {
        self.at(now);
        for _ in 0..ALARMS_IN_A_TURN {
            let Some(alarm) = self.alarms.due(self.now) else { break };
            match alarm {
                Alarm::Binding(endpoint) => self.binding_is_over(endpoint),
                Alarm::Joining(channel) => self.joining_is_over(channel),
                Alarm::Expiry(channel) => self.expire(channel),
                Alarm::Drained => self.close_all(Farewell::ShuttingDown),
            }
        }
        self.settle();
    }

    /// When [`wake`](Self::wake) is to be called next.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.alarms.next()
    }

    /// The next thing to do.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Takes no more connections and no more requests, refuses those that still wait, and closes each connection with
    /// 1001 once nothing is on its way to it, or at `deadline`.
    pub fn drain(&mut self, deadline: Timestamp, now: Timestamp) {
        self.at(now);
        self.draining = true;
        self.alarms.set(deadline, Alarm::Drained);
        let refused = |channel: &mut Channel| channel.settle(Err(Refusal::ShuttingDown));
        self.settled.extend(self.channels.values_mut().filter_map(refused));
        self.settle();
        let endpoints: Vec<Id> = self.endpoints.keys().copied().collect();
        for endpoint in endpoints {
            self.close_if_drained(endpoint);
        }
    }

    /// Closes the connection that holds the agent of this name or id; `false` when there is none.
    pub fn kick(&mut self, name_or_id: &str, now: Timestamp) -> bool {
        self.at(now);
        let held = self.registry.by_name_or_id(name_or_id).and_then(|agent| agent.endpoint);
        let Some(endpoint) = held else { return false };
        self.close(endpoint, Farewell::Kicked);
        self.settle();
        true
    }

    /// Each agent, in the order of registration, and whether it is bound to a connection.
    pub fn agents(&self) -> impl Iterator<Item = (&Passport, bool)> {
        self.registry.passports()
    }

    /// What the hub has done, and what it holds. O(agents).
    #[must_use]
    pub fn stats(&self) -> HubStats {
        HubStats {
            endpoints: self.endpoints.len(),
            agents: self.registry.len(),
            online: self.registry.online(),
            channels: self.channels.len(),
            ..self.stats
        }
    }

    fn frame(&mut self, endpoint: Id, frame: Frame) {
        match frame {
            Frame::Ping => self.send(endpoint, Outgoing::frame(&Frame::Pong)),
            Frame::Hello(hello) => self.hello(endpoint, &hello),
            Frame::Receipt(receipt) => self.receipt(endpoint, &receipt),
            Frame::Request(request) => self.request(endpoint, &request),
            // What only a hub says, or needs no answer.
            Frame::Pong | Frame::Welcome(_) | Frame::Response(_) | Frame::Error(_) | Frame::Notify(_) => {}
        }
    }

    fn request(&mut self, endpoint: Id, request: &Request) {
        let (size, limit) = (request.request_id.len(), MAX_REQUEST_ID);
        if size > limit {
            return self.error(endpoint, &Refusal::TooLarge { what: "request_id", size, limit });
        }
        let answer = if self.draining {
            Err(Refusal::ShuttingDown)
        } else {
            Operation::decode(&request.op, &request.params)
                .and_then(|operation| self.perform(endpoint, &request.request_id, operation))
        };
        match answer {
            Ok(Answer::Now(result)) => self.respond(endpoint, &request.request_id, Ok(result)),
            Ok(Answer::Later) => {}
            Err(refusal) => self.respond(endpoint, &request.request_id, Err(refusal)),
        }
    }

    fn unreadable(&mut self, endpoint: Id, error: &FrameError) {
        match error {
            // Whoever waits for this id is told; AG2 would say it in an error frame, which names no request.
            FrameError::Field { kind, request_id: Some(request_id), .. }
                if kind == "request" && request_id.len() <= MAX_REQUEST_ID =>
            {
                self.stats.unreadable += 1;
                let code = ErrorCode::ProtocolError;
                let message = Outgoing::refused_with(request_id, &code, &error.in_ag2s_words());
                self.send(endpoint, message);
            }
            FrameError::Field { .. }
            | FrameError::Json(_)
            | FrameError::NoKind
            | FrameError::UnknownKind { .. } => self.unreadable_text(endpoint, &error.in_ag2s_words()),
        }
    }

    fn unreadable_text(&mut self, endpoint: Id, message: &str) {
        self.stats.unreadable += 1;
        self.send(endpoint, Outgoing::error(ErrorCode::ProtocolError, message));
    }

    /// Tells what is refused outside of a request.
    pub(super) fn error(&mut self, endpoint: Id, refusal: &Refusal) {
        self.send(endpoint, Outgoing::error(refusal.code(), &refusal.to_string()));
    }

    /// Answers a request; with a refusal when the answer is more than a tenant can receive.
    pub(super) fn respond(&mut self, endpoint: Id, request_id: &str, outcome: Result<String, Refusal>) {
        let limit = self.limits.max_message_size;
        let response = outcome.and_then(|result| {
            let response = Outgoing::done(request_id, &result);
            let size = response.len();
            if size > limit { Err(Refusal::TooLarge { what: "answer", size, limit }) } else { Ok(response) }
        });
        let response = response.unwrap_or_else(|refusal| {
            self.stats.refused += 1;
            Outgoing::refused(request_id, &refusal)
        });
        self.send(endpoint, response);
    }

    /// Gives out what other requests waited for.
    fn settle(&mut self) {
        for Settlement { endpoint, request_id, outcome } in std::mem::take(&mut self.settled) {
            self.respond(endpoint, &request_id, outcome);
        }
    }

    pub(super) fn send(&mut self, endpoint: Id, message: Outgoing) {
        let Some(connection) = self.endpoints.get_mut(&endpoint) else { return };
        connection.unsent += message.len();
        let congested = connection.unsent > self.limits.max_unsent_size;
        self.effects.push_back(Effect::Send { endpoint, message });
        if congested {
            self.close(endpoint, Farewell::Congested);
        }
    }

    pub(super) fn close(&mut self, endpoint: Id, farewell: Farewell) {
        if self.forget(endpoint) {
            self.effects.push_back(Effect::Close { endpoint, farewell });
        }
    }

    fn close_all(&mut self, farewell: Farewell) {
        let endpoints: Vec<Id> = self.endpoints.keys().copied().collect();
        for endpoint in endpoints {
            self.close(endpoint, farewell);
        }
    }

    fn close_if_drained(&mut self, endpoint: Id) {
        if self.draining && self.endpoints.get(&endpoint).is_some_and(Endpoint::is_idle) {
            self.close(endpoint, Farewell::ShuttingDown);
        }
    }

    /// Takes a connection and its bindings away; `false` when it was gone.
    fn forget(&mut self, endpoint: Id) -> bool {
        let Some(connection) = self.endpoints.remove(&endpoint) else { return false };
        self.alarms.unset(connection.bind_by, Alarm::Binding(endpoint));
        for agent in connection.agents {
            self.went_offline(agent);
        }
        true
    }

    fn binding_is_over(&mut self, endpoint: Id) {
        if self.endpoints.get(&endpoint).is_some_and(|connection| !connection.was_bound) {
            self.close(endpoint, Farewell::Unbound);
        }
    }

    fn at(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }
}

/// How many alarms are seen to at once.
const ALARMS_IN_A_TURN: usize = 64;

/// How long an id of a request may be, in bytes: it is given back. AG2's has 32.
const MAX_REQUEST_ID: usize = 1_024;
