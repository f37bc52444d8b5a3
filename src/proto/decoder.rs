//! Bytes in, events out: the receiving half of a connection.
//!
//! ```text
//!            ┌────────────── frame finished ──────────────┐
//!            ▼                                            │
//!   header (at most 14 bytes kept) ──▶ payload ──▶ control payload │ message, assembled or in pieces
//! ```
//!
//! Cost: O(bytes), never a rescan. Kept between calls: the bytes of a header or of a control frame that is not complete,
//! and the message that is being assembled. The payload is unmasked in the caller's buffer.

use super::{
    close::{CloseCode, CloseReason},
    config::{Config, MessageDelivery},
    error::ProtocolError,
    event::{CloseConnection, Event, Message, MessageKind, Piece, Ping, Pong},
    extension::{InboundTransform, Rsv},
    frame::{FrameHeader, MAX_CONTROL_PAYLOAD, MAX_HEADER, Opcode},
    mask::Mask,
    message::{Assembly, Coming, whole},
    role::Role,
    text::Text,
};
use bytes::{Bytes, BytesMut};

/// The receiving half: knows frames and messages, and nothing of closing states; [`Connection`](super::Connection) adds
/// these. Usable alone where the two directions must not wait for each other.
///
/// ```
/// use wscope::proto::{Config, Decoder, Event, Message, Role};
///
/// let mut decoder = Decoder::new(Role::Client, Config::new());
/// let mut bytes = *b"\x81\x05Hello\x81\x02yo";
/// let mut input = &mut bytes[..];
/// assert_eq!(decoder.decode(&mut input)?, Some(Event::Message("Hello".into())));
/// assert_eq!(decoder.decode(&mut input)?, Some(Event::Message("yo".into())));
/// assert_eq!(decoder.decode(&mut input)?, None);
/// # Ok::<(), wscope::proto::ProtocolError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    config: Config,
    transform: Option<(Rsv, Box<dyn InboundTransform>)>,
    header: PartialHeader,
    /// The frame whose payload is under way.
    frame: Option<Frame>,
    /// The message that is under way; control frames may stand between its fragments.
    message: Option<Assembly>,
    /// The payload of the control frame that is under way. The allocation serves all of them, unless the one before is
    /// still held.
    control: BytesMut,
    payload_received: u64,
}

/// A header of which bytes are missing.
#[derive(Debug, Default)]
struct PartialHeader {
    bytes: [u8; MAX_HEADER],
    len: usize, // < MAX_HEADER between calls
}

/// A frame whose header has been judged.
#[derive(Debug)]
struct Frame {
    kind: FrameKind,
    fin: bool,
    /// Bytes of the payload that have not come.
    remaining: u64,
    mask: Option<Mask>,
}

#[derive(Debug)]
enum FrameKind {
    /// Belongs to the message under way.
    Data,
    /// Stands alone; what has come of it is in [`Decoder::control`].
    Control(Control),
}

#[derive(Clone, Copy, Debug)]
enum Control {
    Close,
    Ping,
    Pong,
}

impl Decoder {
    /// The receiving half of the side `role`, without an extension.
    #[must_use]
    pub fn new(role: Role, config: Config) -> Self {
        Self {
            role,
            config,
            transform: None,
            header: PartialHeader::default(),
            frame: None,
            message: None,
            control: BytesMut::new(),
            payload_received: 0,
        }
    }

    /// Undoes the work of an agreed extension, which owns the reserved bit `rsv`. To be called before the first byte.
    #[must_use]
    pub fn with_transform(mut self, rsv: Rsv, inbound: Box<dyn InboundTransform>) -> Self {
        self.transform = Some((rsv, inbound));
        self
    }

    /// Which side this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Limits and habits.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Bytes of the payloads of messages that have come, as they travelled: before an extension has done its work.
    #[must_use]
    pub const fn payload_received(&self) -> u64 {
        self.payload_received
    }

