//! Waiting for the end of a connection.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use super::{ConnectionClosed, after::After, engine::Engine, shared::Shared, turns::Ticket};

/// Waits until the connection is closed and its transport gone.
pub(super) async fn wait_closed(shared: &Shared) -> ConnectionClosed {
    let mut place = Place { shared, ticket: None };
    poll_fn(|cx| {
        let ticket = &mut place.ticket;
        shared.work(|engine, after| poll_end(engine, ticket, cx, after))
    })
    .await
}

pub(super) fn poll_end(
    engine: &mut Engine,
    ticket: &mut Option<Ticket>,
    cx: &mut Context<'_>,
    after: &mut After,
) -> Poll<ConnectionClosed> {
    match engine.closed() {
        Some(closed) if engine.is_over() => {
            leave(engine, ticket.take(), after);
            Poll::Ready(closed)
        }
        Some(_) | None => {
            let replaced = engine.enders.wait(ticket, cx.waker());
            after.drop_waker(replaced);
            Poll::Pending
        }
    }
}

/// All who wait are woken at once, so nobody is owed anything.
pub(super) fn leave(engine: &mut Engine, ticket: Option<Ticket>, after: &mut After) {
    if let Some(ticket) = ticket {
        let (left, _) = engine.enders.leave(ticket);
        after.drop_waker(left);
    }
}

struct Place<'a> {
    shared: &'a Shared,
    ticket: Option<Ticket>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.with(|engine, after| leave(engine, Some(ticket), after));
        }
    }
}
