//! What may take how long: when the next thing is due, and what it is. Pure: time is an argument.
//!
//! A connection has one timer, set to the earliest of these. It is not moved when something is put off: it goes off, finds that
//! nothing is due, and is set again. So the way of a message touches no clock.

use std::time::{Duration, Instant};

use super::ConnectionConfig;

/// All deadlines of one connection; `None` is not running.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// The next keepalive ping.
    ping: Option<Instant>,
    /// The answer to it, or any other byte.
    pong: Option<Instant>,
    /// Progress of a write that is stuck.
    send: Option<Instant>,
    /// The next message.
    receive: Option<Instant>,
    /// The end of the closing handshake, or of the stream after it.
    close: Option<Instant>,
    /// Whether a byte has come since the last keepalive ping.
    pub(super) heard: bool,
    /// Whether a message has come since the receive deadline was set.
    pub(super) received: bool,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A keepalive ping is to be sent.
    Ping,
    /// The peer has not been heard of for so long.
    Keepalive(Duration),
    /// Nothing could be written for so long.
    Send(Duration),
    /// No message has come for so long.
    Receive(Duration),
    /// Closing has taken long enough.
    Close,
}

impl Deadlines {
    /// The connection is open from `now` on.
    pub(super) fn open(now: Instant, config: &ConnectionConfig) -> Self {
        Self {
            ping: after(now, config.keepalive_interval),
            receive: after(now, config.receive_timeout),
            ..Self::default()
        }
    }

    /// The earliest of all.
    pub(super) fn next(&self) -> Option<Instant> {
        [self.ping, self.pong, self.send, self.receive, self.close].into_iter().flatten().min()
    }

    /// The next thing that is due at `now`, if any; to be asked until there is none. With `reading_paused` a silent peer is not
    /// a dead one: what it sent may be waiting.
    pub(super) fn due(
        &mut self,
        now: Instant,
        config: &ConnectionConfig,
        reading_paused: bool,
    ) -> Option<Due> {
        let is_due = |deadline: &mut Option<Instant>| deadline.take_if(|deadline| *deadline <= now).is_some();
        if is_due(&mut self.close) {
            return Some(Due::Close);
        }
        if is_due(&mut self.pong)
            && let Some(limit) = config.keepalive_timeout.filter(|_| !self.heard && !reading_paused)
        {
            return Some(Due::Keepalive(limit));
        }
        if is_due(&mut self.send)
            && let Some(limit) = config.send_timeout
        {
            return Some(Due::Send(limit));
        }
        if is_due(&mut self.receive)
            && let Some(limit) = config.receive_timeout
        {
            if !self.received && !reading_paused {
                return Some(Due::Receive(limit));
            }
            self.received = false;
            self.receive = now.checked_add(limit);
        }
        if is_due(&mut self.ping) {
            self.ping = after(now, config.keepalive_interval);
            if self.pong.is_none() {
                self.heard = false;
                self.pong = after(now, config.keepalive_timeout);
            }
            return Some(Due::Ping);
        }
        None
    }

    /// A write is stuck from `now` on, unless it was before.
    pub(super) fn send_stuck(&mut self, now: impl FnOnce() -> Instant, config: &ConnectionConfig) {
        if self.send.is_none() && config.send_timeout.is_some() {
            self.send = after(now(), config.send_timeout);
        }
    }

    /// A write made progress.
    pub(super) fn send_moved(&mut self) {
        self.send = None;
    }

    /// From here on only closing counts, and it has to be done at `deadline`.
    pub(super) fn close_at(&mut self, deadline: Option<Instant>) {
        *self = Self { close: deadline, ..Self::default() };
    }
}

/// Zero is off: what is due at once would be due for ever.
fn after(now: Instant, limit: Option<Duration>) -> Option<Instant> {
    limit.filter(|limit| !limit.is_zero()).and_then(|limit| now.checked_add(limit))
}
