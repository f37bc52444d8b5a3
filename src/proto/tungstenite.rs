//! From and to the message types of tungstenite, so that code written for it moves over a piece at a time. Nothing is copied.

use async_tungstenite::tungstenite::{self, Utf8Bytes};

use super::{event::Message, text::Text};

impl From<Message> for tungstenite::Message {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text.into()),
            Message::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

/// tungstenite's pings, pongs, close frames and raw frames are no messages here, and are given back.
///
/// ```
/// use async_tungstenite::tungstenite;
/// use wscope::proto::Message;
///
/// assert_eq!(Message::try_from(tungstenite::Message::text("hello")), Ok(Message::from("hello")));
/// assert!(Message::try_from(tungstenite::Message::Close(None)).is_err());
/// ```
impl TryFrom<tungstenite::Message> for Message {
    type Error = tungstenite::Message;

    fn try_from(message: tungstenite::Message) -> Result<Self, tungstenite::Message> {
        match message {
            tungstenite::Message::Text(text) => Ok(Self::Text(text.into())),
            tungstenite::Message::Binary(bytes) => Ok(Self::Binary(bytes)),
            other @ (tungstenite::Message::Ping(_)
            | tungstenite::Message::Pong(_)
            | tungstenite::Message::Close(_)
            | tungstenite::Message::Frame(_)) => Err(other),
        }
    }
}

impl From<Text> for Utf8Bytes {
    fn from(text: Text) -> Self {
        text.into_inner()
    }
}

impl From<Utf8Bytes> for Text {
    fn from(text: Utf8Bytes) -> Self {
        Self::from_inner(text)
    }
}
