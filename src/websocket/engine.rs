//! The engine of an open connection: what moves its bytes, under one lock that is held for one turn at most.
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
    io,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
    time::Instant,
};

use super::{
    CloseCause, ConnectionConfig, Stats,
    after::{After, Heard},
    apart::APART_FROM,
    bell::Bell,
    closing::{DRAIN_BYTES, Phase},
    deadlines::Deadlines,
    inbox::{Inbox, Item},
    linger::{Dry, Linger},
    outqueue::OutQueue,
    pings::Pings,
    scratch,
    shared::Shared,
};
use crate::{
    proto::{
        self, CloseCode, CloseConnection, Event, LocalError, Message, Piece, ProtocolError, RandomSource,
        SystemRandom, Transforming,
    },
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
    linger: Linger,
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
    fault: Option<Box<ProtocolError>>,
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

    // ---- what is asked of it

    /// Reads nothing until it is told to go on.
    pub(super) fn pause_reading(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Tries the socket once more, even if it was dry: there may be no other time.
    pub(super) fn look_again(&mut self) {
        self.readable = true;
        if let Some(transport) = &mut self.transport {
            transport.look_again();
        }
    }

    /// Whether a message may be queued now.
    pub(super) fn has_room(&self) -> bool {
        self.out.len() < self.config.send_buffer.max(1)
    }

    /// Whether the kernel has all that was queued up to `position`.
    pub(super) fn is_flushed(&self, position: u64) -> bool {
        self.flushed >= position
    }

    /// Queues a whole message, and writes at once where nothing is gained by waiting. A large one that is to be compressed is begun: its
    /// sender does that outside of the lock, and comes back with [`send_transformed`](Self::send_transformed).
    pub(super) fn send_message(
        &mut self,
        message: &Message,
        plain: bool,
        after: &mut After,
    ) -> Result<Option<Transforming>, LocalError> {
        let core = &mut self.core;
        core.skip_transform(plain);
        if message.len() > APART_FROM
            && core.has_extension()
            && let Some(work) = core.begin(&Piece::last(message.clone()))?
        {
            return Ok(Some(work));
        }
        if message.len() >= ATTACHED_FROM
            && self.transport.as_ref().is_some_and(Transport::gathers)
            && self.out.data(|out| core.send_header(message, out))?
        {
            self.out.attach(match message.clone() {
                Message::Text(text) => text.into(),
                Message::Binary(bytes) => bytes,
            });
        } else {
            self.out.data(|out| core.send_message(message, out))?;
        }
        self.sent(message.len(), true, after);
        Ok(None)
    }

    /// Queues a piece of a message; as [`send_message`](Self::send_message) in all else.
    pub(super) fn send_piece(
        &mut self,
        piece: &Piece,
        plain: bool,
        after: &mut After,
    ) -> Result<Option<Transforming>, LocalError> {
        let core = &mut self.core;
        core.skip_transform(plain);
        if piece.data.len() > APART_FROM
            && let Some(work) = core.begin(piece)?
        {
            return Ok(Some(work));
        }
        self.out.data(|out| core.send(piece.clone(), out))?;
        self.sent(piece.data.len(), piece.message_finished, after);
        Ok(None)
    }

    /// Queues what was begun.
    pub(super) fn send_transformed(
        &mut self,
        work: Transforming,
        after: &mut After,
    ) -> Result<(), LocalError> {
        let Piece { data, message_finished, .. } = work.piece();
        let (len, finished) = (data.len(), *message_finished);
        let core = &mut self.core;
        self.out.data(|out| core.finish(work, out))?;
        self.sent(len, finished, after);
        Ok(())
    }

    /// Whether a frame that was encoded elsewhere may be queued now: nobody waits before it, and it tears no message.
    pub(super) fn has_room_for_encoded(&self) -> bool {
        let compressing = usize::from(self.core.is_whole_apart());
        !self.is_closing() && self.senders.len() == compressing && self.has_room()
    }

    /// Queues a frame that was encoded elsewhere, for many.
    pub(super) fn send_encoded(&mut self, frame: &bytes::Bytes, payload_len: usize, after: &mut After) {
        if frame.len() >= ATTACHED_FROM && self.transport.as_ref().is_some_and(Transport::gathers) {
            self.out.attach(frame.clone());
        } else {
            self.out.data(|out| out.extend_from_slice(frame));
        }
        self.stats.wire_bytes_sent += payload_len as u64; // past the encoder, which counts the others
        self.sent(payload_len, true, after);
    }

    /// Queues a ping or a pong, ahead of data.
    pub(super) fn send_control(
        &mut self,
        event: impl Into<Event>,
        after: &mut After,
    ) -> Result<(), LocalError> {
        let core = &mut self.core;
        self.out.control(|out| core.send(event.into(), out))?;
        self.queued(after);
        Ok(())
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

    // ---- the work

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

    /// Reads until the socket is dry, reading pauses, or the turn is used up.
    pub(super) fn read(&mut self, after: &mut After) {
        self.answer_bell();
        let (mut bytes, mut reads, mut inflated) = (0, 0, TURN_INFLATED);
        while self.may_read() && bytes < TURN_BYTES && reads < TURN_READS && inflated > 0 {
            reads += 1;
            let dry = self.transport.as_ref().is_some_and(Transport::is_dry).then(|| self.linger.on_dry());
            let read = match dry {
                Some(Dry::Wait) => return, // the driver comes once more, since we may read
                Some(Dry::Look) => {
                    self.look_again();
                    let read = self.read_once(&mut inflated, after);
                    self.linger.looked(read.is_ready());
                    read
                }
                Some(Dry::Read) | None => self.read_once(&mut inflated, after),
            };
            match read {
                Poll::Pending => self.readable = false,
                Poll::Ready(Ok(0)) => self.stream_ended(after),
                Poll::Ready(Ok(count)) => {
                    bytes += count;
                    self.deadlines.heard = true;
                }
                Poll::Ready(Err(error)) => self.stream_failed(error, after),
            }
        }
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

    fn answer_bell(&mut self) {
        if self.bell.answer() {
            self.readable = true;
            self.blocked = false;
            self.linger.told();
        }
    }

    fn may_read(&self) -> bool {
        self.readable && !self.eof && !self.reading_is_paused() && self.transport.is_some()
    }

    /// Whether what the peer has sent may be waiting. Who closes reads on all the same, for the peer's close frame.
    pub(super) fn reading_is_paused(&self) -> bool {
        self.inbox.is_full() || self.fault.is_some() || self.paused && !self.is_closing()
    }

    fn read_once(&mut self, inflated: &mut usize, after: &mut After) -> Poll<io::Result<usize>> {
        if !self.unparsed.is_empty() {
            let mut bytes = std::mem::take(&mut self.unparsed);
            self.parse(&mut bytes, inflated, after);
            return Poll::Ready(Ok(bytes.len()));
        }
        let Some(transport) = &mut self.transport else { return Poll::Pending };
        let cx = &mut Context::from_waker(&self.waker);
        if transport.can_fill()
            && let Some(filled) =
                self.core.fill_payload(|payload, most| transport.poll_fill(cx, payload, most))
        {
            if matches!(filled, Poll::Ready(Ok(1..))) {
                self.parse(&mut [], inflated, after);
            }
            return filled;
        }
        scratch::lend(|scratch| {
            let Some(transport) = &mut self.transport else { return Poll::Pending };
            let read = transport.poll_read(&mut Context::from_waker(&self.waker), scratch);
            if let Poll::Ready(Ok(count)) = read
                && count > 0
            {
                self.parse(&mut scratch[..count], inflated, after);
            }
            read
        })
    }

    /// Takes events out of `input` while there is room for them. What an extension makes of it is counted down in `inflated`.
    fn parse(&mut self, mut input: &mut [u8], inflated: &mut usize, after: &mut After) {
        if matches!(self.phase, Phase::Draining(_)) {
            self.drain = self.drain.saturating_sub(input.len());
            return;
        }
        loop {
            if (self.inbox.is_full() || *inflated == 0) && !input.is_empty() {
                self.unparsed.extend_from_slice(input);
                return;
            }
            match self.core.find(&mut input, inflated) {
                Ok(Some(event)) => self.received(event, after),
                Ok(None) => {
                    self.unparsed.extend_from_slice(input);
                    return;
                }
                Err(error) => {
                    self.fault = Some(Box::new(error));
                    if self.inbox.is_empty() || self.is_closing() {
                        self.reach_fault(after);
                    } else {
                        self.deadlines.close_at(self.closing_limit());
                    }
                    return;
                }
            }
        }
    }

    /// What came before a fault is taken, and was answered: now the peer is told. So what a peer sees does not depend on how its
    /// bytes were cut into segments.
    pub(super) fn reach_fault(&mut self, after: &mut After) {
        if let Some(error) = self.fault.take() {
            let failed = self.core.fail(*error);
            self.failed(failed, after);
        }
    }

    fn received(&mut self, event: Event, after: &mut After) {
        match event {
            Event::Message(message) => {
                self.stats.messages_received += 1;
                self.stats.bytes_received += message.len() as u64;
                self.deliver(Item::Message(message), after);
            }
            Event::Piece(piece) => {
                self.stats.messages_received += u64::from(piece.message_finished);
                self.stats.bytes_received += piece.data.len() as u64;
                self.deliver(Item::Piece(piece), after);
            }
            Event::Ping(ping) => {
                self.stats.pings_received += 1;
                if self.config.on_ping.is_some() {
                    after.heard(Heard::Ping(bytes::Bytes::copy_from_slice(ping.payload())));
                }
            }
            Event::Pong(pong) => {
                self.stats.pongs_received += 1;
                if let Some(latency) = self.pings.answer(pong.payload(), now, after) {
                    self.stats.latency = Some(latency);
                }
                if self.config.on_pong.is_some() {
                    after.heard(Heard::Pong(bytes::Bytes::copy_from_slice(pong.payload())));
                }
            }
            Event::CloseConnection(_) => match &mut self.phase {
                Phase::Open => self.begin_closing(CloseCause::Handshake, after),
                Phase::Closing(cause) => *cause = CloseCause::Handshake,
                Phase::Draining(_) | Phase::Closed(_) => {}
            },
        }
    }

    fn deliver(&mut self, item: Item, after: &mut After) {
        self.deadlines.received = true;
        if self.discard {
            return;
        }
        self.inbox.push(item);
        if after.receiver.is_none() {
            after.receiver = self.receivers.first().cloned();
        }
    }

    /// Writes what is queued, as far as the transport takes it.
    pub(super) fn flush(&mut self, after: &mut After) {
        self.answer_bell();
        if self.blocked || self.half_closed {
            return;
        }
        self.queue_own();
        let had_room = self.has_room();
        let Some(transport) = &mut self.transport else { return };
        let before = self.out.written();
        let cx = &mut Context::from_waker(&self.waker);
        let mut outcome = self.out.poll_write(cx, transport, after);
        if !matches!(outcome, Poll::Ready(Err(_))) && self.flushed < self.out.written() {
            match transport.poll_flush(cx) {
                Poll::Ready(Ok(())) => {
                    self.flushed = self.out.written();
                    after.wake(self.flushers.wakers()); // each knows how far it has to come
                }
                unflushed => outcome = unflushed,
            }
        }
        if self.out.written() > before || outcome.is_ready() {
            self.deadlines.send_moved();
        }
        match outcome {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => self.write_failed(error, after),
            Poll::Pending => {
                self.blocked = true;
                if !self.is_closing() {
                    self.deadlines.send_stuck(now, &self.config);
                }
            }
        }
        if !had_room && self.has_room() {
            after.wake(self.senders.first().cloned());
        }
    }

    /// What the protocol has to say of its own accord. Pongs wait in it while nothing can be written, because it bounds them.
    fn queue_own(&mut self) {
        let core = &mut self.core;
        if core.wants_transmit() {
            self.out.control(|out| core.transmit_pongs(out));
            self.out.data(|out| core.transmit(out)); // a close frame, behind the data that was accepted before it
        }
    }

    /// A message was queued, or a piece of one.
    fn sent(&mut self, len: usize, finished: bool, after: &mut After) {
        self.stats.messages_sent += u64::from(finished);
        self.stats.bytes_sent += len as u64;
        self.queued(after);
    }

    /// Something was queued: the first of a turn goes out at once, unless more messages wait to be worked on.
    fn queued(&mut self, after: &mut After) {
        if !self.corked && self.inbox.is_empty() || self.out.len() >= FLUSH_FROM {
            self.corked = true;
            self.flush(after);
        }
    }
}

/// One turn reads this much, then others get theirs.
const TURN_BYTES: usize = 64 * 1024;
/// And inflates this much, before others may have the lock: some half a millisecond. A last step may go beyond it.
const TURN_INFLATED: usize = 256 * 1024;
/// And so many times: a transport that gives single bytes is not to hold the lock.
const TURN_READS: usize = 64;
/// What is queued goes out without waiting for the end of the turn when it is this much: a write of that size is at its best.
const FLUSH_FROM: usize = 64 * 1024;
/// Payloads from this size on are sent from where they lie; smaller ones are cheaper copied.
const ATTACHED_FROM: usize = 8 * 1024;
