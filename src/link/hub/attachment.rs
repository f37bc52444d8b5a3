//! One link, from its first message to its close: read, written and timed by one future.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    assembly::Assembly,
    exchange::Exchange,
    outbox::{Batch, Outbox},
    timekeeper::Watch,
};
use crate::{
    link::{
        endpoint::LinkEndpoint,
        id::Id,
        switchboard::{Farewell, Outgoing},
    },
    runtime::{Timer, now, sync::lock},
    scope::checkpoint,
    websocket::{ConnectionClosed, SendError},
};

/// A link that the switchboard knows, until this is dropped.
pub(super) struct Attachment<'a> {
    exchange: &'a Exchange,
    endpoint: LinkEndpoint,
    stall: Duration,
    id: Id,
    outbox: Arc<Outbox>,
    /// To be woken when this turn is over.
    wake: Mutex<Vec<Waker>>,
}

/// How it came that nothing more is said.
enum End {
    Closed(ConnectionClosed),
    Farewell(Farewell),
}

impl<'a> Attachment<'a> {
    pub(super) fn new(exchange: &'a Exchange, endpoint: LinkEndpoint, stall: Duration) -> Self {
        let (id, outbox) = exchange.attach();
        Self { exchange, endpoint, stall, id, outbox, wake: Mutex::default() }
    }

    /// Serves the link until it has ended, and says how that was.
    pub(super) async fn serve(self) -> ConnectionClosed {
        let end = self.talk().await;
        self.detach();
        match end {
            End::Closed(closed) => closed,
            End::Farewell(farewell) => self.endpoint.close(farewell).await,
        }
    }

    /// Reads first, then writes: so what several messages have brought about leaves together.
    async fn talk(&self) -> End {
        let (mut reading, mut writing) = (pin!(self.read()), pin!(self.write()));
        let mut watch = Watch::new(self.id);
        let mut may_write = true;
        poll_fn(|cx| {
            let read = reading.as_mut().poll(cx);
            self.wake();
            if let Poll::Ready(closed) = read {
                return Poll::Ready(End::Closed(closed));
            }
            if may_write && let Poll::Ready(written) = writing.as_mut().poll(cx) {
                match written {
                    Ok(farewell) => return Poll::Ready(End::Farewell(farewell)),
                    Err(_closed) => {
                        // What the peer has said before it left is still heard; then reading tells of the end.
                        may_write = false;
                        self.outbox.abandon();
                        cx.waker().wake_by_ref();
                    }
                }
            }
            if watch.poll(&self.exchange.time, cx).is_ready() {
                self.exchange.input(|board, now| board.wake(now));
                cx.waker().wake_by_ref();
            }
            self.wake();
            Poll::Pending
        })
        .await
    }

    async fn read(&self) -> ConnectionClosed {
        let mut assembly = Assembly::default();
        let mut limit = self.exchange.look(|board| board.message_limit(self.id));
        loop {
            for _ in 0..TURN {
                poll_fn(|cx| self.outbox.poll_wants_input(cx)).await;
                let piece = match self.endpoint.receive_piece().await {
                    Ok(piece) => piece,
                    Err(closed) => return closed,
                };
                if let Some(incoming) = assembly.add(piece, limit) {
                    limit = self.exchange.receive(self.id, &self.outbox, &incoming, &mut lock(&self.wake));
                }
            }
            checkpoint().await;
        }
    }

    /// Writes until there is a farewell, or the link is gone.
    async fn write(&self) -> Result<Farewell, ConnectionClosed> {
        loop {
            let Batch { messages, farewell } = poll_fn(|cx| self.outbox.poll_take(cx)).await;
            let mut sent = 0;
            for message in messages {
                let size = message.len();
                if let Some(farewell) = self.put(message, &mut sent, farewell).await? {
                    return Ok(farewell);
                }
                sent += size;
            }
            if let Some(farewell) = farewell {
                return Ok(farewell);
            }
            self.sent(sent);
        }
    }

    /// Sends one message. When there is no room: before a farewell nobody waits for it; otherwise room is waited for, until there
    /// is a farewell, which is given back.
    async fn put(
        &self,
        message: Outgoing,
        sent: &mut usize,
        farewell: Option<Farewell>,
    ) -> Result<Option<Farewell>, ConnectionClosed> {
        let mut sending = pin!(self.endpoint.send(message.into_text()));
        if let Poll::Ready(sent) = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await {
            return after(sent);
        }
        if farewell.is_some() {
            return Ok(farewell);
        }
        self.sent(std::mem::take(sent));
        let mut patience = Patience::new(&self.endpoint, self.stall);
        poll_fn(|cx| {
            if let Poll::Ready(sent) = sending.as_mut().poll(cx) {
                return Poll::Ready(after(sent));
            }
            if patience.poll(cx).is_ready() {
                self.exchange.input(|board, now| board.hang_up(self.id, Farewell::Congested, now));
            }
            self.outbox.poll_farewell(cx).map(|farewell| Ok(Some(farewell)))
        })
        .await
    }

    fn sent(&self, bytes: usize) {
        if bytes > 0 {
            self.exchange.sent(self.id, &self.outbox, bytes, &mut lock(&self.wake));
        }
    }

    /// Nothing more is owed to the peer here; done twice it does nothing.
    fn detach(&self) {
        self.exchange.detach(self.id, &mut lock(&self.wake));
        self.wake();
    }

    fn wake(&self) {
        let wake = std::mem::take(&mut *lock(&self.wake));
        wake.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Attachment<'_> {
    fn drop(&mut self) {
        self.detach();
        self.exchange.leave(&mut lock(&self.wake));
        self.wake();
    }
}

/// How long a peer may take nothing.
struct Patience<'a> {
    endpoint: &'a LinkEndpoint,
    limit: Duration,
    unsent: usize,
    timer: Option<Timer>,
}

impl<'a> Patience<'a> {
    fn new(endpoint: &'a LinkEndpoint, limit: Duration) -> Self {
        let timer = now().checked_add(limit).map(Timer::at);
        Self { endpoint, limit, unsent: endpoint.unsent(), timer }
    }

    /// Ready when it is at an end. While something moves it begins anew.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        while timer.poll(cx).is_ready() {
            let unsent = self.endpoint.unsent();
            if unsent >= std::mem::replace(&mut self.unsent, unsent) {
                return Poll::Ready(());
            }
            timer.reset(now() + self.limit);
        }
        Poll::Pending
    }
}

fn after(sent: Result<(), SendError>) -> Result<Option<Farewell>, ConnectionClosed> {
    sent.map(|()| None).map_err(|error| error.closed)
}

/// Pieces that are read in one turn: as many as a connection hands out in one of its own.
const TURN: usize = 64;
