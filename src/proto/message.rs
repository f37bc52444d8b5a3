//! Assembly: how fragments become a message, and the limits that hold meanwhile (RFC 6455 §5.4).
//!
//! Fragments are appended to one buffer, so a message in 100,000 of them costs what it weighs. The buffer grows with
//! the bytes that came: what a header declares is believed as far as four times what is here, and no further. So a peer
//! that declares much and sends little costs little, and an honest message is seldom moved.

use super::{
    config::Config,
    error::ProtocolError,
    event::{Message, MessageKind},
    extension::{BrokenStream, InboundTransform, Step},
    frame::MAX_HEADER,
    mask::Mask,
    utf8::{InvalidUtf8, Utf8Validator, validate},
};
use bytes::Bytes;
use std::fmt;

/// A message that has begun and is not finished, or the part of it that has not been handed out.
#[derive(Debug)]
pub(super) struct Assembly {
    content: Content,
    /// An extension's transform is to be undone.
    transformed: bool,
    /// Bytes of the message so far, after the transform, handed out or not.
    size: u64,
    fragments: u32,
    /// Empty fragments since the last one that was not.
    empty: u32,
}

/// What will follow in a message, by what its headers say.
#[derive(Clone, Copy)]
pub(super) struct Coming {
    /// In this frame, into the same buffer.
    pub(super) declared: u64,
    /// In the whole message.
    pub(super) at_most: u64,
}

impl Coming {
    pub(super) const NOTHING: Self = Self { declared: 0, at_most: 0 };

    const fn after(self, now: u64) -> Self {
        Self { declared: self.declared - now, at_most: self.at_most - now }
    }
}

enum Content {
    Text(String, Utf8Validator),
    Binary(Vec<u8>),
}

/// How much there is, and not what: a log line is no place for a megabyte that somebody else wrote.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text, _) => write!(f, "Text({} bytes)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
        }
    }
}

impl Assembly {
    pub(super) const fn new(kind: MessageKind, transformed: bool) -> Self {
        let content = match kind {
            MessageKind::Text => Content::Text(String::new(), Utf8Validator::new()),
            MessageKind::Binary => Content::Binary(Vec::new()),
        };
        Self { content, transformed, size: 0, fragments: 0, empty: 0 }
    }

    pub(super) const fn is_transformed(&self) -> bool {
        self.transformed
    }

    /// Bytes of the message so far.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Judges the next frame of the message by its header, before anything is allocated for it.
    pub(super) const fn begin_frame(
        &mut self,
        len: u64,
        fin: bool,
        config: &Config,
    ) -> Result<(), ProtocolError> {
        self.fragments = self.fragments.saturating_add(1);
        let whole = fin && self.fragments == 1; // not a fragment, and mostly it does not come this way
        if self.fragments > config.max_fragments && !whole {
            return Err(ProtocolError::TooManyFragments { limit: config.max_fragments });
        }
        if len > 0 || fin {
            self.empty = 0;
        } else if self.empty == config.max_empty_fragments {
            return Err(ProtocolError::TooManyEmptyFragments { limit: config.max_empty_fragments });
        } else {
            self.empty += 1;
        }
        // What a transform makes of the bytes is checked while it makes it.
        if self.transformed { Ok(()) } else { check_size(self.size.saturating_add(len), config) }
    }

    /// Takes the next bytes of the message, masked as they were on the wire or plain.
    pub(super) fn append(
        &mut self,
        payload: &mut [u8],
        mask: Option<&mut Mask>,
        coming: Coming,
    ) -> Result<(), ProtocolError> {
        if payload.is_empty() {
            return Ok(()); // a header alone costs nothing
        }
        self.size += payload.len() as u64; // checked by who calls
        match (&mut self.content, mask) {
            (Content::Binary(buffer), mask) => {
                buffer.reserve_exact(growth(buffer.len(), buffer.capacity(), payload.len(), coming));
                match mask {
                    Some(mask) => mask.append(payload, buffer),
                    None => buffer.extend_from_slice(payload),
                }
            }
            (Content::Text(text, utf8), mask) => {
                if let Some(mask) = mask {
                    mask.apply(payload);
                }
                // A character that was begun in the last piece is completed in this one.
                let now = payload.len() + Utf8Validator::MAX_PARTIAL;
                text.reserve_exact(growth(text.len(), text.capacity(), now, coming));
                utf8.push(payload, text)?;
            }
        }
        Ok(())
    }

