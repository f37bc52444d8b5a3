//! A large message on its way through compression: outside of the lock, and in steps between which others have their turn.

use std::task::{Context, Poll};

use super::{ConnectionClosed, send, shared::Shared};
use crate::proto::Transforming;
use crate::runtime::turns::Ticket;

/// Compression of one message, or of a piece of one. Who does it keeps the first place among the senders, so the order of messages
/// stays. Dropped before it has been [`queue`](Self::queue)d, it was never begun.
pub(super) struct Apart<'a> {
    shared: &'a Shared,
    /// `None` when it has been given back, which ends this value too.
    work: Option<Transforming>,
}

impl<'a> Apart<'a> {
    pub(super) fn new(shared: &'a Shared, work: Transforming) -> Self {
        Self { shared, work: Some(work) }
    }

    /// One step. Pending: there are more, and the task is woken for the next.
    pub(super) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.work.as_mut().is_none_or(|work| work.step(STEP)) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Queues the result, and gives up the place `ticket`. What is left to do is done now, for those who cannot wait.
    pub(super) fn queue(mut self, ticket: &mut Option<Ticket>) -> Result<(), ConnectionClosed> {
        let Some(mut work) = self.work.take() else { return Ok(()) };
        while !work.step(STEP) {}
        self.shared.work(|engine, after| {
            let outcome = match engine.closed() {
                Some(closed) => {
                    after.drop(work);
                    Err(closed)
                }
                None => engine.send_transformed(work, after).map_err(|_| engine.refuse(after)),
            };
            send::leave(engine, ticket, after);
            outcome
        })
    }
}

impl Drop for Apart<'_> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.shared.with(|engine, after| after.drop(engine.core.withdraw(work)));
        }
    }
}

/// Messages longer than this are compressed apart: a shorter one takes no longer than a read does.
pub(super) const APART_FROM: usize = 16 * 1024;

/// Bytes of a message between two turns of others: 0.2 ms at the level `Fast`.
const STEP: usize = 64 * 1024;
