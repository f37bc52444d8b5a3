//! Limits and habits of a connection, the same on both sides.

use std::{fmt, sync::Arc, time::Duration};

use crate::proto;

/// Called with the payload of a ping or a pong that came.
pub type ControlHook = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Limits and habits of a [`WebSocketConnection`](super::WebSocketConnection). The defaults are safe; each field says what a
/// change costs. A timeout that is `None` or zero is off, a buffer of zero has room for one message.
///
/// ```
/// use std::time::Duration;
/// use wscope::websocket::ConnectionConfig;
///
/// let config = ConnectionConfig::new().max_message_size(64 * 1024).keepalive_interval(None);
/// assert_eq!((config.max_message_size, config.close_timeout), (65_536, Some(Duration::from_secs(5))));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// Largest message that is received, in bytes, for text too. Default
    /// [`proto::Config::MAX_MESSAGE_SIZE`]. A larger one ends the connection with 1009.
    pub max_message_size: usize,
    /// Most fragments of one message. Default [`proto::Config::MAX_FRAGMENTS`]. The peer sees 1008.
    pub max_fragments: u32,
    /// Most empty fragments in a row. Default [`proto::Config::MAX_EMPTY_FRAGMENTS`]. The peer sees 1008.
    pub max_empty_fragments: u32,
    /// Whether messages are received whole or in pieces. Default [`MessageDelivery::Whole`](proto::MessageDelivery::Whole).
    pub delivery: proto::MessageDelivery,
    /// Unread bytes beyond which reading pauses; short messages count more than they have. Default
    /// [`RECEIVE_BUFFER`](Self::RECEIVE_BUFFER). A message that has begun is finished, so a peer can make us hold this, one read and one
    /// message.
    pub receive_buffer: usize,
    /// Unsent bytes beyond which sending waits: the high-water mark. Default [`SEND_BUFFER`](Self::SEND_BUFFER). One message of any
    /// size is let in when less than this is unsent.
    pub send_buffer: usize,
    /// Time between two keepalive pings. Default [`KEEPALIVE_INTERVAL`](Self::KEEPALIVE_INTERVAL). Shorter finds a dead peer sooner,
    /// and wakes a sleeping radio more often.
    pub keepalive_interval: Option<Duration>,
    /// Time in which something has to come after a keepalive ping. Default [`KEEPALIVE_TIMEOUT`](Self::KEEPALIVE_TIMEOUT).
    pub keepalive_timeout: Option<Duration>,
    /// Time without progress after which a write gives up on the connection. Default [`SEND_TIMEOUT`](Self::SEND_TIMEOUT).
    pub send_timeout: Option<Duration>,
    /// Time without a message after which the connection is given up. Default `None`: silence is no fault.
    pub receive_timeout: Option<Duration>,
    /// Time that [`ping`](super::WebSocketConnection::ping) waits for its pong. Default [`PING_TIMEOUT`](Self::PING_TIMEOUT).
    pub ping_timeout: Option<Duration>,
    /// Time for closing, from what is unsent up to the peer's close frame. Default [`CLOSE_TIMEOUT`](Self::CLOSE_TIMEOUT). A
    /// connection that is closed by a destructor takes the default where this is `None`.
    pub close_timeout: Option<Duration>,
    /// Called with each ping that came, by whoever reads it. It must not wait.
    pub on_ping: Option<ControlHook>,
    /// Called with each pong that came, asked for or not, by whoever reads it. It must not wait.
    pub on_pong: Option<ControlHook>,
}

