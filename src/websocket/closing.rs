//! How a connection ends: whoever begins, whatever happens, in one direction.
//!
//! ```text
//!   Open ──── a close frame, sent or received ────▶ Closing ── both are out ──▶ Draining ──┬──▶ Closed
//!     │  └─── a fault of the protocol, of a write ───┘ │                                   │
//!     └── abort; a deadline; a read that failed ───────┴── out of time ────────────────────┘
//! ```

use std::{
    io,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{
    CloseCause, ConnectionClosed, ConnectionConfig,
    after::After,
    deadlines::{Deadlines, Due},
    engine::Engine,
};
use crate::{
    proto::{CloseCode, CloseConnection, CloseReason, ConnectionState, Failed, Ping, Role},
    runtime::now,
};

/// How far the connection is on its way to the end. Nothing goes back.
pub(super) enum Phase {
    Open,
    /// A close frame was sent or received, or is about to be. The rest of it is under way.
    Closing(CloseCause),
    /// All is said, and the stream has to end.
    Draining(CloseCause),
    /// The transport is gone.
    Closed(ConnectionClosed),
}

impl Engine {
    /// How the connection ended or is ending; `None` while it is open.
    pub(super) fn closed(&self) -> Option<ConnectionClosed> {
        match &self.phase {
            Phase::Open => None,
            Phase::Closing(cause) | Phase::Draining(cause) => Some(self.closed_by(cause.clone())),
            Phase::Closed(closed) => Some(closed.clone()),
        }
    }

    /// What is said of the end, as far as it has come.
    fn closed_by(&self, cause: CloseCause) -> ConnectionClosed {
        // It is there while anybody can ask: who asks came by it.
        let peer = self.shared.upgrade().map(|shared| shared.facts.peer());
        ConnectionClosed::new(peer.unwrap_or_default(), self.core.close_frames().clone(), cause)
    }

    /// Whether the end has come.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Closed(_))
    }

    pub(super) fn is_closing(&self) -> bool {
        !matches!(self.phase, Phase::Open)
    }

    /// Whether messages are read that nobody will be given.
    pub(super) fn discards(&self) -> bool {
        self.discard
    }

    /// Closes: what was accepted goes out, then the close frame; what comes is thrown away from now on.
    pub(super) fn close(&mut self, close: CloseConnection, after: &mut After) {
        if self.is_over() {
            return;
        }
        self.discard_input(after);
        if matches!(self.phase, Phase::Open) {
            let core = &mut self.core;
            let sent = self.out.data(|out| core.send(close, out));
            debug_assert!(sent.is_ok(), "an open connection can be closed: {sent:?}");
            self.begin_closing(CloseCause::Handshake, after);
        }
        self.flush(after);
    }

    /// Ends it at once: the transport is dropped.
    pub(super) fn abort(&mut self, after: &mut After) {
        self.discard_input(after);
        self.end(CloseCause::Aborted, after);
    }

    /// The last handle is gone: closes with 1000, unless the turn under way ends with something else to say.
    pub(super) fn orphan(&mut self, after: &mut After) {
        self.orphaned = true;
        self.discard_input(after);
    }

    /// The answer to who wants to send what cannot be sent. What is open takes any message, unless a bug of ours left another
    /// unfinished; then the place in the stream is lost.
    pub(super) fn refuse(&mut self, after: &mut After) -> ConnectionClosed {
        if matches!(self.phase, Phase::Open) {
            self.abort(after);
        }
        self.closed().unwrap_or_else(|| self.closed_by(CloseCause::Aborted))
    }

    /// Nobody will ask for what has come.
    pub(super) fn discard_input(&mut self, after: &mut After) {
        self.discard = true;
        self.reach_fault(after);
        if !self.inbox.is_empty() {
            after.drop(self.inbox.clear());
        }
        after.wake(self.receivers.dissolve());
    }

    pub(super) fn begin_closing(&mut self, cause: CloseCause, after: &mut After) {
        let deadline = match cause {
            CloseCause::Handshake => self.config.close_timeout.and_then(|limit| now().checked_add(limit)),
            _ => self.closing_limit(),
        };
        self.deadlines.close_at(deadline);
        self.phase = Phase::Closing(cause);
        after.wake(self.senders.dissolve());
        after.wake(self.pings.dissolve());
        after.wake(self.receivers.wakers());
    }

    /// A connection that has failed is not waited for without a bound.
    pub(super) fn closing_limit(&self) -> Option<Instant> {
        now().checked_add(self.config.close_timeout.unwrap_or(ConnectionConfig::CLOSE_TIMEOUT))
    }

    /// The protocol has failed; what tells the peer is queued.
    pub(super) fn failed(&mut self, failed: Failed, after: &mut After) {
        let cause = match failed {
            Failed::Peer(error) => CloseCause::Protocol(error),
            Failed::UnexpectedEof => CloseCause::UnexpectedEof,
            Failed::PayloadBufferMisused => CloseCause::Network(io::Error::other(failed).into()),
        };
        match &self.phase {
            Phase::Open => self.begin_closing(cause, after),
            Phase::Closing(_) => self.phase = Phase::Closing(cause),
            Phase::Draining(_) | Phase::Closed(_) => {}
        }
    }

    pub(super) fn stream_ended(&mut self, after: &mut After) {
        self.eof = true;
        if let Err(failed) = self.core.receive_eof() {
            self.failed(failed, after);
        }
        self.go_on_closing(after);
    }

    pub(super) fn stream_failed(&mut self, error: io::Error, after: &mut After) {
        let cause = match &self.phase {
            Phase::Open => CloseCause::Network(error.into()),
            // After the peer's close frame the way in which its socket goes is of no interest.
            Phase::Closing(cause) | Phase::Draining(cause) if self.core.close_frames().received.is_some() => {
                cause.clone()
            }
            Phase::Closing(CloseCause::Handshake) => CloseCause::Network(error.into()),
            Phase::Closing(cause) | Phase::Draining(cause) => cause.clone(),
            Phase::Closed(_) => return,
        };
        self.end(cause, after);
    }

    /// Nothing can be written any more; what the peer has said before may still be read, its close frame perhaps.
    pub(super) fn write_failed(&mut self, error: io::Error, after: &mut After) {
        after.drop(self.out.clear());
        self.reach_fault(after);
        self.half_closed = true;
        self.readable = true;
        match &self.phase {
            Phase::Open => self.begin_closing(CloseCause::Network(error.into()), after),
            Phase::Closing(_) => self.deadlines.close_by(self.closing_limit()),
            Phase::Draining(_) | Phase::Closed(_) => {}
        }
    }

    /// Goes on from one phase to the next as far as it can.
    pub(super) fn go_on_closing(&mut self, after: &mut After) {
        if let Phase::Closing(cause) = &self.phase {
            let said = self.core.state() == ConnectionState::Closed
                && self.out.is_empty()
                && !self.core.wants_transmit();
            if self.eof && (said || self.half_closed || self.core.failed() == Some(Failed::UnexpectedEof)) {
                let cause = cause.clone();
                self.end(cause, after);
            } else if said && !self.half_closed {
                let cause = cause.clone();
                self.deadlines.close_at(now().checked_add(ConnectionConfig::DRAIN_TIMEOUT));
                self.phase = Phase::Draining(cause);
                self.unparsed = Vec::new();
            }
        }
        let Phase::Draining(cause) = &self.phase else { return };
        let cause = cause.clone();
        // The server hangs up first (RFC 6455 §7.1.1): the kernel keeps the state of a closed connection on that side.
        if self.core.role() == Role::Server && !self.half_closed {
            let cx = &mut Context::from_waker(&self.waker);
            let shut = self.transport.as_mut().map_or(Poll::Pending, |transport| transport.poll_close(cx));
            self.half_closed = shut.is_ready();
        }
        self.read(after);
        if self.eof || self.drain == 0 {
            self.end(cause, after);
        }
    }

    pub(super) fn see_to_deadlines(&mut self, after: &mut After) {
        let now = now();
        let config = self.config.clone();
        while let Some(due) = self.deadlines.due(now, &config, self.reading_is_paused()) {
            match due {
                Due::Ping => self.keepalive(now, after),
                Due::Keepalive(limit) => {
                    self.tell(CloseCode::INTERNAL_ERROR, "keepalive ping timeout", after);
                    self.end(CloseCause::KeepaliveTimeout { limit }, after);
                }
                Due::Send(limit) => self.end(CloseCause::SendTimeout { limit }, after),
                Due::Receive(limit) => {
                    self.tell(CloseCode::POLICY_VIOLATION, "no message in time", after);
                    self.end(CloseCause::ReceiveTimeout { limit }, after);
                }
                Due::Close => self.closing_took_too_long(after),
            }
        }
    }

    fn keepalive(&mut self, now: Instant, after: &mut After) {
        // Where reading is paused there is no verdict, and a write is the only way to find out that nobody is there any more.
        if self.blocked || !self.pings.make_room(ConnectionConfig::MAX_PINGS_IN_FLIGHT) {
            return; // nothing gets through; the verdict comes all the same
        }
        let payload = self.ping_payload();
        if let Ok(ping) = Ping::new(&payload)
            && self.send_control(ping.clone(), after).is_ok()
        {
            self.pings.push(ping, now, None);
            self.stats.pings_sent += 1;
        }
    }

    /// One try to say why, before the end.
    fn tell(&mut self, code: CloseCode, why: &'static str, after: &mut After) {
        let core = &mut self.core;
        let close = CloseConnection::new(CloseReason::truncated(code, why));
        if self.out.data(|out| core.send(close, out)).is_ok() {
            self.flush(after);
        }
    }

    fn closing_took_too_long(&mut self, after: &mut After) {
        let cause = match &self.phase {
            Phase::Closing(CloseCause::Handshake) => {
                CloseCause::CloseTimeout { limit: self.config.close_timeout.unwrap_or(Duration::ZERO) }
            }
            Phase::Closing(cause) | Phase::Draining(cause) => cause.clone(),
            Phase::Open => return self.reach_fault(after),
            Phase::Closed(_) => return,
        };
        self.end(cause, after);
    }

    fn end(&mut self, cause: CloseCause, after: &mut After) {
        if self.is_over() {
            return;
        }
        self.phase = Phase::Closed(self.closed_by(cause));
        self.deadlines = Deadlines::default();
        after.drop((self.transport.take(), self.out.clear(), std::mem::take(&mut self.unparsed)));
        after.wake(self.senders.dissolve());
        after.wake(self.pings.dissolve());
        after.wake(self.receivers.wakers());
        after.wake(self.flushers.dissolve());
        after.wake(self.enders.dissolve());
        after.driver = self.bell.driver();
    }
}

/// After the closing handshake so much is read and thrown away, so that the kernel need not answer it with a reset.
pub(super) const DRAIN_BYTES: usize = 1 << 20;
