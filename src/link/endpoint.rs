//! One end of a link, whatever carries it: texts both ways, in order, bounded in bytes, until it is closed with a code.
//!
//! Hub and tenant are written over this alone, so that they do not know whether there is a socket.

use super::local::LocalLink;
use crate::websocket::{CloseReason, ConnectionClosed, Message, Piece, SendError, Text, WebSocketConnection};

/// One end of a link: a WebSocket connection, or a [`LocalLink`].
///
/// It is handed to a hub or to a tenant, which speaks through it until it is closed; or it is used as it is, by who wants
/// to see every frame.
///
/// ```
/// use wscope::{CloseCode, link::{LinkEndpoint, LocalLink}};
///
/// let (tenant, hub) = LocalLink::pair();
/// let (tenant, hub) = (LinkEndpoint::from(tenant), LinkEndpoint::from(hub));
/// wscope::run(async {
///     tenant.send(r#"{"kind": "ping"}"#).await?;
///     assert_eq!(hub.receive().await?.unwrap().as_text(), Some(r#"{"kind": "ping"}"#));
///     tenant.close(CloseCode::NORMAL_CLOSURE).await;
///     assert!(hub.receive().await?.is_none());
///     Ok::<(), wscope::Error>(())
/// })?;
/// # Ok::<(), wscope::Error>(())
/// ```
#[derive(Debug)]
pub struct LinkEndpoint(Carrier);

#[derive(Debug)]
enum Carrier {
    WebSocket(WebSocketConnection),
    Local(LocalLink),
}

impl LinkEndpoint {
    /// Queues a text, once there is room; without a timeout of its own. Cancel-safe: a dropped call has sent nothing, or all.
    ///
    /// # Errors
    /// [`SendError`], with the text, when the link is closed or closing.
    pub async fn send(&self, text: impl Into<Text>) -> Result<(), SendError> {
        let text = text.into();
        match &self.0 {
            Carrier::WebSocket(ws) => ws.send_message(text).await,
            Carrier::Local(link) => link.send(text).await,
        }
    }

    /// Waits for the next message, without a timeout; `None` when the link was closed as it should be, with 1000 or 1001. What was sent
    /// before the peer closed still comes. Cancel-safe: a dropped call takes no message along.
    ///
    /// # Errors
    /// [`ConnectionClosed`] when it ended in any other way.
    pub async fn receive(&self) -> Result<Option<Message>, ConnectionClosed> {
        match &self.0 {
            Carrier::WebSocket(ws) => ws.next_message().await,
            Carrier::Local(link) => unless_clean(link.receive().await.map(Message::Text)),
        }
    }

    /// The next piece of a message: so that a long one need not be held to be refused. Within a process a message is one piece.
    pub(super) async fn receive_piece(&self) -> Result<Piece, ConnectionClosed> {
        match &self.0 {
            Carrier::WebSocket(ws) => ws.get_piece().await,
            Carrier::Local(link) => Ok(Piece::last(link.receive().await?)),
        }
    }

    /// Bytes that were sent and that the peer, or the kernel on its behalf, has not taken. While somebody waits to send it falls
    /// unless the peer has stopped reading.
    pub(super) fn unsent(&self) -> usize {
        match &self.0 {
            Carrier::WebSocket(ws) => ws.stats().unsent,
            Carrier::Local(link) => link.unsent(),
        }
    }

    /// Closes after what was sent, and waits until that is done, within the connection's
    /// [`close_timeout`](crate::ConnectionConfig::close_timeout); when it is closed already, says how that was. A dropped call has closed
    /// all the same.
    pub async fn close(&self, reason: impl Into<CloseReason>) -> ConnectionClosed {
        match &self.0 {
            Carrier::WebSocket(ws) => {
                ws.close(reason);
                ws.wait_closed().await
            }
            Carrier::Local(link) => link.close(reason.into()),
        }
    }

    /// Who is at the other end, for errors.
    pub(super) fn peer(&self) -> String {
        match &self.0 {
            Carrier::WebSocket(ws) => ws.peer(),
            Carrier::Local(_) => LocalLink::PEER.to_owned(),
        }
    }

    /// How the link ended, or is ending; `None` while it is open.
    #[must_use]
    pub fn closed(&self) -> Option<ConnectionClosed> {
        match &self.0 {
            Carrier::WebSocket(ws) => ws.closed(),
            Carrier::Local(link) => link.closed(),
        }
    }
}

impl From<WebSocketConnection> for LinkEndpoint {
    fn from(ws: WebSocketConnection) -> Self {
        Self(Carrier::WebSocket(ws))
    }
}

impl From<LocalLink> for LinkEndpoint {
    fn from(link: LocalLink) -> Self {
        Self(Carrier::Local(link))
    }
}

fn unless_clean<T>(received: Result<T, ConnectionClosed>) -> Result<Option<T>, ConnectionClosed> {
    match received {
        Ok(received) => Ok(Some(received)),
        Err(closed) if closed.is_clean() => Ok(None),
        Err(closed) => Err(closed),
    }
}
