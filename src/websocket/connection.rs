//! The handle of an open connection.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use http::HeaderMap;

use super::{
    ByteStream, ConnectionClosed, ConnectionId, DisconnectionTimeout, Endpoint, MessageSink, Messages,
    PieceData, PieceWriter, PingError, SendError, Stats, end, inbox::Inbox, ping, receive::Receive, send,
    shared::Shared,
};
use crate::proto::{CloseConnection, CloseReason, Message, Piece, Role};

/// An open connection: send, receive, ping, close. Cheap to clone; all clones speak for the same connection, from any task.
///
/// It belongs to a scope: the call that opened it. When that ends, by whatever way, the connection is closed, the peer is told why,
/// and what is left of its handles answers [`ConnectionClosed`]. When the last handle is dropped before that, it closes with 1000.
///
/// Every call that waits is cancel-safe: dropped half-way it leaves no torn frame, and no message is lost.
///
/// ```
/// use std::time::Duration;
/// use wscope::{CloseCode, Error, Message, WebSocketConnection, move_on_after};
///
/// /// Says hello, then counts text messages until there was none for a minute.
/// async fn count(ws: &WebSocketConnection) -> Result<usize, Error> {
///     ws.send_message("hello").await?;
///     println!("{} is {:?} away", ws.remote(), ws.ping(None).await?);
///     let mut count = 0;
///     while let Some(received) = move_on_after(Duration::from_secs(60), ws.next_message()).await {
///         match received? {
///             Some(Message::Text(_)) => count += 1,
///             Some(Message::Binary(bytes)) => println!("{} bytes", bytes.len()),
///             None => return Ok(count), // closed, as it should be
///         }
///     }
///     ws.aclose(CloseCode::NORMAL_CLOSURE).await?;
///     Ok(count)
/// }
/// # let _ = count;
/// ```
#[derive(Clone)]
pub struct WebSocketConnection(Arc<Handle>);

/// One for all clones: when it goes, nobody can use the connection any more.
pub(super) struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.work(|engine, after| engine.orphan(after));
    }
}