    /// Takes bytes until an event is complete: `input` is moved forward past what was used, so that what comes after
    /// the event stays with the caller for the next call. `None`: all bytes are used, and more are needed.
    ///
    /// # Errors
    /// The fault of the peer. Its place in the stream is lost: bytes must not be fed after it.
    #[inline]
    pub fn decode(&mut self, input: &mut &mut [u8]) -> Result<Option<Event>, ProtocolError> {
        self.decode_within(input, &mut { usize::MAX })
    }

    /// As [`decode`](Self::decode), but an extension's work ends when it has made some `budget` bytes, of which what it made is taken:
    /// `None` with bytes left in `input` means that there is more to do.
    #[inline]
    pub(super) fn decode_within(
        &mut self,
        input: &mut &mut [u8],
        budget: &mut usize,
    ) -> Result<Option<Event>, ProtocolError> {
        if input.is_empty() && self.frame.is_none() {
            return Ok(None);
        }
        match self.whole_message(input)? {
            Some(message) => Ok(Some(self.finished(message))),
            None => self.next_event(input, budget),
        }
    }

    /// Lets `read` append the next bytes of a large binary message straight to its buffer: the second argument says how
    /// many are wanted at most. Then [`decode`](Self::decode) goes on, with or without further input.
    ///
    /// `None` without a call of `read`, where no such message is under way, or where its buffer, which grows by steps, has
    /// room beyond the frame. For sockets that can read into a `Vec`
    /// (`Read::take(wanted).read_to_end(buffer)`): it saves the copy out of the receive buffer.
    ///
    /// The second value is `false` when `read` did anything but append at most as many bytes as were wanted. The place
    /// in the stream is lost then, and bytes must not be fed after it.
    #[inline]
    pub fn fill_payload<R>(&mut self, read: impl FnOnce(&mut Vec<u8>, usize) -> R) -> Option<(R, bool)> {
        match (&mut self.frame, &mut self.message, self.config.delivery) {
            (Some(frame @ Frame { kind: FrameKind::Data, .. }), Some(message), MessageDelivery::Whole) => {
                let coming = frame.coming();
                let (outcome, added) = message.fill(frame.mask.as_mut(), coming, read)?;
                frame.remaining -= added.unwrap_or(0) as u64;
                self.payload_received += added.unwrap_or(0) as u64;
                Some((outcome, added.is_some()))
            }
            (Some(_) | None, Some(_) | None, MessageDelivery::Whole | MessageDelivery::Pieces) => None,
        }
    }

    /// Nothing more will be fed: gives back what is kept, which may be most of a message.
    pub(super) fn stop(&mut self) {
        let payload_received = self.payload_received;
        *self = Self { payload_received, ..Self::new(self.role, self.config.clone()) };
    }

    /// The short way, which most messages take: one plain frame that is wholly here. `None`, with nothing used, where it
    /// is anything else.
    #[inline]
    fn whole_message(&mut self, input: &mut &mut [u8]) -> Result<Option<Message>, ProtocolError> {
        if self.frame.is_some() || self.message.is_some() || !self.header.is_empty() {
            return Ok(None);
        }
        let Some((header, len)) = FrameHeader::parse(input, self.role, self.owned())? else {
            return Ok(None);
        };
        let kind = match header.opcode {
            Opcode::Text => MessageKind::Text,
            Opcode::Binary => MessageKind::Binary,
            Opcode::Continuation | Opcode::Close | Opcode::Ping | Opcode::Pong => return Ok(None),
        };
        let here = (input.len() - len) as u64;
        if !header.fin || header.rsv.is_some() || header.payload_len > here {
            return Ok(None);
        }
        self.payload_received += header.payload_len;
        let payload = &mut take(input, len + header.payload_len as usize)[len..];
        whole(kind, payload, header.mask.map(Mask::new), &self.config).map(Some)
    }

    /// The long way, which takes every frame.
    fn next_event(
        &mut self,
        input: &mut &mut [u8],
        budget: &mut usize,
    ) -> Result<Option<Event>, ProtocolError> {
        loop {
            if self.frame.is_none() {
                let Some(header) = self.header.read(input, self.role, self.owned())? else { return Ok(None) };
                self.begin_frame(&header)?;
            }
            if let Some(event) = self.payload(input, budget)? {
                return Ok(Some(event));
            }
            if *budget == 0 || self.frame.is_some() && input.is_empty() {
                return Ok(None);
            }
        }
    }

