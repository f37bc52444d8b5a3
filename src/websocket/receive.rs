//! Waiting for what comes.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use super::{ConnectionClosed, after::After, engine::Engine, inbox::Inbox, shared::Shared};
use crate::runtime::turns::Ticket;

/// Waits for the next item that `take` finds in the inbox. The receivers of a connection are served in the order in which they
/// came; only the first looks at the inbox, and reads when there is nothing.
pub(super) struct Receive<'a, T> {
    shared: &'a Shared,
    take: fn(&mut Inbox) -> Option<T>,
    ticket: Option<Ticket>,
}

impl<'a, T> Receive<'a, T> {
    pub(super) fn new(shared: &'a Shared, take: fn(&mut Inbox) -> Option<T>) -> Self {
        Self { shared, take, ticket: None }
    }
}

impl<T> Future for Receive<'_, T> {
    type Output = Result<T, ConnectionClosed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.shared.work(|engine, after| poll(engine, this.take, &mut this.ticket, cx, after))
    }
}

impl<T> Drop for Receive<'_, T> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.shared.work(|engine, after| leave(engine, &mut self.ticket, after));
        }
    }
}

/// The same for who keeps the ticket elsewhere.
pub(super) fn poll<T>(
    engine: &mut Engine,
    take: fn(&mut Inbox) -> Option<T>,
    ticket: &mut Option<Ticket>,
    cx: &mut Context<'_>,
    after: &mut After,
) -> Poll<Result<T, ConnectionClosed>> {
    let first = engine.receivers.is_first(*ticket);
    // After the end nobody waits behind one who does not come to take his turn.
    if first || engine.discards() || engine.is_closing() {
        let mut taken = take(&mut engine.inbox);
        if taken.is_none() && !engine.discards() {
            engine.read(after);
            taken = take(&mut engine.inbox);
            if taken.is_none() {
                engine.reach_fault(after);
            }
        }
        let outcome = taken.map(Ok).or_else(|| engine.closed().map(Err));
        if let Some(outcome) = outcome {
            leave(engine, ticket, after);
            return Poll::Ready(outcome);
        }
    }
    engine.receivers.wait(ticket, cx.waker(), after);
    if first {
        let replaced = engine.bell.set_receiver(Some(cx.waker()));
        after.drop_waker(replaced);
    }
    Poll::Pending
}

/// Gives the place up; who is first now has to look.
pub(super) fn leave(engine: &mut Engine, ticket: &mut Option<Ticket>, after: &mut After) {
    if engine.receivers.leave(ticket, after) {
        let next = engine.receivers.first().cloned();
        let replaced = engine.bell.set_receiver(next.as_ref());
        after.drop_waker(replaced);
        after.wake(next);
    }
}
