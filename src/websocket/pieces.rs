//! Sending a message in pieces.

use std::{fmt, future::poll_fn, marker::PhantomData};

use super::{ConnectionClosed, WebSocketConnection, apart::Apart, send};
use crate::proto::{CloseCode, CloseConnection, Message, Piece, Text};
use crate::runtime::turns::Ticket;

/// A message that is being sent, of text (`PieceWriter<Text>`) or of bytes. It keeps the first place among the senders, so no other
/// message gets in between.
///
/// Dropped before [`finish`](Self::finish) it has torn its message: the connection closes with 1011. Dropped before the first piece it
/// has done nothing.
///
/// ```
/// use wscope::{Text, WebSocketConnection};
///
/// /// A list whose text nobody has to hold as a whole.
/// async fn send_list(ws: &WebSocketConnection, numbers: &[u64]) -> Result<(), wscope::Error> {
///     let mut message = ws.send_pieces::<Text>().await?;
///     for number in numbers {
///         message.send(format!("{number}, ")).await?;
///     }
///     message.finish("and so on").await?;
///     Ok(())
/// }
/// # let _ = send_list;
/// ```
#[must_use = "a message is begun, and others wait for it"]
pub struct PieceWriter<T> {
    ws: WebSocketConnection,
    ticket: Option<Ticket>,
    progress: Progress,
    /// The message is not compressed.
    plain: bool,
    kind: PhantomData<fn(T)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Progress {
    Nothing,
    Begun,
    Finished,
}

/// What a piece can be: [`Text`] or [`bytes::Bytes`].
pub trait PieceData: Into<Message> + sealed::Sealed {}
impl PieceData for Text {}
impl PieceData for bytes::Bytes {}

mod sealed {
    #[allow(unnameable_types, reason = "nobody else is to implement it: a message has one kind")]
    pub trait Sealed {}
    impl Sealed for super::Text {}
    impl Sealed for bytes::Bytes {}
}

impl<T: PieceData> PieceWriter<T> {
    pub(super) async fn begin(ws: WebSocketConnection) -> Result<Self, ConnectionClosed> {
        let mut writer =
            Self { ws, ticket: None, progress: Progress::Nothing, plain: false, kind: PhantomData };
        writer.room().await?;
        Ok(writer)
    }

    /// Does not compress the message, as [`send_uncompressed`](WebSocketConnection::send_uncompressed) does. After the first piece it
    /// changes nothing: a message is compressed as a whole or not at all.
    pub fn uncompressed(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Sends a piece, when there is room for it, and not the last. It waits for that as
    /// [`send_message`](WebSocketConnection::send_message) does.
    ///
    /// Cancel-safe: a dropped call has sent nothing, or all.
    ///
    /// # Errors
    /// [`ConnectionClosed`] when the connection is closed or closing.
    pub async fn send(&mut self, piece: impl Into<T>) -> Result<(), ConnectionClosed> {
        self.piece(Piece::more(piece.into())).await
    }

    /// Sends the last piece, which may be empty.
    ///
    /// A dropped call has finished the message, or torn it: then the connection closes with 1011.
    ///
    /// # Errors
    /// [`ConnectionClosed`] when the connection is closed or closing.
    pub async fn finish(mut self, last: impl Into<T>) -> Result<(), ConnectionClosed> {
        self.piece(Piece::last(last.into())).await
    }

    async fn piece(&mut self, piece: Piece) -> Result<(), ConnectionClosed> {
        self.room().await?;
        let finished = piece.message_finished;
        let Self { ws, ticket, plain, .. } = self;
        let shared = ws.shared();
        let mut kept = None;
        // With the last piece the place is given up, in one step: who has received it finds room for the next message.
        let place = if finished { ticket } else { &mut kept };
        let begun = shared.work(|engine, after| {
            let begun = match engine.closed() {
                Some(closed) => Err(closed),
                None => engine.send_piece(&piece, *plain, after).map_err(|_| engine.refuse(after)),
            };
            if matches!(begun, Ok(None)) {
                send::leave(engine, place, after);
            }
            begun
        })?;
        if let Some(work) = begun {
            let mut apart = Apart::new(shared, work);
            poll_fn(|cx| apart.poll_step(cx)).await;
            apart.queue(place)?;
        }
        self.progress = if finished { Progress::Finished } else { Progress::Begun };
        Ok(())
    }

    /// Waits for room, and keeps the place.
    async fn room(&mut self) -> Result<(), ConnectionClosed> {
        let Self { ws, ticket, .. } = self;
        poll_fn(|cx| send::poll_hold(ws.shared(), ticket, cx)).await
    }
}

impl<T> Drop for PieceWriter<T> {
    fn drop(&mut self) {
        let Self { ws, ticket, progress, .. } = self;
        ws.shared().work(|engine, after| {
            if *progress == Progress::Begun && !engine.is_closing() {
                engine.close(CloseConnection::new(CloseCode::INTERNAL_ERROR), after);
            }
            send::leave(engine, ticket, after);
        });
    }
}

impl<T> fmt::Debug for PieceWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PieceWriter").field("ws", &self.ws).finish_non_exhaustive()
    }
}