    /// A header has been read: judges the frame by it.
    fn begin_frame(&mut self, header: &FrameHeader) -> Result<(), ProtocolError> {
        let kind = match header.opcode {
            Opcode::Text => self.begin_message(MessageKind::Text, header)?,
            Opcode::Binary => self.begin_message(MessageKind::Binary, header)?,
            Opcode::Continuation => {
                let message = self.message.as_mut().ok_or(ProtocolError::UnexpectedContinuation)?;
                message.begin_frame(header.payload_len, header.fin, &self.config)?;
                FrameKind::Data
            }
            Opcode::Close => FrameKind::Control(Control::Close),
            Opcode::Ping => FrameKind::Control(Control::Ping),
            Opcode::Pong => FrameKind::Control(Control::Pong),
        };
        if header.opcode.is_control() && header.payload_len > 0 {
            self.control.reserve(MAX_CONTROL_PAYLOAD);
        }
        self.frame = Some(Frame::new(kind, header));
        Ok(())
    }

    fn begin_message(&mut self, kind: MessageKind, header: &FrameHeader) -> Result<FrameKind, ProtocolError> {
        if self.message.is_some() {
            return Err(ProtocolError::ExpectedContinuation { kind });
        }
        let mut message = Assembly::new(kind, header.rsv.is_some());
        message.begin_frame(header.payload_len, header.fin, &self.config)?;
        self.message = Some(message);
        Ok(FrameKind::Data)
    }

    /// The reserved bit that the peer may set.
    fn owned(&self) -> Option<Rsv> {
        self.transform.as_ref().map(|(rsv, _)| *rsv)
    }

    /// Takes what there is of the payload under way.
    fn payload(&mut self, input: &mut &mut [u8], budget: &mut usize) -> Result<Option<Event>, ProtocolError> {
        let Some(frame) = &mut self.frame else { return Ok(None) };
        let here = input.len().min(usize::try_from(frame.remaining).unwrap_or(usize::MAX));
        match frame.kind {
            FrameKind::Control(control) => {
                let payload = take(input, here);
                if let Some(mask) = &mut frame.mask {
                    mask.apply(payload);
                }
                self.control.extend_from_slice(payload);
                frame.remaining -= here as u64;
                if frame.remaining > 0 {
                    return Ok(None);
                }
                let event = control.event(self.control.split().freeze())?;
                self.frame = None;
                Ok(Some(event))
            }
            FrameKind::Data => self.data(input, here, budget),
        }
    }

    /// Takes `here` bytes of the message under way; a data frame always has one.
    fn data(
        &mut self,
        input: &mut &mut [u8],
        mut here: usize,
        budget: &mut usize,
    ) -> Result<Option<Event>, ProtocolError> {
        let (Some(frame), Some(message)) = (&mut self.frame, &mut self.message) else { return Ok(None) };
        match (&mut self.transform, message.is_transformed()) {
            (Some((_, inbound)), true) => {
                here = here.min(match self.config.delivery {
                    MessageDelivery::Whole => STEP_OF_TRANSFORMED,
                    MessageDelivery::Pieces => PIECE_OF_TRANSFORMED,
                });
                let before = message.size();
                let payload = take(input, here);
                if let Some(mask) = &mut frame.mask {
                    mask.apply(payload);
                }
                frame.remaining -= here as u64;
                message.transform(payload, &mut **inbound, &self.config)?;
                if frame.remaining == 0 && frame.fin {
                    message.finish_transform(&mut **inbound, &self.config)?;
                }
                *budget =
                    budget.saturating_sub(usize::try_from(message.size() - before).unwrap_or(usize::MAX));
            }
            (Some(_) | None, _) => {
                frame.remaining -= here as u64;
                let coming = match self.config.delivery {
                    MessageDelivery::Whole => frame.coming(),
                    MessageDelivery::Pieces => Coming::NOTHING, // what there is is handed out
                };
                message.append(take(input, here), frame.mask.as_mut(), coming)?;
            }
        }
        self.payload_received += here as u64;
        let (frame_finished, fin) = (frame.remaining == 0, frame.fin);
        if frame_finished {
            self.frame = None;
        }
        if frame_finished && fin {
            let Some(message) = self.message.take() else { return Ok(None) };
            return message.finish().map(|data| Some(self.finished(data)));
        }
        match self.config.delivery {
            MessageDelivery::Whole => Ok(None),
            MessageDelivery::Pieces => {
                let piece = Piece { data: message.take_piece(), frame_finished, message_finished: false };
                // The end of a frame is told even where no whole character has come since the last piece.
                Ok((frame_finished || !piece.data.is_empty()).then_some(Event::Piece(piece)))
            }
        }
    }