    /// Undoes the extension's work on the next bytes of the payload, already unmasked, in bounded steps.
    pub(super) fn transform(
        &mut self,
        mut payload: &[u8],
        inbound: &mut dyn InboundTransform,
        config: &Config,
    ) -> Result<(), ProtocolError> {
        self.steps(config, |output, room| inbound.transform(&mut payload, output, room))
    }

    /// The last byte of a transformed payload has come.
    pub(super) fn finish_transform(
        &mut self,
        inbound: &mut dyn InboundTransform,
        config: &Config,
    ) -> Result<(), ProtocolError> {
        self.steps(config, |output, room| inbound.finish(output, room))
    }

    /// Runs a transform until it is done: each step appends at most [`TRANSFORM_STEP`] bytes, and at most one byte more
    /// than the limit of the message allows, so that the limit holds while a message is inflated. Not into the message's own
    /// buffer: that grows by what is there, and by nothing that is beyond the limit.
    fn steps(
        &mut self,
        config: &Config,
        mut step: impl FnMut(&mut Vec<u8>, usize) -> Result<Step, BrokenStream>,
    ) -> Result<(), ProtocolError> {
        let mut output = Vec::new();
        loop {
            let left = (config.max_message_size as u64).saturating_sub(self.size);
            let room = usize::try_from(left).unwrap_or(usize::MAX).saturating_add(1).min(TRANSFORM_STEP);
            output.clear();
            let done = step(&mut output, room)?;
            let added = output.len() as u64;
            let size = self.size + added;
            // What the limit allows comes first: its faults would have been found before, had the bytes come one by one.
            let (allowed, _) = output.split_at_mut(added.min(left) as usize);
            self.append(allowed, None, Coming { declared: 0, at_most: left.saturating_sub(added) })?;
            check_size(size, config)?;
            match done {
                Step::Done => return Ok(()),
                Step::Full if added == 0 => return Err(ProtocolError::BrokenExtensionData), // would never end
                Step::Full => {}
            }
        }
    }

    /// Lets the caller append to the buffer of a large binary message what it reads; see
    /// [`Decoder::fill_payload`](super::Decoder::fill_payload). `None` where that is not possible or not worth it.
    ///
    /// Gives what `read` gave and how many bytes it appended: `None` if it did anything else to the buffer.
    pub(super) fn fill<R>(
        &mut self,
        mask: Option<&mut Mask>,
        coming: Coming,
        read: impl FnOnce(&mut Vec<u8>, usize) -> R,
    ) -> Option<(R, Option<usize>)> {
        let Content::Binary(buffer) = &mut self.content else { return None };
        if self.transformed || coming.declared == 0 || buffer.len() < FILL_FROM {
            return None;
        }
        let start = buffer.len();
        buffer.reserve_exact(growth(start, buffer.capacity(), 1, coming.after(1)));
        let wanted = buffer.capacity() - start;
        if wanted as u64 > coming.declared {
            return None; // it would read past the frame: who reads into spare room fills all of it
        }
        let outcome = read(buffer, wanted);
        let added = buffer.len().checked_sub(start).filter(|added| *added <= wanted);
        if let (Some(_), Some(mask)) = (added, mask) {
            mask.apply(&mut buffer[start..]);
        }
        self.size += added.unwrap_or(0) as u64;
        Some((outcome, added))
    }

