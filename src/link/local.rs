//! A link without a socket: two ends in one process, and a bounded queue each way.
//!
//! Texts pass as they are, shared and not copied. A sender waits while the queue is full; who came first goes first. Closing,
//! by either end, is told with its code and reason to both; what was sent before it can still be received.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use crate::{
    runtime::{
        sync::lock,
        turns::{DropLater, Ticket, Turns},
    },
    websocket::{CloseCode, CloseReason, ConnectionClosed, SendError, Side, Text},
};

/// One end of a link within a process. Either end becomes a [`LinkEndpoint`](super::LinkEndpoint), and serves where a WebSocket does.
///
/// Dropped, it closes the link with 1001; during a panic with 1011.
///
/// ```
/// use wscope::link::{LinkEndpoint, LocalLink};
///
/// let (tenant, hub) = LocalLink::pair();
/// let (tenant, hub): (LinkEndpoint, LinkEndpoint) = (tenant.into(), hub.into());
/// # let _ = (tenant, hub);
/// ```
pub struct LocalLink {
    shared: Arc<Shared>,
    /// Which of the two: what this end sends goes into the way of this number.
    end: usize,
}

impl LocalLink {
    /// 64 KiB each way, as a WebSocket's send buffer.
    pub const BUFFER: usize = 64 * 1024;

    /// Whom errors name: there is no address within a process.
    pub(super) const PEER: &str = "the other end of a local link";

    /// Both ends. Each way holds [`BUFFER`](Self::BUFFER) bytes, a short text counting more than it has; one text of any size is let in
    /// when there is less.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let shared: Arc<Shared> = Arc::default();
        (Self { shared: shared.clone(), end: 0 }, Self { shared, end: 1 })
    }

    /// Puts a text into the queue, once there is room. Cancel-safe: a dropped call has sent nothing.
    pub(super) async fn send(&self, text: Text) -> Result<(), SendError> {
        let mut place = Place::new(&self.shared, self.end, |way| &mut way.senders);
        let mut text = Some(text);
        let sent = poll_fn(|cx| place.poll(cx, |state| state.push(self.end, &mut text))).await;
        match (sent, text) {
            (Err(closed), Some(text)) => Err(SendError { message: text.into(), closed }),
            (Ok(()) | Err(_), _) => Ok(()), // a text that is gone has been taken
        }
    }

    /// Takes the next text, once there is one. Cancel-safe: a dropped call has taken nothing.
    pub(super) async fn receive(&self) -> Result<Text, ConnectionClosed> {
        let mut place = Place::new(&self.shared, self.other(), |way| &mut way.receivers);
        poll_fn(|cx| place.poll(cx, |state| state.pop(self.end))).await
    }

    /// Bytes that the other end has not taken.
    pub(super) fn unsent(&self) -> usize {
        self.shared.with(|state, _| state.ways[self.end].bytes)
    }

    /// Ends the link, if it has not ended, and says how it has.
    pub(super) fn close(&self, reason: CloseReason) -> ConnectionClosed {
        self.shared.with(|state, after| state.end(self.end, reason, after))
    }

    /// How the link ended; `None` while it has not.
    pub(super) fn closed(&self) -> Option<ConnectionClosed> {
        self.shared.with(|state, _| state.closed(self.end))
    }

    const fn other(&self) -> usize {
        1 - self.end
    }
}

impl Drop for LocalLink {
    fn drop(&mut self) {
        let code = if std::thread::panicking() { CloseCode::INTERNAL_ERROR } else { CloseCode::GOING_AWAY };
        self.close(code.into());
    }
}

impl fmt::Debug for LocalLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalLink").field("closed", &self.closed()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ways: [Way; 2],
    /// Which end ended it, and why.
    ended: Option<(usize, CloseReason)>,
}

/// One direction.
#[derive(Default)]
struct Way {
    texts: VecDeque<Text>,
    bytes: usize,
    senders: Turns,
    receivers: Turns,
}

/// What has to wait until the lock is released.
#[derive(Default)]
struct After {
    wake: Vec<Waker>,
    /// Wakers that were replaced, and texts that nobody will receive.
    dropped: (Vec<Waker>, VecDeque<Text>),
}

