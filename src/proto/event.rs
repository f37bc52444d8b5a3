//! What a connection receives and sends after its handshake: the same types in both directions.

use super::{close::CloseReason, error::ControlTooLong, frame::MAX_CONTROL_PAYLOAD, text::Text};
use bytes::Bytes;
use std::fmt;

/// What came from the peer, or what is to be sent to it.
///
/// ```
/// use wscope::proto::{Config, Connection, Event, Ping, Role};
///
/// let (mut client, mut server) = (Connection::new(Role::Client, Config::new()), Connection::new(Role::Server, Config::new()));
/// let mut wire = Vec::new();
/// for event in [Event::from("hello"), Event::from(Ping::new(b"1")?)] {
///     client.send(event, &mut wire)?;
/// }
/// let mut input = &mut wire[..];
/// while let Some(event) = server.receive(&mut input)? {
///     match event {
///         Event::Message(message) => assert_eq!(message.as_text(), Some("hello")),
///         Event::Ping(ping) => assert_eq!(ping.payload(), b"1"), // its pong waits for `transmit`
///         other => panic!("{other:?} was not sent"),
///     }
/// }
/// assert!(server.wants_transmit());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A whole message.
    Message(Message),
    /// The next part of a message that travels in pieces.
    Piece(Piece),
    /// A ping. The engine has queued the answer, unless it was asked not to.
    Ping(Ping),
    /// A pong, the answer to a ping or unsolicited (RFC 6455 §5.5.3).
    Pong(Pong),
    /// A close frame. The engine has queued the answer, unless it was asked not to.
    CloseConnection(CloseConnection),
}

impl Event {
    /// Its name in an error.
    pub(super) const fn what(&self) -> &'static str {
        match self {
            Self::Message(_) | Self::Piece(_) => "a message",
            Self::Ping(_) => "a ping",
            Self::Pong(_) => "a pong",
            Self::CloseConnection(_) => "a close frame",
        }
    }
}

/// A message: data alone, cheap to clone.
///
/// ```
/// use wscope::proto::Message;
/// assert_eq!(Message::from("hello"), Message::Text("hello".into()));
/// assert_eq!(Message::from(vec![1, 2]).as_bytes(), [1, 2]);
/// ```
#[allow(
    clippy::exhaustive_enums,
    reason = "RFC 6455 has two kinds of message, and no opcode is left in sight"
)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Message {
    /// UTF-8 text; wsproto's `TextMessage`.
    Text(Text),
    /// Bytes; wsproto's `BytesMessage`.
    Binary(Bytes),
}

impl Message {
    /// The payload, whatever the kind.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_str().as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text of a text message.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Text or binary.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// Length of the payload in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the payload is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Payload::from(self), f)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Text> for Message {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(bytes))
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

/// The payload of a message that is to be sent, borrowed: text as `str`, so that only UTF-8 goes out as text.
///
/// ```
/// use wscope::proto::{MessageKind, Payload};
/// assert_eq!(Payload::from("grün").kind(), MessageKind::Text);
/// assert_eq!(Payload::from(&[1, 2]).as_bytes(), [1, 2]);
/// ```
#[allow(clippy::exhaustive_enums, reason = "as Message")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Payload<'a> {
    /// UTF-8 text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// The bytes, whatever the kind.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Text or binary.
    #[must_use]
    pub const fn kind(self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }
}

/// Bytes of a payload that `Debug` shows: a log line is no place for a megabyte.
const DEBUG_BYTES: usize = 64;

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes();
        let shown = &bytes[..bytes.len().min(DEBUG_BYTES)];
        match self {
            Self::Text(_) => write!(f, "Text({:?}", String::from_utf8_lossy(shown))?,
            Self::Binary(_) => write!(f, "Binary(b\"{}\"", shown.escape_ascii())?,
        }
        if shown.len() < bytes.len() { write!(f, ".. {} bytes)", bytes.len()) } else { f.write_str(")") }
    }
}

impl<'a> From<&'a str> for Payload<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Payload<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a String> for Payload<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Text> for Payload<'a> {
    fn from(text: &'a Text) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Vec<u8>> for Payload<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a Bytes> for Payload<'a> {
    fn from(bytes: &'a Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Payload<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a Message> for Payload<'a> {
    fn from(message: &'a Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text),
            Message::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

/// The two kinds of message.
///
/// ```
/// use wscope::proto::{Message, MessageKind};
/// assert_eq!(Message::from("grün").kind(), MessageKind::Text);
/// assert_eq!(Message::from(vec![1, 2]).kind(), MessageKind::Binary);
/// ```
#[allow(clippy::exhaustive_enums, reason = "as Message")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Binary => "binary",
        })
    }
}

/// A part of a message.
///
/// Received: what has come of it, in no relation to the sender's cuts, except that [`frame_finished`](Self::frame_finished)
/// tells the end of a frame, with an empty piece where nothing else is left to tell; text is cut between characters.
/// Sent: one frame, a fragment (RFC 6455 §5.4).
///
/// ```
/// use wscope::proto::{Config, Connection, Piece, Role};
/// let (mut server, mut out) = (Connection::new(Role::Server, Config::new()), Vec::new());
/// server.send(Piece::more("Hel"), &mut out)?;
/// server.send(Piece::last("lo"), &mut out)?;
/// assert_eq!(out, b"\x01\x03Hel\x80\x02lo"); // RFC 6455 §5.7
/// # Ok::<(), wscope::proto::LocalError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece {
    /// The bytes or the text.
    pub data: Message,
    /// The last piece of a frame. Ignored when sending: a piece is a frame.
    pub frame_finished: bool,
    /// The last piece of the message.
    pub message_finished: bool,
}

