//! Limits and habits of a connection after its handshake.

/// Default of [`Config::max_message_size`]: 1 MiB.
pub const DEFAULT_MAX_MESSAGE_SIZE: usize = 1 << 20;
/// Default of [`Config::max_fragments`]. Autobahn sends 65,536 fragments in one message.
pub const DEFAULT_MAX_FRAGMENTS: u32 = 131_072;
/// Default of [`Config::max_empty_fragments`].
pub const DEFAULT_MAX_EMPTY_FRAGMENTS: u32 = 1024;
/// Unsent pongs that are kept; beyond that only the latest ping is answered (RFC 6455 §5.5.3). At most 2 KiB.
pub const MAX_UNSENT_PONGS: usize = 16;

/// Limits and habits of a [`Connection`](super::Connection). The defaults are safe; each setter says what a change costs.
///
/// ```
/// use wscope::proto::{Config, Delivery};
/// let config = Config::new().max_message_size(64 * 1024).delivery(Delivery::Pieces);
/// assert_eq!(config.max_message_size, 65_536);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// See [`Config::max_message_size`].
    pub max_message_size: usize,
    /// See [`Config::max_fragments`].
    pub max_fragments: u32,
    /// See [`Config::max_empty_fragments`].
    pub max_empty_fragments: u32,
    /// See [`Config::delivery`].
    pub delivery: Delivery,
    /// See [`Config::answer_pings`].
    pub answer_pings: bool,
    /// See [`Config::answer_close`].
    pub answer_close: bool,
}

impl Config {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            max_fragments: DEFAULT_MAX_FRAGMENTS,
            max_empty_fragments: DEFAULT_MAX_EMPTY_FRAGMENTS,
            delivery: Delivery::Whole,
            answer_pings: true,
            answer_close: true,
        }
    }

    /// Largest message that is received, in bytes after an extension has undone its work; for text too. Default
    /// [`DEFAULT_MAX_MESSAGE_SIZE`]; `usize::MAX` is no limit.
    ///
    /// Checked on the header of each frame, before anything is allocated. A peer can make us hold this much, once per
    /// connection. The peer sees 1009.
    #[must_use]
    pub const fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Most fragments of one message. Default [`DEFAULT_MAX_FRAGMENTS`].
    ///
    /// Fragments are appended to one buffer, so they cost time and no memory. A message in one frame has no fragments: 0
    /// lets it pass and refuses all others. The peer sees 1008.
    #[must_use]
    pub const fn max_fragments(mut self, fragments: u32) -> Self {
        self.max_fragments = fragments;
        self
    }

    /// Most empty fragments in a row. Default [`DEFAULT_MAX_EMPTY_FRAGMENTS`].
    ///
    /// They are legal and carry nothing, which makes them a way to keep us busy for six bytes each. The peer sees 1008.
    #[must_use]
    pub const fn max_empty_fragments(mut self, fragments: u32) -> Self {
        self.max_empty_fragments = fragments;
        self
    }

    /// Whether messages are handed out whole or in pieces. Default [`Delivery::Whole`].
    #[must_use]
    pub const fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Whether the engine answers pings by itself. Default `true`. RFC 6455 §5.5.2 wants an answer: who turns this off
    /// sends [`Ping::response`](super::Ping::response).
    #[must_use]
    pub const fn answer_pings(mut self, answer: bool) -> Self {
        self.answer_pings = answer;
        self
    }

    /// Whether the engine answers a close frame by itself, with the same code. Default `true`. RFC 6455 §5.5.1 wants an
    /// answer: who turns this off sends [`CloseConnection::response`](super::CloseConnection::response).
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
#[allow(clippy::exhaustive_enums, reason = "a message is handed out whole or it is not")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// As one [`Event::Message`](super::Event::Message) each. The engine holds at most one unfinished message.
    #[default]
    Whole,
    /// As [`Event::Piece`](super::Event::Piece)s, as the bytes come: the engine holds no message, only the at most three
    /// bytes of a character that is not complete.
    Pieces,
}
