//! The engine of an open connection: what moves its bytes, under one lock that is held for one turn at most. Its way in is in
//! `reading`, its way out in `writing`, its end in `closing`.
//!
//! ```text
//!            read                    event                 take
//!  transport ────▶ scratch ─▶ core ────────▶ inbox ───────────────▶ receivers, first come first served
//!      ▲                        │ pongs, close
//!      └─────── flush ── out ◀──┴──────────────────────────────────── senders, pings
//! ```
//!
//! It wakes nobody, drops nothing of a user's and calls no user code but the polls of a stream that a user has brought, which must
//! therefore not call the connection that runs over it: the rest is collected in [`After`]. Whoever holds it, a
//! receiver or the driver, moves things on; nobody depends on a future that is not polled.

use std::{
    sync::{Arc, Weak},
    task::Waker,
    time::Instant,
};

use super::{
    ConnectionConfig, Stats,
    after::After,
    bell::Bell,
    closing::{DRAIN_BYTES, Phase},
    deadlines::Deadlines,
    inbox::Inbox,
    linger::Linger,
    outqueue::OutQueue,
    pings::Pings,
    shared::Shared,
};
use crate::{
    proto::{self, CloseCode, CloseConnection, ProtocolError, RandomSource, SystemRandom},
    runtime::{Transport, now, turns::Turns},
};

pub(super) struct Engine {
    /// Whose engine it is. Asked for the peer's name when the connection has ended, so that none is kept until then.
    pub(super) shared: Weak<Shared>,
    pub(super) config: Arc<ConnectionConfig>,
    pub(super) bell: Arc<Bell>,
    /// The bell, as the transport wants it.
    pub(super) waker: Waker,
    pub(super) transport: Option<Transport>,
    pub(super) core: proto::Connection,
    /// Bytes that have been read, and wait until there is room in the inbox, or until the next turn.
    pub(super) unparsed: Vec<u8>,
    pub(super) inbox: Inbox,
    pub(super) out: OutQueue,
    pub(super) receivers: Turns,
    pub(super) senders: Turns,
    pub(super) flushers: Turns,
    /// Who waits for the end of all.
    pub(super) enders: Turns,
    pub(super) pings: Pings,
    pub(super) deadlines: Deadlines,
    pub(super) phase: Phase,
    /// A read may find something: it was not Pending since the bell rang.
    pub(super) readable: bool,
    pub(super) linger: Linger,
    /// The user wants nothing to be read.
    pub(super) paused: bool,
    /// A write was Pending since the bell rang.
    pub(super) blocked: bool,
    /// What the transport's flush has confirmed, of what is written.
    pub(super) flushed: u64,
    /// Something went out at once in this turn; what follows goes with its end.
    pub(super) corked: bool,
    /// The driver has been called and has not come yet.
    pub(super) called: bool,
    /// We closed, or the scope is over: what comes is not kept.
    pub(super) discard: bool,
    /// Nobody has a handle any more.
    pub(super) orphaned: bool,
    /// Found behind messages that nobody has taken yet: it is reached when they are, or when the time to close is over.
    pub(super) fault: Option<Box<ProtocolError>>,
    /// The stream has ended.
    pub(super) eof: bool,
    /// The sending direction has been shut down.
    pub(super) half_closed: bool,
    /// What may still be read and thrown away.
    pub(super) drain: usize,
    pub(super) stats: Stats,
    pub(super) random: SystemRandom,
}

/// What a driver has to do after its turn.
pub(super) struct Turn {
    /// The connection is closed.
    pub(super) done: bool,
    /// The turn was used up: come again.
    pub(super) again: bool,
    /// When something is due.
    pub(super) deadline: Option<Instant>,
}

impl Engine {
    pub(super) fn new(
        transport: Transport,
        core: proto::Connection,
        unparsed: Vec<u8>,
        shared: Weak<Shared>,
        config: Arc<ConnectionConfig>,
        bell: Arc<Bell>,
    ) -> Self {
        Self {
            shared,
            waker: bell.clone().into(),
            inbox: Inbox::new(config.receive_buffer.max(1)),
            out: OutQueue::default(),
            deadlines: Deadlines::open(now(), &config),
            config,
            bell,
            transport: Some(transport),
            core,
            unparsed,
            receivers: Turns::default(),
            senders: Turns::default(),
            flushers: Turns::default(),
            enders: Turns::default(),
            pings: Pings::default(),
            phase: Phase::Open,
            readable: true,
            linger: Linger::default(),
            paused: false,
            blocked: false,
            flushed: 0,
            corked: false,
            called: false,
            discard: false,
            orphaned: false,
            fault: None,
            eof: false,
            half_closed: false,
            drain: DRAIN_BYTES,
            stats: Stats::default(),
            random: SystemRandom::new(),
        }
    }

    /// Tries the socket once more, even if it was dry: there may be no other time.
    pub(super) fn look_again(&mut self) {
        self.readable = true;
        if let Some(transport) = &mut self.transport {
            transport.look_again();
        }
    }

    /// A payload that no ping in flight has.
    pub(super) fn ping_payload(&mut self) -> [u8; 8] {
        loop {
            let mut payload = [0; 8];
            self.random.fill(&mut payload);
            if !self.pings.contains(&payload) {
                return payload;
            }
        }
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            wire_bytes_sent: self.stats.wire_bytes_sent + self.core.payload_sent(),
            wire_bytes_received: self.core.payload_received(),
            unread: self.inbox.bytes(),
            unsent: self.out.len(),
            ..self.stats
        }
    }

    /// The end of a turn: reads if nobody else has, sees to what is due, writes what is queued, and goes on with closing.
    pub(super) fn turn(&mut self, fired: bool, after: &mut After) -> Turn {
        self.corked = false;
        self.called = false;
        if self.orphaned && matches!(self.phase, Phase::Open) {
            self.close(CloseConnection::new(CloseCode::NORMAL_CLOSURE), after);
        }
        self.read(after);
        if fired {
            self.see_to_deadlines(after);
        }
        self.flush(after);
        self.go_on_closing(after);
        self.linger.turn_over();
        Turn { done: self.is_over(), again: self.may_read(), deadline: self.deadlines.next() }
    }

    /// Calls the driver, unless its turn comes anyway or there is nothing for it to do.
    pub(super) fn call_driver(&mut self, in_turn: bool, after: &mut After) {
        if in_turn || self.called {
            return;
        }
        let wanted = self.corked
            || self.orphaned
            || self.core.wants_transmit()
            || !self.blocked && !self.out.is_empty()
            || self.may_read()
            || !matches!(self.phase, Phase::Open);
        if wanted {
            self.called = true;
            after.driver = self.bell.driver();
        }
    }

    pub(super) fn answer_bell(&mut self) {
        if self.bell.answer() {
            self.readable = true;
            self.blocked = false;
            self.linger.told();
        }
    }
}
