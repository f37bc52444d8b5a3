//! What a connection has done so far.

use std::time::Duration;

/// A snapshot by [`WebSocketConnection::stats`](super::WebSocketConnection::stats).
///
/// ```
/// use wscope::WebSocketConnection;
///
/// /// What compression saves of what is sent.
/// fn saved(ws: &WebSocketConnection) -> u64 {
///     let stats = ws.stats();
///     stats.bytes_sent.saturating_sub(stats.wire_bytes_sent)
/// }
/// # let _ = saved;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Messages accepted for sending.
    pub messages_sent: u64,
    /// Messages that came.
    pub messages_received: u64,
    /// Bytes of their payloads.
    pub bytes_sent: u64,
    /// Bytes of the payloads that came; those of a message that is delivered in pieces as they come.
    pub bytes_received: u64,
    /// Bytes of the payloads of messages sent, as they travel: less than [`bytes_sent`](Self::bytes_sent) where they are compressed.
    pub wire_bytes_sent: u64,
    /// Bytes of the payloads that came, as they travelled: compressed ones less than [`bytes_received`](Self::bytes_received).
    pub wire_bytes_received: u64,
    /// Pings sent, keepalive included.
    pub pings_sent: u64,
    /// Pings that came. Each was answered, unless more than [`MAX_UNSENT_PONGS`](crate::proto::Config::MAX_UNSENT_PONGS) waited for their
    /// answers to be written: of those beyond it only the latest was.
    pub pings_received: u64,
    /// Pongs that came, asked for or not.
    pub pongs_received: u64,
    /// Bytes that came and were not asked for yet; short messages count more than they have.
    pub unread: usize,
    /// Bytes that wait to be written.
    pub unsent: usize,
    /// The latest round trip of a ping, keepalive included.
    pub latency: Option<Duration>,
}
