//! Answers to pings that are not written yet (RFC 6455 §5.5.2, §5.5.3).

use super::{config::Config, event::Ping};

/// A queue of at most [`Config::MAX_UNSENT_PONGS`] pongs. When it is full, the latest ping takes the place of the last one: "may
/// elect to send a Pong frame for only the most recently processed Ping". Memory is O(1), however many pings come and
/// however long the peer does not read.
#[derive(Debug, Default)]
pub(super) struct Pongs {
    /// One length byte and the payload of each: a queue of empty pongs takes no room to speak of.
    queued: Vec<u8>,
    count: usize,
    /// Where the last one begins.
    last: usize,
}

impl Pongs {
    /// Queues the answer to `ping`.
    pub(super) fn push(&mut self, ping: &Ping) {
        if self.count == Config::MAX_UNSENT_PONGS {
            self.queued.truncate(self.last);
        } else {
            self.count += 1;
        }
        self.last = self.queued.len();
        self.queued.push(ping.payload().len() as u8); // a control payload: at most 125
        self.queued.extend_from_slice(ping.payload());
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Empties the queue: the payloads, oldest first.
    pub(super) fn drain(&mut self, mut write: impl FnMut(&[u8])) {
        let mut rest = &self.queued[..];
        while let Some((&len, tail)) = rest.split_first() {
            let (payload, tail) = tail.split_at(usize::from(len));
            write(payload);
            rest = tail;
        }
        self.clear();
    }

    /// Forgets all: after a close frame nothing may be sent.
    pub(super) fn clear(&mut self) {
        self.queued.clear();
        self.count = 0;
    }
}
