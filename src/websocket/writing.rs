//! What a connection's engine is given to send, and how that goes out.

use std::task::{Context, Poll};

use super::{after::After, apart::APART_FROM, engine::Engine};
use crate::{
    proto::{Event, LocalError, Message, Piece, Transforming},
    runtime::{Transport, now},
};

impl Engine {
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
        if attaches(self.transport.as_ref(), message.len())
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
        if attaches(self.transport.as_ref(), frame.len()) {
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

/// Whether so much is sent from where it lies.
fn attaches(transport: Option<&Transport>, len: usize) -> bool {
    len >= ATTACHED_FROM && transport.is_some_and(Transport::gathers)
}

/// What is queued goes out without waiting for the end of the turn when it is this much: a write of that size is at its best.
const FLUSH_FROM: usize = 64 * 1024;
/// Payloads from this size on are sent from where they lie; smaller ones are cheaper copied.
const ATTACHED_FROM: usize = 8 * 1024;
