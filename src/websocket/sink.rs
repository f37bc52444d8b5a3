//! The connection as a sink of messages.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use super::{ConnectionClosed, SendError, WebSocketConnection, outgoing::Outgoing};
use crate::proto::Message;

/// Takes messages, made by [`sink`](WebSocketConnection::sink). Flushing waits until the kernel has them; closing closes the connection
/// with 1000.
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use wscope::{WebSocketConnection, websocket::SinkError};
///
/// /// Hands on what one peer says to another.
/// async fn relay(from: &WebSocketConnection, to: &WebSocketConnection) -> Result<(), SinkError> {
///     let mut sink = to.sink();
///     sink.send_all(&mut from.messages().map(|message| message.map_err(SinkError::from))).await?;
///     sink.close().await
/// }
/// # let _ = relay;
/// ```
pub struct MessageSink(Outgoing);

impl MessageSink {
    pub(super) fn new(ws: WebSocketConnection) -> Self {
        Self(Outgoing::new(ws))
    }
}

impl futures::Sink<Message> for MessageSink {
    type Error = SinkError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        self.0.poll_ready(cx).map_err(SinkError::Closed)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), SinkError> {
        self.0.send(message).map_err(SinkError::Unsent)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        self.0.poll_flush(cx).map_err(SinkError::Closed)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        self.0.poll_close(cx).map_err(SinkError::Closed)
    }
}

impl fmt::Debug for MessageSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageSink").field(&self.0.ws).finish()
    }
}

/// Why a sink takes no more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// A message was not sent, and is given back.
    #[error(transparent)]
    Unsent(#[from] SendError),
    /// The connection is closed.
    #[error(transparent)]
    Closed(#[from] ConnectionClosed),
}
