//! What has been received and not been asked for yet, counted in bytes.

use std::{cell::Cell, collections::VecDeque};

use super::spare;
use crate::proto::{Message, Piece};

/// Messages or pieces in the order in which they came.
pub(super) struct Inbox {
    items: VecDeque<Item>,
    /// What `items` count, each at least [`LEAST`].
    bytes: usize,
    /// Beyond this nothing more is read.
    limit: usize,
    /// What has been taken of a message that is wanted whole, and comes in pieces.
    begun: Option<Box<Begun>>,
}

pub(super) enum Item {
    Message(Message),
    Piece(Piece),
}

enum Begun {
    Text(String),
    Binary(Vec<u8>),
}

/// What a message counts at least: an empty one costs memory, too.
const LEAST: usize = 256;

impl Inbox {
    pub(super) fn new(limit: usize) -> Self {
        Self { items: VecDeque::new(), bytes: 0, limit, begun: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether reading pauses until something is taken.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.limit
    }

    /// What is unread, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, item: Item) {
        self.bytes = self.bytes.saturating_add(item.weight());
        if self.items.capacity() == 0 {
            self.items = spare::take(&SPARES);
        }
        self.items.push_back(item);
    }

    /// The next message, whole; of one that comes in pieces, those that are there are kept until its end comes.
    pub(super) fn take_message(&mut self) -> Option<Message> {
        loop {
            match self.take()? {
                Item::Message(message) => return Some(message),
                Item::Piece(piece) => {
                    let finished = piece.message_finished;
                    self.begin_with(piece.data);
                    if finished {
                        return self.begun.take().map(|begun| begun.finish());
                    }
                }
            }
        }
    }

    /// The next piece; a message that came whole is one.
    pub(super) fn take_piece(&mut self) -> Option<Piece> {
        if let Some(begun) = self.begun.take() {
            return Some(Piece::more(begun.finish()));
        }
        Some(match self.take()? {
            Item::Message(message) => Piece::last(message),
            Item::Piece(piece) => piece,
        })
    }

    /// Forgets all. To be dropped outside of the lock.
    pub(super) fn clear(&mut self) -> VecDeque<Item> {
        self.bytes = 0;
        self.begun = None;
        std::mem::take(&mut self.items)
    }

    fn take(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes = self.bytes.saturating_sub(item.weight());
        if self.items.is_empty() {
            let items = std::mem::take(&mut self.items);
            if items.capacity() <= KEPT {
                spare::give_back(&SPARES, items);
            }
        }
        Some(item)
    }

    fn begin(&mut self, begun: Begun) {
        self.begun = Some(Box::new(begun));
    }

    fn begin_with(&mut self, data: Message) {
        match (self.begun.as_deref_mut(), data) {
            (Some(Begun::Text(text)), Message::Text(more)) => text.push_str(&more),
            (Some(Begun::Binary(bytes)), Message::Binary(more)) => bytes.extend_from_slice(&more),
            // A message has one kind, so what is left is its first piece.
            (_, Message::Text(first)) => self.begin(Begun::Text(first.as_str().to_owned())),
            (_, Message::Binary(first)) => self.begin(Begun::Binary(first.into())),
        }
    }
}

impl Item {
    fn weight(&self) -> usize {
        match self {
            Self::Message(message) => message.len().max(LEAST),
            Self::Piece(piece) => piece.data.len().max(LEAST),
        }
    }
}

impl Begun {
    fn finish(self) -> Message {
        match self {
            Self::Text(text) => text.into(),
            Self::Binary(bytes) => bytes.into(),
        }
    }
}

thread_local! {
    static SPARES: Cell<Vec<VecDeque<Item>>> = const { Cell::new(Vec::new()) };
}

/// Places of a queue that the thread keeps.
const KEPT: usize = 1024;