impl ConnectionConfig {
    /// 1 MiB: one message of the largest size.
    pub const RECEIVE_BUFFER: usize = 1 << 20;
    /// 64 KiB: what one system call writes at its best speed.
    pub const SEND_BUFFER: usize = 64 * 1024;
    /// 20 s: below the 30 to 60 s after which middleboxes forget an idle connection.
    pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
    /// 20 s: enough for a lost packet or two.
    pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
    /// 30 s: a peer that takes not one byte in that time has gone, or means harm.
    pub const SEND_TIMEOUT: Duration = Duration::from_secs(30);
    /// 20 s, as the keepalive's.
    pub const PING_TIMEOUT: Duration = Duration::from_secs(20);
    /// 5 s for the peer's close frame.
    pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
    /// 1 s more for the end of the stream, and no longer: all has been said.
    pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
    /// 16 own pings without a pong; more cannot be told apart from a flood.
    pub const MAX_PINGS_IN_FLIGHT: usize = 16;

    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_message_size: proto::Config::MAX_MESSAGE_SIZE,
            max_fragments: proto::Config::MAX_FRAGMENTS,
            max_empty_fragments: proto::Config::MAX_EMPTY_FRAGMENTS,
            delivery: proto::MessageDelivery::Whole,
            receive_buffer: Self::RECEIVE_BUFFER,
            send_buffer: Self::SEND_BUFFER,
            keepalive_interval: Some(Self::KEEPALIVE_INTERVAL),
            keepalive_timeout: Some(Self::KEEPALIVE_TIMEOUT),
            send_timeout: Some(Self::SEND_TIMEOUT),
            receive_timeout: None,
            ping_timeout: Some(Self::PING_TIMEOUT),
            close_timeout: Some(Self::CLOSE_TIMEOUT),
            on_ping: None,
            on_pong: None,
        }
    }

    /// Sets [`max_message_size`](Self::max_message_size).
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Sets [`max_fragments`](Self::max_fragments).
    #[must_use]
    pub fn max_fragments(mut self, fragments: u32) -> Self {
        self.max_fragments = fragments;
        self
    }

    /// Sets [`max_empty_fragments`](Self::max_empty_fragments).
    #[must_use]
    pub fn max_empty_fragments(mut self, fragments: u32) -> Self {
        self.max_empty_fragments = fragments;
        self
    }

    /// Sets [`delivery`](Self::delivery).
    #[must_use]
    pub fn delivery(mut self, delivery: proto::MessageDelivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Sets [`receive_buffer`](Self::receive_buffer).
    #[must_use]
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = bytes;
        self
    }

    /// Sets [`send_buffer`](Self::send_buffer).
    #[must_use]
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = bytes;
        self
    }

    /// Sets [`keepalive_interval`](Self::keepalive_interval); `None` turns keepalive off.
    #[must_use]
    pub fn keepalive_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keepalive_interval = interval.into();
        self
    }

    /// Sets [`keepalive_timeout`](Self::keepalive_timeout); with `None` pings go out, and silence is no fault.
    #[must_use]
    pub fn keepalive_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.keepalive_timeout = limit.into();
        self
    }

    /// Sets [`send_timeout`](Self::send_timeout).
    #[must_use]
    pub fn send_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.send_timeout = limit.into();
        self
    }

    /// Sets [`receive_timeout`](Self::receive_timeout).
    #[must_use]
    pub fn receive_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.receive_timeout = limit.into();
        self
    }

    /// Sets [`ping_timeout`](Self::ping_timeout).
    #[must_use]
    pub fn ping_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.ping_timeout = limit.into();
        self
    }

    /// Sets [`close_timeout`](Self::close_timeout).
    #[must_use]
    pub fn close_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.close_timeout = limit.into();
        self
    }

    /// Sets [`on_ping`](Self::on_ping).
    #[must_use]
    pub fn on_ping(mut self, hook: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.on_ping = Some(Arc::new(hook));
        self
    }

    /// Sets [`on_pong`](Self::on_pong).
    #[must_use]
    pub fn on_pong(mut self, hook: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.on_pong = Some(Arc::new(hook));
        self
    }

    pub(super) fn protocol(&self) -> proto::Config {
        proto::Config::new()
            .max_message_size(self.max_message_size)
            .max_fragments(self.max_fragments)
            .max_empty_fragments(self.max_empty_fragments)
            .delivery(self.delivery)
    }
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ConnectionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionConfig")
            .field("max_message_size", &self.max_message_size)
            .field("max_fragments", &self.max_fragments)
            .field("max_empty_fragments", &self.max_empty_fragments)
            .field("delivery", &self.delivery)
            .field("receive_buffer", &self.receive_buffer)
            .field("send_buffer", &self.send_buffer)
            .field("keepalive_interval", &self.keepalive_interval)
            .field("keepalive_timeout", &self.keepalive_timeout)
            .field("send_timeout", &self.send_timeout)
            .field("receive_timeout", &self.receive_timeout)
            .field("ping_timeout", &self.ping_timeout)
            .field("close_timeout", &self.close_timeout)
            .field("on_ping", &self.on_ping.is_some())
            .field("on_pong", &self.on_pong.is_some())
            .finish()
    }
}
