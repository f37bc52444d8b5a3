//! Sending by polling, for the views that are sinks: a place among the senders, one among the flushers, one at the end.

use std::task::{Context, Poll, ready};

use super::{ConnectionClosed, SendError, WebSocketConnection, apart::Apart, end, send};
use crate::proto::{CloseCode, Message};
use crate::runtime::turns::Ticket;

pub(super) struct Outgoing {
    pub(super) ws: WebSocketConnection,
    room: Option<Ticket>,
    /// How far the flush under way has to come, and its place.
    flush: Option<(u64, Option<Ticket>)>,
    at_end: Option<Ticket>,
}

impl Outgoing {
    pub(super) fn new(ws: WebSocketConnection) -> Self {
        Self { ws, room: None, flush: None, at_end: None }
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionClosed>> {
        let Self { ws, room, .. } = self;
        send::poll_hold(ws.shared(), room, cx)
    }

    /// Queues a message, after [`poll_ready`](Self::poll_ready) has given it a place. A large one is compressed at once: there is no
    /// waiting here.
    pub(super) fn send(&mut self, message: Message) -> Result<(), SendError> {
        let Self { ws, room, .. } = self;
        let begun = ws.shared().work(|engine, after| {
            let begun = match engine.closed() {
                Some(closed) => Err(closed),
                None => engine.send_message(&message, false, after).map_err(|_| engine.refuse(after)),
            };
            if !matches!(begun, Ok(Some(_))) {
                send::leave(engine, room, after);
            }
            begun
        });
        let sent = begun.and_then(|begun| match begun {
            Some(work) => Apart::new(ws.shared(), work).queue(room),
            None => Ok(()),
        });
        sent.map_err(|closed| SendError { message, closed })
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionClosed>> {
        let Self { ws, flush, .. } = self;
        let polled = ws.shared().work(|engine, after| {
            let (position, ticket) = flush.get_or_insert_with(|| (engine.out.queued(), None));
            send::poll_flushed(engine, *position, ticket, cx, after)
        });
        let flushed = ready!(polled);
        *flush = None;
        Poll::Ready(flushed)
    }

    /// Closes with 1000, and waits for the end.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionClosed>> {
        self.ws.close(CloseCode::NORMAL_CLOSURE);
        let Self { ws, at_end, .. } = self;
        let closed = ready!(ws.shared().work(|engine, after| end::poll_end(engine, at_end, cx, after)));
        Poll::Ready(if closed.frames().received.is_some() { Ok(()) } else { Err(closed) })
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let Self { ws, room, flush, at_end } = self;
        let mut flush = flush.take().and_then(|(_, ticket)| ticket);
        if room.is_some() || flush.is_some() || at_end.is_some() {
            ws.shared().work(|engine, after| {
                send::leave(engine, room, after);
                engine.flushers.leave(&mut flush, after);
                engine.enders.leave(at_end, after);
            });
        }
    }
}