impl Piece {
    /// A piece that more will follow.
    #[must_use]
    pub fn more(data: impl Into<Message>) -> Self {
        Self { data: data.into(), frame_finished: true, message_finished: false }
    }

    /// The last piece of its message; may be empty.
    #[must_use]
    pub fn last(data: impl Into<Message>) -> Self {
        Self { data: data.into(), frame_finished: true, message_finished: true }
    }
}

/// A ping (RFC 6455 §5.5.2).
///
/// ```
/// use wscope::proto::Ping;
/// assert_eq!(Ping::new(b"are you there?")?.payload(), b"are you there?");
/// assert!(Ping::new(&[0; 126]).is_err());
/// # Ok::<(), wscope::proto::ControlTooLong>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ping(ControlPayload);

impl Ping {
    /// A ping with a payload that its pong will carry.
    ///
    /// # Errors
    /// [`ControlTooLong`] above [`MAX_CONTROL_PAYLOAD`] bytes.
    pub fn new(payload: &[u8]) -> Result<Self, ControlTooLong> {
        ControlPayload::new(payload).map(Self)
    }

    /// 0 to [`MAX_CONTROL_PAYLOAD`] bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.0.0
    }

    /// The pong that answers it.
    #[must_use]
    pub fn response(&self) -> Pong {
        Pong(self.0.clone())
    }

    /// A ping as it came: a longer one was refused by its header.
    pub(super) const fn received(payload: Bytes) -> Self {
        Self(ControlPayload(payload))
    }
}

/// A pong (RFC 6455 §5.5.3).
///
/// ```
/// use wscope::proto::{Ping, Pong};
/// assert_eq!(Ping::new(b"1")?.response(), Pong::new(b"1")?);
/// assert_eq!(Pong::default().payload(), b""); // a heartbeat
/// assert!(Pong::new(&[0; 126]).is_err());
/// # Ok::<(), wscope::proto::ControlTooLong>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pong(ControlPayload);

impl Pong {
    /// A pong that answers a ping with this payload, or one that nobody asked for: a heartbeat in one direction.
    ///
    /// # Errors
    /// [`ControlTooLong`] above [`MAX_CONTROL_PAYLOAD`] bytes.
    pub fn new(payload: &[u8]) -> Result<Self, ControlTooLong> {
        ControlPayload::new(payload).map(Self)
    }

    /// 0 to [`MAX_CONTROL_PAYLOAD`] bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.0.0
    }

    /// A pong as it came: a longer one was refused by its header.
    pub(super) const fn received(payload: Bytes) -> Self {
        Self(ControlPayload(payload))
    }
}

/// A close frame (RFC 6455 §5.5.1).
///
/// ```
/// use wscope::proto::{CloseCode, CloseConnection, CloseReason};
/// let close = CloseConnection::new(CloseReason::new(CloseCode::GOING_AWAY, "maintenance")?);
/// assert_eq!(close.response(), close);
/// assert_eq!(CloseConnection::empty().reason, None);
/// # Ok::<(), wscope::proto::ReasonTooLong>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseConnection {
    /// `None` is the empty close frame, which says nothing about why: APIs without a type for it call it 1005.
    pub reason: Option<CloseReason>,
}

impl CloseConnection {
    /// A close frame with a code, and a text if there is something to say.
    #[must_use]
    pub fn new(reason: impl Into<CloseReason>) -> Self {
        Self { reason: Some(reason.into()) }
    }

    /// A close frame without a code.
    #[must_use]
    pub const fn empty() -> Self {
        Self { reason: None }
    }

    /// The answer to it: the same frame. RFC 6455 §5.5.1 wants the code echoed; with the text, as wsproto and python
    /// websockets echo it, the peer can tell the answer to its own close frame from one that crossed it.
    #[must_use]
    pub fn response(&self) -> Self {
        self.clone()
    }
}

/// At most [`MAX_CONTROL_PAYLOAD`] bytes.
#[derive(Clone, Default, PartialEq, Eq)]
struct ControlPayload(Bytes);

impl ControlPayload {
    fn new(payload: &[u8]) -> Result<Self, ControlTooLong> {
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(ControlTooLong { len: payload.len() });
        }
        Ok(Self(Bytes::copy_from_slice(payload)))
    }
}

impl fmt::Debug for ControlPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<M: Into<Message>> From<M> for Event {
    fn from(message: M) -> Self {
        Self::Message(message.into())
    }
}

impl From<Piece> for Event {
    fn from(piece: Piece) -> Self {
        Self::Piece(piece)
    }
}

impl From<Ping> for Event {
    fn from(ping: Ping) -> Self {
        Self::Ping(ping)
    }
}

impl From<Pong> for Event {
    fn from(pong: Pong) -> Self {
        Self::Pong(pong)
    }
}

impl From<CloseConnection> for Event {
    fn from(close: CloseConnection) -> Self {
        Self::CloseConnection(close)
    }
}
