//! Waiting for room to send, and for what was sent to be out.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use super::{ConnectionClosed, after::After, apart::Apart, engine::Engine, place::Place, shared::Shared};
use crate::proto::Message;
use crate::runtime::turns::Ticket;

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
    apart: Option<Box<Apart<'a>>>,
    shared: &'a Shared,
    message: Option<Message>,
    /// It is not compressed.
    plain: bool,
    ticket: Option<Ticket>,
}

impl<'a> Send<'a> {
    pub(super) fn new(shared: &'a Shared, message: Message, plain: bool) -> Self {
        Self { apart: None, shared, message: Some(message), plain, ticket: None }
    }

    /// Queues `message`, or begins to compress it, when there is room.
    fn poll_begin(&mut self, message: &Message, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionClosed>> {
        let Self { shared, ticket, plain, .. } = self;
        let begun = shared.work(|engine, after| {
            let room = ready!(poll_room(engine, ticket, cx, after));
            let begun = room
                .and_then(|()| engine.send_message(message, *plain, after).map_err(|_| engine.refuse(after)));
            match &begun {
                Ok(Some(_)) => hold(engine, ticket, after),
                Ok(None) | Err(_) => leave(engine, ticket, after),
            }
            Poll::Ready(begun)
        });
        match ready!(begun)? {
            None => Poll::Ready(Ok(())),
            Some(work) => self.poll_apart(Box::new(Apart::new(self.shared, work)), cx),
        }
    }

    /// Goes on with compressing, and queues what becomes of it.
    fn poll_apart(
        &mut self,
        mut apart: Box<Apart<'a>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), ConnectionClosed>> {
        if apart.poll_step(cx).is_pending() {
            self.apart = Some(apart);
            return Poll::Pending;
        }
        Poll::Ready(apart.queue(&mut self.ticket))
    }
}

impl Future for Send<'_> {
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Nobody polls a future again that was ready: that is the contract of `Future`.
        let Some(message) = self.message.take() else { panic!("polled after it was ready") };
        let outcome = match self.apart.take() {
            Some(apart) => self.poll_apart(apart, cx),
            None => self.poll_begin(&message, cx),
        };
        match outcome {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(closed)) => Poll::Ready(Err(SendError { message, closed })),
            Poll::Pending => {
                self.message = Some(message);
                Poll::Pending
            }
        }
    }
}

impl Drop for Send<'_> {
    fn drop(&mut self) {
        self.apart = None; // before another sender begins
        if self.ticket.is_some() {
            self.shared.work(|engine, after| leave(engine, &mut self.ticket, after));
        }
    }
}

/// Whether it is the turn of `ticket` and there is room. Pending: not yet, and the task will be woken.
fn poll_room(
    engine: &mut Engine,
    ticket: &mut Option<Ticket>,
    cx: &mut Context<'_>,
    after: &mut After,
) -> Poll<Result<(), ConnectionClosed>> {
    if let Some(closed) = engine.closed() {
        return Poll::Ready(Err(closed));
    }
    let first = engine.senders.is_first(*ticket);
    if first && !engine.has_room() {
        engine.flush(after);
        if let Some(closed) = engine.closed() {
            return Poll::Ready(Err(closed));
        }
    }
    if first && engine.has_room() {
        return Poll::Ready(Ok(()));
    }
    engine.senders.wait(ticket, cx.waker(), after);
    Poll::Pending
}

/// Waits for room as [`poll_room`] does, and keeps the place: nobody comes between this and what is sent.
pub(super) fn poll_hold(
    shared: &Shared,
    ticket: &mut Option<Ticket>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), ConnectionClosed>> {
    shared.work(|engine, after| {
        ready!(poll_room(engine, ticket, cx, after))?;
        hold(engine, ticket, after);
        Poll::Ready(Ok(()))
    })
}

/// Keeps the first place, for who has found room.
fn hold(engine: &mut Engine, ticket: &mut Option<Ticket>, after: &mut After) {
    if ticket.is_none() {
        engine.senders.wait(ticket, Waker::noop(), after); // the queue is empty: this place is the first
    }
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
