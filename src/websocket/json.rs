//! JSON, one value a message.

use serde::{Serialize, de::DeserializeOwned};

use super::{ConnectionClosed, Printable, SendError, WebSocketConnection};
use crate::proto::Message;

impl WebSocketConnection {
    /// Sends `value` as JSON, in a text message. As [`send_message`](Self::send_message) in all else.
    ///
    /// ```
    /// # use wscope::{Accept, Error, nursery, open_websocket, serve_websocket};
    /// # fn main() -> Result<(), Error> {
    /// # wscope::run(nursery(async |n| {
    /// # let server = n.start_service_with(async |status| {
    /// #     let echo = async |request: wscope::WebSocketRequest| {
    /// #         let ws = request.accept(Accept::new()).await?;
    /// #         while let Some(message) = ws.next_message().await? { ws.send_message(message).await?; }
    /// #         Ok(())
    /// #     };
    /// #     serve_websocket("127.0.0.1:0", echo, status).await
    /// # }).await?;
    /// # open_websocket(format!("ws://127.0.0.1:{}/", server.port()), async |ws| {
    /// ws.send_json(&("price", 42)).await?;
    /// let (what, price): (String, u32) = ws.get_json().await?;
    /// assert_eq!((what.as_str(), price), ("price", 42));
    /// # Ok(())
    /// # }).await
    /// # }))
    /// # }
    /// ```
    ///
    /// Cancel-safe: a dropped call has sent nothing, or all.
    ///
    /// # Errors
    /// [`SendJsonError::Json`] when `value` has no form in JSON, and nothing was sent; [`SendJsonError::Send`].
    pub async fn send_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), SendJsonError> {
        let text = serde_json::to_string(value).map_err(JsonError::from)?;
        Ok(self.send_message(text).await?)
    }

    /// Waits for the next message and reads it as JSON; text and binary are both taken. As [`get_message`](Self::get_message) in all
    /// else. There is an example at [`send_json`](Self::send_json).
    ///
    /// Cancel-safe: a dropped call takes no message along.
    ///
    /// # Errors
    /// [`GetJsonError::Json`] when the message is something else, and it is given along; [`GetJsonError::Closed`].
    pub async fn get_json<T: DeserializeOwned>(&self) -> Result<T, GetJsonError> {
        let message = self.get_message().await?;
        serde_json::from_slice(message.as_bytes()).map_err(|error| GetJsonError::Json {
            peer: self.peer(),
            error: error.into(),
            message,
        })
    }
}

/// What is wrong with a JSON text, or with a value that should become one.
#[derive(Debug, thiserror::Error)]
#[error("{}", Printable(&_0.to_string()))]
pub struct JsonError(#[from] serde_json::Error);

impl JsonError {
    /// The line on which the text went wrong, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line()
    }

    /// The column in it, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column()
    }
}

/// Why a value was not sent as JSON.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendJsonError {
    /// It has no form in JSON.
    #[error("no message sent, the value has no form in JSON: {0}")]
    Json(#[from] JsonError),
    /// The connection is closed.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Why no value was received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GetJsonError {
    /// The message is not the JSON that was wanted.
    #[error("the message of {peer} is not the JSON that was wanted: {error}")]
    Json {
        /// As [`ConnectionClosed::peer`].
        peer: String,
        /// What is wrong with it.
        #[source]
        error: JsonError,
        /// The message.
        message: Message,
    },
    /// The connection is closed.
    #[error(transparent)]
    Closed(#[from] ConnectionClosed),
}