impl WebSocketConnection {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(Handle { shared }))
    }

    pub(super) fn downgrade(&self) -> Weak<Handle> {
        Arc::downgrade(&self.0)
    }

    pub(super) fn upgrade(handle: &Weak<Handle>) -> Option<Self> {
        handle.upgrade().map(Self)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Sends a message: text if it is given text, binary if it is given bytes.
    ///
    /// `Ok`: queued, in the order of the calls, under the high-water mark
    /// ([`send_buffer`](super::ConnectionConfig::send_buffer)); above it this waits, and who came first goes first; when nothing moves
    /// for [`send_timeout`](super::ConnectionConfig::send_timeout) the connection ends. Of what is sent in one turn of a task the first
    /// goes out at once, and the rest together at the end of the turn. [`flush`](Self::flush) waits until the kernel has it.
    ///
    /// Cancel-safe: a dropped call has sent nothing, or all.
    ///
    /// # Errors
    /// [`SendError`], with the message, when the connection is closed or closing.
    pub async fn send_message(&self, message: impl Into<Message>) -> Result<(), SendError> {
        send::Send::new(&self.0.shared, message.into(), false).await
    }

    /// As [`send_message`](Self::send_message), and the message is not compressed: because it is already, as an image is, or because it
    /// holds a secret together with what a stranger chose, and its length would tell (RFC 7692 §8). Where no compression was agreed on
    /// both are the same.
    ///
    /// Cancel-safe: a dropped call has sent nothing, or all.
    ///
    /// # Errors
    /// As [`send_message`](Self::send_message).
    pub async fn send_uncompressed(&self, message: impl Into<Message>) -> Result<(), SendError> {
        send::Send::new(&self.0.shared, message.into(), true).await
    }

    /// Waits for the next message. Several tasks may wait; who came first is served first.
    ///
    /// Messages that came before a close frame of the peer can still be read after it. After a close of ours they cannot.
    /// Without a timeout of its own: put it under [`fail_after`](crate::fail_after).
    ///
    /// Cancel-safe: a dropped call takes no message along.
    ///
    /// # Errors
    /// [`ConnectionClosed`] when there is none and none will come.
    pub async fn get_message(&self) -> Result<Message, ConnectionClosed> {
        Receive::new(&self.0.shared, Inbox::take_message).await
    }

    /// As [`get_message`](Self::get_message), with `None` for an end as it should be: closed by either side with 1000 or 1001.
    ///
    /// Cancel-safe: a dropped call takes no message along.
    ///
    /// # Errors
    /// [`ConnectionClosed`] when it ended in any other way.
    pub async fn next_message(&self) -> Result<Option<Message>, ConnectionClosed> {
        match self.get_message().await {
            Ok(message) => Ok(Some(message)),
            Err(closed) if closed.is_clean() => Ok(None),
            Err(closed) => Err(closed),
        }
    }

    /// Messages as a [`Stream`](futures::Stream), which ends where [`next_message`](Self::next_message) says `None`. It keeps its place
    /// among the receivers until it is dropped.
    #[must_use]
    pub fn messages(&self) -> Messages {
        Messages::new(self.clone())
    }

    /// A [`Sink`](futures::Sink) of messages.
    #[must_use]
    pub fn sink(&self) -> MessageSink {
        MessageSink::new(self.clone())
    }

    /// The connection as a stream of bytes ([`AsyncRead`](futures::AsyncRead) and [`AsyncWrite`](futures::AsyncWrite)): each write is a
    /// binary message, and reads see the payloads of what comes, text too, without its borders.
    #[must_use]
    pub fn bytes(&self) -> ByteStream {
        ByteStream::new(self.clone())
    }

    /// Waits for the next piece of a message. With [`MessageDelivery::Pieces`](crate::proto::MessageDelivery::Pieces) that is what has
    /// come of it, so a message larger than memory can be received; otherwise a message is one piece.
    ///
    /// Cancel-safe, as [`get_message`](Self::get_message).
    ///
    /// # Errors
    /// [`ConnectionClosed`] when there is none and none will come.
    pub async fn get_piece(&self) -> Result<Piece, ConnectionClosed> {
        Receive::new(&self.0.shared, Inbox::take_piece).await
    }

    /// Begins a message that is sent in pieces, each a frame of its own (RFC 6455 §5.4): of text with `send_pieces::<Text>()`, of bytes
    /// with `send_pieces::<Bytes>()`. Other messages wait until it is finished; pings, pongs and closing do not. It waits for its turn
    /// and for room, as [`send_message`](Self::send_message) does.
    ///
    /// Cancel-safe: a dropped call has begun nothing.
    ///
    /// # Errors
    /// [`ConnectionClosed`] when the connection is closed or closing.
    pub async fn send_pieces<T: PieceData>(&self) -> Result<PieceWriter<T>, ConnectionClosed> {
        PieceWriter::begin(self.clone()).await
    }

    /// Sends a ping and waits for its own pong; returns the round trip.
    ///
    /// `payload`: `None` takes eight random bytes; or `Some(b"yours")`, at most
    /// [`MAX_CONTROL_PAYLOAD`](crate::proto::MAX_CONTROL_PAYLOAD) bytes and unlike those in flight. Bounded by
    /// [`ping_timeout`](super::ConnectionConfig::ping_timeout), and over at once when the connection is. A pong answers its ping and all
    /// before it.
    ///
    /// Cancel-safe: a dropped call leaves no trace, a late pong is ignored.
    ///
    /// # Errors
    /// [`PingError`], which says whether anything was sent.
    pub async fn ping(&self, payload: Option<&[u8]>) -> Result<Duration, PingError> {
        ping::ping(&self.0.shared, payload).await
    }

    /// Sends a pong that nobody asked for, as a heartbeat in one direction (RFC 6455 §5.5.3). Pings are answered without it. It waits
    /// only while the send buffer is full, and until the kernel has that.
    ///
    /// Cancel-safe: a dropped call has sent nothing, or all.
    ///
    /// # Errors
    /// [`PingError::TooLong`] and [`PingError::Closed`].
    pub async fn pong(&self, payload: &[u8]) -> Result<(), PingError> {
        ping::pong(&self.0.shared, payload).await
    }

    /// Closes: sends what was accepted, then a close frame; waits for the peer's, and for the end of the stream. What comes meanwhile
    /// is thrown away, and what waits on this connection ends with [`ConnectionClosed`]. When it is closed or closing already, only waits.
    ///
    /// Takes at most [`close_timeout`](super::ConnectionConfig::close_timeout), and
    /// [`DRAIN_TIMEOUT`](super::ConnectionConfig::DRAIN_TIMEOUT) more for the end of the stream. A dropped call has closed all the same:
    /// the rest goes on without it.
    ///
    /// # Errors
    /// [`DisconnectionTimeout`] when the peer did not answer in time. The connection is gone then, too.
    pub async fn aclose(&self, reason: impl Into<CloseReason>) -> Result<(), DisconnectionTimeout> {
        self.close(reason);
        self.wait_closed().await.in_time()
    }

    /// The beginning of [`aclose`](Self::aclose), without waiting for its end.
    pub fn close(&self, reason: impl Into<CloseReason>) {
        let close = CloseConnection::new(reason);
        self.0.shared.work(|engine, after| engine.close(close, after));
    }

    /// How the connection ended, or is ending; `None` while it is open.
    #[must_use]
    pub fn closed(&self) -> Option<ConnectionClosed> {
        self.0.shared.with(|engine, _| engine.closed())
    }

    /// Waits until the connection is closed and its transport gone, and says how. As long as it is open: put it under
    /// [`fail_after`](crate::fail_after) where that may be too long. Cancel-safe.
    pub async fn wait_closed(&self) -> ConnectionClosed {
        end::wait_closed(&self.0.shared).await
    }

    /// Cuts the connection off, without a word. The peer sees the end of the stream, or a reset.
    pub fn abort(&self) {
        self.0.shared.with(|engine, after| engine.abort(after));
    }

    /// Waits until the kernel has all that was sent before. When nothing moves for
    /// [`send_timeout`](super::ConnectionConfig::send_timeout) the connection ends, and the wait with it. Cancel-safe.
    ///
    /// # Errors
    /// [`ConnectionClosed`] when that did not come about.
    pub async fn flush(&self) -> Result<(), ConnectionClosed> {
        send::flush(&self.0.shared).await
    }

    /// Reads nothing more, not even pings and close frames, until [`resume_reading`](Self::resume_reading): the network's own
    /// back-pressure then slows the peer down. What has been read can still be got. Without it reading pauses by itself beyond
    /// [`receive_buffer`](super::ConnectionConfig::receive_buffer). While it is paused, keepalive gives no verdict; closing reads on.
    pub fn pause_reading(&self) {
        self.0.shared.with(|engine, _| engine.pause_reading(true));
    }

    /// Reads again.
    pub fn resume_reading(&self) {
        self.0.shared.work(|engine, _| engine.pause_reading(false));
    }

    /// Path and query that the client asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.shared.facts.resource.target()
    }

    /// The subprotocol that was agreed on.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.0.shared.facts.subprotocol.as_deref()
    }

    /// The headers that the peer sent in the opening handshake.
    #[must_use]
    pub fn handshake_headers(&self) -> &HeaderMap {
        &self.0.shared.facts.headers
    }

    /// Our end.
    #[must_use]
    pub fn local(&self) -> &Endpoint {
        &self.0.shared.facts.local
    }

    /// The peer, for errors: as [`ConnectionClosed::peer`].
    pub(crate) fn peer(&self) -> String {
        self.0.shared.facts.peer()
    }

    /// The peer's end.
    #[must_use]
    pub fn remote(&self) -> &Endpoint {
        &self.0.shared.facts.remote
    }

    /// Whether we opened it.
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.id().role() == Role::Client
    }

    /// Whether the peer opened it.
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.id().role() == Role::Server
    }

    /// Tells it apart from all others of this process.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        self.0.shared.facts.id
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.shared.with(|engine, _| engine.stats())
    }

    /// The latest round trip of a ping; `None` before the first pong. Keepalive pings count, so there is one after a while.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        self.stats().latency
    }
}

impl fmt::Debug for WebSocketConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.shared, f)
    }
}

impl fmt::Display for WebSocketConnection {
    /// `client-7` or `server-7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.id(), f)
    }
}

impl PartialEq for WebSocketConnection {
    /// Whether both are handles of one connection.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.shared, &other.0.shared)
    }
}

impl Eq for WebSocketConnection {}
