//! What a connection's engine reads, and what becomes of it.

use std::{
    io,
    task::{Context, Poll},
};

use super::{
    CloseCause,
    after::{After, Heard},
    closing::Phase,
    engine::Engine,
    inbox::Item,
    linger::Dry,
    scratch,
};
use crate::{
    proto::Event,
    runtime::{Transport, now},
};

impl Engine {
    /// Reads nothing until it is told to go on.
    pub(super) fn pause_reading(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Reads until the socket is dry, reading pauses, or the turn is used up.
    pub(super) fn read(&mut self, after: &mut After) {
        self.answer_bell();
        let (mut bytes, mut reads, mut inflated) = (0, 0, TURN_INFLATED);
        while self.may_read() && self.goes_on(bytes) && reads < TURN_READS && inflated > 0 {
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

    pub(super) fn may_read(&self) -> bool {
        self.readable && !self.eof && !self.reading_is_paused() && self.transport.is_some()
    }

    /// Whether what the peer has sent may be waiting. Who closes reads on all the same, for the peer's close frame.
    pub(super) fn reading_is_paused(&self) -> bool {
        self.inbox.is_full() || self.fault.is_some() || self.paused && !self.is_closing()
    }

    /// Whether a turn that has read so much reads more. The rest of a large message may come on top of a full scratch, which is only
    /// its beginning: many that are read in slices by turns push each other out of the cache.
    fn goes_on(&mut self, bytes: usize) -> bool {
        bytes < TURN_BYTES || bytes == TURN_BYTES && self.is_filling()
    }

    /// Whether the next read goes straight into the buffer of a message.
    fn is_filling(&mut self) -> bool {
        self.transport.as_ref().is_some_and(Transport::can_fill)
            && self.core.fill_payload(|_, most| most).is_some()
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
}

/// One turn reads this much, and then the rest of a large message at once; then others get theirs.
const TURN_BYTES: usize = 64 * 1024;
/// And inflates this much, before others may have the lock: some half a millisecond. A last step may go beyond it.
const TURN_INFLATED: usize = 256 * 1024;
/// And so many times: a transport that gives single bytes is not to hold the lock.
const TURN_READS: usize = 64;
