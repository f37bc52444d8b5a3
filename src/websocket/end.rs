//! Waiting for the end of a connection.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use super::{ConnectionClosed, after::After, engine::Engine, place::Place, shared::Shared};
use crate::runtime::turns::Ticket;

/// Waits until the connection is closed and its transport gone.
pub(super) async fn wait_closed(shared: &Shared) -> ConnectionClosed {
    let mut place = Place::new(shared, |engine| &mut engine.enders);
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
            engine.enders.leave(ticket, after);
            Poll::Ready(closed)
        }
        Some(_) | None => {
            engine.enders.wait(ticket, cx.waker(), after);
            Poll::Pending
        }
    }
}
