//! Limits and habits of a connection after its handshake.

/// Limits and habits of a [`Connection`](super::Connection). The defaults are safe; each field says what a change costs.
///
/// ```
/// use wscope::proto::{Config, MessageDelivery};
/// let config = Config::new().max_message_size(64 * 1024).delivery(MessageDelivery::Pieces);
/// assert_eq!(config.max_message_size, 65_536);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Largest message that is received, in bytes after an extension has undone its work; for text too. Default
    /// [`MAX_MESSAGE_SIZE`](Self::MAX_MESSAGE_SIZE); `usize::MAX` is no limit.
    ///
    /// Checked on the header of each frame, before anything is allocated. A peer can make us hold this much, once per
    /// connection. The peer sees 1009.
    pub max_message_size: usize,
    /// Most fragments of one message. Default [`MAX_FRAGMENTS`](Self::MAX_FRAGMENTS).
    ///
    /// Fragments are appended to one buffer, so they cost time and no memory. The peer sees 1008.
    pub max_fragments: u32,
    /// Most empty fragments in a row. Default [`MAX_EMPTY_FRAGMENTS`](Self::MAX_EMPTY_FRAGMENTS).
    ///
    /// They are legal and carry nothing, which makes them a way to keep us busy for six bytes each. The peer sees 1008.
    pub max_empty_fragments: u32,
    /// Whether messages are handed out whole or in pieces. Default [`MessageDelivery::Whole`].
    pub delivery: MessageDelivery,
    /// Whether the engine answers pings by itself. Default `true`. RFC 6455 §5.5.2 wants an answer: who turns this off
    /// sends [`Ping::response`](super::Ping::response).
    pub answer_pings: bool,
    /// Whether the engine answers a close frame by itself, with the same one. Default `true`. RFC 6455 §5.5.1 wants an
    /// answer: who turns this off sends [`CloseConnection::response`](super::CloseConnection::response).
    pub answer_close: bool,
}

impl Config {
    /// 1 MiB: larger than what most protocols over WebSocket send.
    pub const MAX_MESSAGE_SIZE: usize = 1 << 20;
    /// 131,072: twice what Autobahn cuts a message into.
    pub const MAX_FRAGMENTS: u32 = 131_072;
    /// 1,024: nobody honest needs many.
    pub const MAX_EMPTY_FRAGMENTS: u32 = 1024;
    /// 16 unsent pongs are kept, at most 2 KiB; beyond that only the latest ping is answered (RFC 6455 §5.5.3).
    pub const MAX_UNSENT_PONGS: usize = 16;

    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_message_size: Self::MAX_MESSAGE_SIZE,
            max_fragments: Self::MAX_FRAGMENTS,
            max_empty_fragments: Self::MAX_EMPTY_FRAGMENTS,
            delivery: MessageDelivery::Whole,
            answer_pings: true,
            answer_close: true,
        }
    }

    /// Sets [`max_message_size`](Self::max_message_size).
    #[must_use]
    pub const fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Sets [`max_fragments`](Self::max_fragments).
    #[must_use]
    pub const fn max_fragments(mut self, fragments: u32) -> Self {
        self.max_fragments = fragments;
        self
    }

    /// Sets [`max_empty_fragments`](Self::max_empty_fragments).
    #[must_use]
    pub const fn max_empty_fragments(mut self, fragments: u32) -> Self {
        self.max_empty_fragments = fragments;
        self
    }

    /// Sets [`delivery`](Self::delivery).
    #[must_use]
    pub const fn delivery(mut self, delivery: MessageDelivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Sets [`answer_pings`](Self::answer_pings).
    #[must_use]
    pub const fn answer_pings(mut self, answer: bool) -> Self {
        self.answer_pings = answer;
        self
    }

    /// Sets [`answer_close`](Self::answer_close).
    #[must_use]
    pub const fn answer_close(mut self, answer: bool) -> Self {
        self.answer_close = answer;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// How received messages are handed out.
///
/// ```
/// use wscope::proto::{Config, Connection, Event, MessageDelivery, Role};
///
/// let config = Config::new().delivery(MessageDelivery::Pieces);
/// let mut client = Connection::new(Role::Client, config);
/// let mut beginning = *b"\x81\x05Hel"; // two letters are still to come
/// let Some(Event::Piece(piece)) = client.receive(&mut &mut beginning[..])? else { panic!("a piece") };
/// assert_eq!((piece.data.as_text(), piece.message_finished), (Some("Hel"), false));
/// # Ok::<(), wscope::proto::Failed>(())
/// ```
#[allow(clippy::exhaustive_enums, reason = "a message is handed out whole or it is not")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageDelivery {
    /// As one [`Event::Message`](super::Event::Message) each. The engine holds at most one unfinished message.
    #[default]
    Whole,
    /// As [`Event::Piece`](super::Event::Piece)s, as the bytes come: the engine holds no message, only the at most three
    /// bytes of a character that is not complete.
    Pieces,
}
