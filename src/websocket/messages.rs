//! The connection as a stream of messages.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{Stream, stream::FusedStream};

use super::{ConnectionClosed, WebSocketConnection, inbox::Inbox, receive};
use crate::proto::Message;
use crate::runtime::turns::Ticket;

/// Messages as they come, made by [`messages`](WebSocketConnection::messages). Ends quietly after 1000 and 1001, and after an error.
///
/// ```
/// use futures::StreamExt;
/// use wscope::{ConnectionClosed, WebSocketConnection};
///
/// async fn longest(ws: &WebSocketConnection) -> Result<usize, ConnectionClosed> {
///     let (mut messages, mut longest) = (ws.messages(), 0);
///     while let Some(message) = messages.next().await {
///         longest = longest.max(message?.len());
///     }
///     Ok(longest)
/// }
/// # let _ = longest;
/// ```
pub struct Messages {
    ws: WebSocketConnection,
    ticket: Option<Ticket>,
    ended: bool,
}

impl Messages {
    pub(super) fn new(ws: WebSocketConnection) -> Self {
        Self { ws, ticket: None, ended: false }
    }
}

impl Stream for Messages {
    type Item = Result<Message, ConnectionClosed>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let shared = this.ws.shared();
        let ticket = &mut this.ticket;
        let polled =
            shared.work(|engine, after| receive::poll(engine, Inbox::take_message, ticket, cx, after));
        polled.map(|received| match received {
            Ok(message) => Some(Ok(message)),
            Err(closed) => {
                this.ended = true;
                (!closed.is_clean()).then_some(Err(closed))
            }
        })
    }
}

impl FusedStream for Messages {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let ticket = &mut self.ticket;
            self.ws.shared().work(|engine, after| receive::leave(engine, ticket, after));
        }
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("ws", &self.ws).field("ended", &self.ended).finish_non_exhaustive()
    }
}