    /// The event of a message that is complete, or of its last piece.
    fn finished(&self, data: Message) -> Event {
        match self.config.delivery {
            MessageDelivery::Whole => Event::Message(data),
            MessageDelivery::Pieces => {
                Event::Piece(Piece { data, frame_finished: true, message_finished: true })
            }
        }
    }
}

impl PartialHeader {
    const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads the next header.
    fn read(
        &mut self,
        input: &mut &mut [u8],
        receiver: Role,
        owned: Option<Rsv>,
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        let before = self.len;
        let more = input.len().min(MAX_HEADER - before);
        self.bytes[before..before + more].copy_from_slice(&input[..more]);
        match FrameHeader::parse(&self.bytes[..before + more], receiver, owned)? {
            Some((header, len)) => {
                take(input, len - before);
                self.len = 0;
                Ok(Some(header))
            }
            None => {
                take(input, more);
                self.len = before + more;
                Ok(None)
            }
        }
    }
}

impl Frame {
    fn new(kind: FrameKind, header: &FrameHeader) -> Self {
        Self { kind, fin: header.fin, remaining: header.payload_len, mask: header.mask.map(Mask::new) }
    }

    /// Bytes of the message that have not come: its last frame tells, and until then any number may follow.
    const fn coming(&self) -> Coming {
        Coming { declared: self.remaining, at_most: if self.fin { self.remaining } else { u64::MAX } }
    }
}

impl Control {
    fn event(self, payload: Bytes) -> Result<Event, ProtocolError> {
        match self {
            Self::Close => close_connection(&payload).map(Event::CloseConnection),
            Self::Ping => Ok(Event::Ping(Ping::received(payload))),
            Self::Pong => Ok(Event::Pong(Pong::received(payload))),
        }
    }
}

/// Judges the payload of a close frame (RFC 6455 §5.5.1, §7.4).
fn close_connection(payload: &Bytes) -> Result<CloseConnection, ProtocolError> {
    match payload[..] {
        [] => Ok(CloseConnection::empty()),
        [_] => Err(ProtocolError::CloseCodeCut),
        [high, low, ..] => {
            let code = u16::from_be_bytes([high, low]);
            let code = CloseCode::new(code).map_err(|_| ProtocolError::InvalidCloseCode { code })?;
            let reason = Text::try_from(payload.slice(2..)).map_err(|_| ProtocolError::CloseReasonNotUtf8)?;
            Ok(CloseConnection::new(CloseReason::received(code, reason)))
        }
    }
}

/// Splits the first `len` bytes off the input.
fn take<'a>(input: &mut &'a mut [u8], len: usize) -> &'a mut [u8] {
    let (head, tail) = std::mem::take(input).split_at_mut(len);
    *input = tail;
    head
}

/// Bytes of a transformed payload between two looks at the budget: deflate makes at most 1,032 times as many of them.
const STEP_OF_TRANSFORMED: usize = 8 * 1024;

/// Bytes of a transformed payload that become one piece: inflated, they may be a thousand times as many.
const PIECE_OF_TRANSFORMED: usize = 1024;
