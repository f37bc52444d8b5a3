//! Bytes on their way out.
//!
//! ```text
//!   control (pings, pongs) ──┐
//!                            ├──▶ writing ──▶ transport      the next batch is formed only when this one is out
//!   data (messages, close) ──┘
//! ```
//!
//! `writing` is immutable until its last byte is out: what a write has answered with Pending must be offered again unchanged,
//! because OpenSSL counts it as taken. So nothing is ever put in front of what is under way.

use std::{
    cell::Cell,
    collections::VecDeque,
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};

use bytes::Bytes;

use super::{after::After, spare};
use crate::runtime::Transport;

#[derive(Default)]
pub(super) struct OutQueue {
    writing: Batch,
    control: Vec<u8>,
    data: Batch,
    /// Bytes that were ever queued, and that were ever written: how far a flush has to wait.
    queued: u64,
    written: u64,
}

/// Bytes with payloads in between that are sent from where they lie.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Of `bytes`, these are out.
    done: usize,
    /// Where in `bytes` each belongs; of the first, `attached_done` are out.
    attached: VecDeque<(usize, Bytes)>,
    attached_done: usize,
}

impl OutQueue {
    /// Bytes that are not out yet.
    pub(super) const fn len(&self) -> usize {
        (self.queued - self.written) as usize // both count the same memory
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.queued == self.written
    }

    /// How much was ever queued: when [`written`](Self::written) has come there, all that is queued now is out.
    pub(super) const fn queued(&self) -> u64 {
        self.queued
    }

    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Lets `write` append frames that must not wait for data.
    pub(super) fn control<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let before = self.control.len();
        let outcome = write(&mut self.control);
        self.queued += (self.control.len() - before) as u64;
        outcome
    }

    /// Lets `write` append data frames, or a close frame, which follows the data that was accepted before it.
    pub(super) fn data<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        if self.data.bytes.capacity() == 0 {
            self.data.bytes = spare::take(&SPARES);
        }
        let before = self.data.bytes.len();
        let outcome = write(&mut self.data.bytes);
        self.queued += (self.data.bytes.len() - before) as u64;
        outcome
    }

    /// Appends a payload, or a whole frame, that is sent from where it lies.
    pub(super) fn attach(&mut self, payload: Bytes) {
        self.queued += payload.len() as u64;
        self.data.attached.push_back((self.data.bytes.len(), payload));
    }

    /// Writes until all is out. Payloads that are through are dropped afterwards.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        transport: &mut Transport,
        after: &mut After,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            if self.writing.is_empty() {
                self.form_batch();
            }
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = self.writing.slices(&mut slices);
            let written = ready!(transport.poll_write_vectored(cx, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.writing.advance(written, after);
            self.written += written as u64;
        }
        self.writing.retire();
        self.data.retire();
        Poll::Ready(Ok(()))
    }

    /// Forgets all. To be dropped outside of the lock.
    pub(super) fn clear(&mut self) -> impl Send + use<> {
        self.written = self.queued;
        self.control = Vec::new();
        (std::mem::take(&mut self.writing), std::mem::take(&mut self.data))
    }

    fn form_batch(&mut self) {
        self.writing.clear();
        std::mem::swap(&mut self.writing, &mut self.data);
        if !self.control.is_empty() {
            // Control frames go first, between two batches. They are few and small, so what moves is mostly empty space.
            let len = self.control.len();
            self.writing.bytes.splice(0..0, self.control.drain(..));
            self.writing.attached.iter_mut().for_each(|(at, _)| *at += len);
        }
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.done == self.bytes.len() && self.attached.is_empty()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.done = 0;
    }

    /// What is still to be written, as far as there are slices; says how many.
    fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES]) -> usize {
        let (mut at, mut skip, mut count) = (self.done, self.attached_done, 0);
        for (place, payload) in &self.attached {
            for part in [&self.bytes[at..*place], &payload[skip..]] {
                if !part.is_empty() {
                    if count == MAX_SLICES {
                        return count;
                    }
                    slices[count] = IoSlice::new(part);
                    count += 1;
                }
            }
            (at, skip) = (*place, 0);
        }
        if at < self.bytes.len() && count < MAX_SLICES {
            slices[count] = IoSlice::new(&self.bytes[at..]);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut written: usize, after: &mut After) {
        while let Some((place, payload)) = self.attached.front() {
            let before = (*place - self.done).min(written);
            self.done += before;
            written -= before;
            let of_payload = (payload.len() - self.attached_done).min(written);
            if self.done < *place {
                return;
            }
            self.attached_done += of_payload;
            written -= of_payload;
            if self.attached_done < payload.len() {
                return;
            }
            self.attached_done = 0;
            if let Some((_, payload)) = self.attached.pop_front() {
                after.sent(payload);
            }
        }
        self.done += written;
    }

    /// All is out: what an idle connection keeps is nothing.
    fn retire(&mut self) {
        if self.bytes.capacity() > 0 {
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.clear();
            self.done = 0;
            if bytes.capacity() <= KEPT {
                spare::give_back(&SPARES, bytes);
            }
        }
        if self.attached.capacity() > 0 {
            self.attached = VecDeque::new();
        }
    }
}

thread_local! {
    static SPARES: Cell<Vec<Vec<u8>>> = const { Cell::new(Vec::new()) };
}

/// Slices of one write.
const MAX_SLICES: usize = 16;

/// Capacity of a buffer that the thread keeps: a full turn and the message that filled it.
const KEPT: usize = 128 * 1024;
