//! Waiting for room to send, and for what was sent to be out.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use super::{ConnectionClosed, after::After, engine::Engine, place::Place, shared::Shared, turns::Ticket};
use crate::proto::Message;

/// Why a message was not sent. It is given back.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message was not sent: {closed}")]
#[non_exhaustive]
pub struct SendError {
    /// The message, unsent.
    pub message: Message,
    /// What keeps it from being sent.
    #[source]
    pub closed: ConnectionClosed,
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("len", &self.message.len()).field("closed", &self.closed).finish()
    }
}

/// Waits for room, in the order in which senders came, and queues a message.
pub(super) struct Send<'a> {
    shared: &'a Shared,
    message: Option<Message>,
    ticket: Option<Ticket>,
}

impl<'a> Send<'a> {
    pub(super) fn new(shared: &'a Shared, message: Message) -> Self {
        Self { shared, message: Some(message), ticket: None }
    }
}

impl Future for Send<'_> {
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Nobody polls a future again that was ready: that is the contract of `Future`.
        let Some(message) = this.message.take() else { panic!("polled after it was ready") };
        let outcome = this.shared.work(|engine, after| {
            if let Some(room) = poll_room(engine, &mut this.ticket, cx, after) {
                let outcome = room.and_then(|()| match engine.send_message(&message, after) {
                    Ok(()) => Ok(()),
                    Err(_) => Err(engine.refuse(after)),
                });
                leave(engine, &mut this.ticket, after);
                Some(outcome)
            } else {
                None
            }
        });
        match outcome {
            Some(Ok(())) => Poll::Ready(Ok(())),
            Some(Err(closed)) => Poll::Ready(Err(SendError { message, closed })),
            None => {
                this.message = Some(message);
                Poll::Pending
            }
        }
    }
}

impl Drop for Send<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.shared.work(|engine, after| leave(engine, &mut self.ticket, after));
        }
    }
}

/// Whether it is the turn of `ticket` and there is room. `None`: not yet, and the task will be woken.
pub(super) fn poll_room(
    engine: &mut Engine,
    ticket: &mut Option<Ticket>,
    cx: &mut Context<'_>,
    after: &mut After,
) -> Option<Result<(), ConnectionClosed>> {
    if let Some(closed) = engine.closed() {
        return Some(Err(closed));
    }
    let first = engine.senders.is_first(*ticket);
    if first && !engine.has_room() {
        engine.flush(after);
        if let Some(closed) = engine.closed() {
            return Some(Err(closed));
        }
    }
    if first && engine.has_room() {
        return Some(Ok(()));
    }
    engine.senders.wait(ticket, cx.waker(), after);
    None
}

/// Gives the place up; who is first now has to look.
pub(super) fn leave(engine: &mut Engine, ticket: &mut Option<Ticket>, after: &mut After) {
    if engine.senders.leave(ticket, after) {
        after.wake(engine.senders.first().cloned());
    }
}

/// Waits until the kernel has all that was queued when this began.
pub(super) async fn flush(shared: &Shared) -> Result<(), ConnectionClosed> {
    let position = shared.with(|engine, _| engine.out.queued());
    let mut place = Place::new(shared, |engine| &mut engine.flushers);
    poll_fn(|cx| {
        let ticket = &mut place.ticket;
        shared.work(|engine, after| poll_flushed(engine, position, ticket, cx, after))
    })
    .await
}

/// Whether the kernel has all up to `position`.
pub(super) fn poll_flushed(
    engine: &mut Engine,
    position: u64,
    ticket: &mut Option<Ticket>,
    cx: &mut Context<'_>,
    after: &mut After,
) -> Poll<Result<(), ConnectionClosed>> {
    if !engine.is_flushed(position) {
        engine.flush(after);
    }
    let outcome = match engine.closed() {
        _ if engine.is_flushed(position) => Ok(()),
        Some(closed) if engine.is_over() => Err(closed),
        Some(_) | None => {
            engine.flushers.wait(ticket, cx.waker(), after);
            return Poll::Pending;
        }
    };
    engine.flushers.leave(ticket, after);
    Poll::Ready(outcome)
}