impl After {
    fn wake_first(&mut self, turns: &Turns) {
        self.wake.extend(turns.first().cloned());
    }
}

impl DropLater for After {
    fn drop_later(&mut self, waker: Waker) {
        self.dropped.0.push(waker);
    }
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut State, &mut After) -> T) -> T {
        let mut after = After::default();
        let outcome = act(&mut lock(&self.state), &mut after);
        after.wake.into_iter().for_each(Waker::wake);
        outcome
    }
}

impl State {
    /// `None` while there is no room.
    fn push(&mut self, end: usize, text: &mut Option<Text>) -> Option<Result<(), ConnectionClosed>> {
        if let Some(closed) = self.closed(end) {
            return Some(Err(closed));
        }
        let way = &mut self.ways[end];
        if way.bytes >= LocalLink::BUFFER {
            return None;
        }
        let text = text.take()?;
        way.bytes += weight(&text);
        way.texts.push_back(text);
        Some(Ok(()))
    }

    /// `None` while there is nothing.
    fn pop(&mut self, end: usize) -> Option<Result<Text, ConnectionClosed>> {
        let way = &mut self.ways[1 - end];
        if let Some(text) = way.texts.pop_front() {
            way.bytes -= weight(&text);
            return Some(Ok(text));
        }
        self.closed(end).map(Err)
    }

    /// What is under way to the end that ends it is thrown away; the other may still take what was sent to it.
    fn end(&mut self, end: usize, reason: CloseReason, after: &mut After) -> ConnectionClosed {
        if let Some(closed) = self.closed(end) {
            return closed;
        }
        self.ended = Some((end, reason.clone()));
        let unread = &mut self.ways[1 - end];
        unread.bytes = 0;
        after.dropped.1 = std::mem::take(&mut unread.texts);
        for way in &mut self.ways {
            after.wake.extend(way.senders.dissolve().chain(way.receivers.dissolve()));
        }
        ConnectionClosed::agreed(LocalLink::PEER, reason, Side::Local)
    }

    fn closed(&self, end: usize) -> Option<ConnectionClosed> {
        let (by, reason) = self.ended.as_ref()?;
        let first = if *by == end { Side::Local } else { Side::Remote };
        Some(ConnectionClosed::agreed(LocalLink::PEER, reason.clone(), first))
    }
}

/// The place of one call in a line, given up when the call is over.
struct Place<'a> {
    shared: &'a Shared,
    way: usize,
    line: fn(&mut Way) -> &mut Turns,
    ticket: Option<Ticket>,
}

impl<'a> Place<'a> {
    fn new(shared: &'a Shared, way: usize, line: fn(&mut Way) -> &mut Turns) -> Self {
        Self { shared, way, line, ticket: None }
    }

    /// Tries, when it is our turn. Whatever is done may concern the next in this line, and the first in the other one.
    fn poll<T>(
        &mut self,
        cx: &Context<'_>,
        attempt: impl FnOnce(&mut State) -> Option<Result<T, ConnectionClosed>>,
    ) -> Poll<Result<T, ConnectionClosed>> {
        let Self { shared, way, line, ticket } = self;
        shared.with(|state, after| {
            let first = line(&mut state.ways[*way]).is_first(*ticket);
            let done = if first || state.ended.is_some() { attempt(state) } else { None };
            let way = &mut state.ways[*way];
            match done {
                Some(done) => {
                    line(way).leave(ticket, after);
                    after.wake_first(&way.senders);
                    after.wake_first(&way.receivers);
                    Poll::Ready(done)
                }
                None => {
                    line(way).wait(ticket, cx.waker(), after);
                    Poll::Pending
                }
            }
        })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Self { shared, way, line, ticket } = self;
        if ticket.is_some() {
            shared.with(|state, after| {
                let line = line(&mut state.ways[*way]);
                line.leave(ticket, after);
                after.wake_first(line);
            });
        }
    }
}

/// What a text counts: a short one costs memory, too.
fn weight(text: &Text) -> usize {
    text.len().max(LEAST)
}

const LEAST: usize = 256;