    /// What has come since the last piece was taken, without the bytes of a character that is not complete.
    pub(super) fn take_piece(&mut self) -> Message {
        match &mut self.content {
            Content::Text(text, _) => text_message(std::mem::take(text)),
            Content::Binary(buffer) => binary_message(std::mem::take(buffer)),
        }
    }

    /// The message is over: what has not been handed out of it.
    pub(super) fn finish(self) -> Result<Message, ProtocolError> {
        match self.content {
            Content::Text(text, utf8) => {
                utf8.finish()?;
                Ok(text_message(text))
            }
            Content::Binary(buffer) => Ok(binary_message(buffer)),
        }
    }
}

/// A message that is wholly here in one plain frame: one allocation, of its own size.
pub(super) fn whole(
    kind: MessageKind,
    payload: &mut [u8],
    mask: Option<Mask>,
    config: &Config,
) -> Result<Message, ProtocolError> {
    check_size(payload.len() as u64, config)?;
    match (kind, mask) {
        (MessageKind::Binary, Some(mut mask)) if payload.len() >= FUSE_FROM => {
            let mut buffer = Vec::with_capacity(payload.len());
            mask.append(payload, &mut buffer);
            Ok(Message::Binary(buffer.into()))
        }
        (MessageKind::Binary | MessageKind::Text, mask) => {
            if let Some(mut mask) = mask {
                mask.apply(payload);
            }
            match kind {
                MessageKind::Text => Ok(Message::Text(validate(payload)?.into())),
                MessageKind::Binary => Ok(Message::Binary(Bytes::copy_from_slice(payload))),
            }
        }
    }
}

/// How much to reserve so that `now` bytes fit. What is declared is believed within bounds. Where more frames may follow, the
/// buffer doubles, else each small fragment would move it. Headers are counted in: without them a message of 2ⁿ bytes would be
/// moved once more for its last few.
fn growth(len: usize, capacity: usize, now: usize, coming: Coming) -> usize {
    let needed = len + now;
    if needed <= capacity {
        return 0;
    }
    let believed = GROWTH.saturating_mul(needed + MAX_HEADER);
    let declared = needed.saturating_add(saturated(coming.declared)).min(believed);
    let doubled = if capacity == 0 { 0 } else { 2 * (capacity + MAX_HEADER) };
    let at_most = needed.saturating_add(saturated(coming.at_most));
    declared.max(doubled.min(at_most)) - len
}

fn saturated(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

const fn check_size(size: u64, config: &Config) -> Result<(), ProtocolError> {
    let limit = config.max_message_size as u64;
    if size > limit { Err(ProtocolError::MessageTooBig { size, limit }) } else { Ok(()) }
}

fn text_message(mut text: String) -> Message {
    text.shrink_to_fit(); // what stays over would live as long as the message
    Message::Text(text.into())
}

fn binary_message(mut bytes: Vec<u8>) -> Message {
    bytes.shrink_to_fit();
    Message::Binary(bytes.into())
}

impl From<InvalidUtf8> for ProtocolError {
    fn from(InvalidUtf8: InvalidUtf8) -> Self {
        Self::InvalidUtf8
    }
}

impl From<BrokenStream> for ProtocolError {
    fn from(_: BrokenStream) -> Self {
        Self::BrokenExtensionData
    }
}

/// Most bytes that an extension may append before the limits are looked at again. Each step costs a call and a copy to the window.
const TRANSFORM_STEP: usize = 64 * 1024;

/// A message is worth reading straight into its buffer once this much of it has come: before, a peer that declares much
/// and sends nothing would cost us the room.
const FILL_FROM: usize = 16 * 1024;

/// So many times what is here a message is believed to become, where its header declares so much.
const GROWTH: usize = 4;

/// From this length up a payload is unmasked on its way to its own buffer; a shorter one sooner in place, then copied.
const FUSE_FROM: usize = 512;
