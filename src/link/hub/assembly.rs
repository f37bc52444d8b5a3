//! Messages out of pieces, of which no more is kept than may be said.
//!
//! A message that is too long is read to its end, since the link has to go on, and thrown away as it comes.

use crate::websocket::{Message, Piece};

/// The message under way.
#[derive(Default)]
pub(super) struct Assembly {
    bytes: Vec<u8>,
    /// What has come of it, kept or not.
    size: usize,
}

/// What a link has for us.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Message(Message),
    /// It had this many bytes, which is more than the limit.
    TooLarge(usize),
}

impl Assembly {
    /// Adds a piece, and gives the message when that was its last. A message that comes in one piece is passed on, whatever
    /// its length: it is in memory already.
    pub(super) fn add(&mut self, piece: Piece, limit: usize) -> Option<Incoming> {
        if piece.message_finished && self.size == 0 {
            return Some(Incoming::Message(piece.data));
        }
        self.size = self.size.saturating_add(piece.data.len());
        if self.size > limit {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(piece.data.as_bytes());
        }
        if !piece.message_finished {
            return None;
        }
        let Self { bytes, size } = std::mem::take(self);
        Some(if size > limit { Incoming::TooLarge(size) } else { Incoming::Message(bytes.into()) })
    }
}
