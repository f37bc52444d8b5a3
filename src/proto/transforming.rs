//! The work of an extension on one message, done apart from its connection: a large message is compressed while the
//! connection goes on receiving.
//!
//! ```text
//!   Connection::begin ──▶ Transforming ── step, step, step ──▶ Connection::finish ──▶ bytes
//!                              └────── thought better of ────▶ Connection::withdraw
//! ```

use super::{
    event::{MessageKind, Piece},
    extension::{OutboundTransform, Rsv},
};
use std::fmt;

/// A message, or a piece of one, on its way through an extension: taken out of its connection by
/// [`Connection::begin`](super::Connection::begin), and to be given back by [`finish`](super::Connection::finish) or
/// [`withdraw`](super::Connection::withdraw). In between the connection receives, and sends control frames; other data it
/// refuses.
///
/// ```
/// # #[cfg(feature = "deflate")] {
/// use std::sync::Arc;
/// use wscope::proto::{AcceptConnection, Event, Piece, Ping, Request, WebSocketUri, WsConnection};
/// use wscope::proto::extension::PermessageDeflate;
///
/// # let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
/// # let (mut wire, uri) = (Vec::new(), "ws://example.com/".parse::<WebSocketUri>()?);
/// # let deflate = Arc::new(PermessageDeflate::shared());
/// # client.send(Request::to(&uri).with_extension(deflate.clone()), &mut wire)?;
/// # server.receive(&mut &mut wire[..])?;
/// # server.send(AcceptConnection::new().with_extension(deflate), &mut Vec::new())?;
/// let connection = server.connection_mut().expect("the handshake is over");
/// let large = "sea ".repeat(100_000);
/// let mut transforming = connection.begin(&Piece::last(large))?.expect("compression was agreed on");
/// let mut out = Vec::new();
/// while !transforming.step(64 * 1024) {
///     connection.send(Ping::new(b"")?, &mut out)?; // or receive; or let another thread do so meanwhile
/// }
/// connection.finish(transforming, &mut out)?;
/// assert!(out.len() < 5000);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "its connection sends no data until this is finished or withdrawn"]
pub struct Transforming {
    pub(super) piece: Piece,
    /// The first fragment of its message.
    first: bool,
    pub(super) rsv: Rsv,
    pub(super) outbound: Box<dyn OutboundTransform>,
    /// What has become of the first `done` bytes.
    output: Vec<u8>,
    done: usize,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    UnderWay,
    Transformed,
    /// It goes out as it is.
    Declined,
}

impl Transforming {
    pub(super) fn new(piece: Piece, first: bool, rsv: Rsv, outbound: Box<dyn OutboundTransform>) -> Self {
        Self { piece, first, rsv, outbound, output: Vec::new(), done: 0, progress: Progress::UnderWay }
    }

    /// Works on the next bytes, at most `most`. `true`: all is done.
    pub fn step(&mut self, most: usize) -> bool {
        if self.progress != Progress::UnderWay {
            return true;
        }
        let payload = self.piece.data.as_bytes();
        let (start, end) = (self.done, payload.len().min(self.done.saturating_add(most.max(1))));
        let first = self.first && start == 0;
        let last = self.piece.message_finished && end == payload.len();
        let taken = self.outbound.transform(&payload[start..end], first, last, &mut self.output);
        self.done = end;
        if first && !taken {
            self.progress = Progress::Declined;
        } else if end == payload.len() {
            self.progress = Progress::Transformed;
            if self.is_whole() && start > 0 && self.output.len() > end {
                // In several steps the transform could not see this. No later message may point at what is not sent.
                self.outbound.discard();
                self.output = Vec::new();
                self.progress = Progress::Declined;
            }
        }
        self.progress != Progress::UnderWay
    }

    /// What is being transformed.
    #[must_use]
    pub const fn piece(&self) -> &Piece {
        &self.piece
    }

    pub(super) const fn kind(&self) -> MessageKind {
        self.piece.data.kind()
    }

    /// A message in one frame.
    const fn is_whole(&self) -> bool {
        self.first && self.piece.message_finished
    }

    /// What goes out, and whether it is transformed.
    pub(super) fn outcome(&self) -> (&[u8], bool) {
        match self.progress {
            Progress::Transformed => (&self.output, true),
            Progress::UnderWay | Progress::Declined => (self.piece.data.as_bytes(), false),
        }
    }
}

impl fmt::Debug for Transforming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transforming")
            .field("len", &self.piece.data.len())
            .field("done", &self.done)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
