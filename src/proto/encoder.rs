//! Events in, bytes out: the sending half of a connection.

use super::{
    close::CloseReason,
    error::LocalError,
    event::{CloseConnection, MessageKind, Payload, Piece, Ping, Pong},
    extension::{OutboundTransform, Rsv},
    frame::{FrameHeader, MAX_HEADER, Opcode},
    mask::Mask,
    random::{RandomSource, SystemRandom},
    role::Role,
    transforming::Transforming,
};

/// The sending half: knows frames and fragments, and nothing of closing states; [`Connection`](super::Connection) adds
/// these. Usable alone where the two directions must not wait for each other, and to encode once what many connections
/// send.
///
/// All methods append to a buffer of the caller, who reuses it: encoding then allocates nothing.
///
/// ```
/// use wscope::proto::{Encoder, Role};
///
/// let mut out = Vec::new();
/// Encoder::new(Role::Server).message("Hello", &mut out)?;
/// assert_eq!(out, b"\x81\x05Hello"); // RFC 6455 §5.7
/// # Ok::<(), wscope::proto::LocalError>(())
/// ```
#[derive(Debug)]
pub struct Encoder {
    /// Where a client's masking keys come from; a server masks nothing.
    keys: Option<Box<dyn RandomSource>>,
    transform: Transform,
    /// New messages go out as they are.
    plain: bool,
    /// The message that is being sent in fragments.
    unfinished: Option<Unfinished>,
    payload_sent: u64,
}

/// The work of an extension.
#[derive(Debug)]
enum Transform {
    None,
    Here(Rsv, Box<dyn OutboundTransform>),
    /// Being done elsewhere, on this message or on a piece of it.
    Apart(Apart),
}

#[derive(Clone, Copy, Debug)]
struct Apart {
    kind: MessageKind,
    whole: bool,
}

#[derive(Clone, Copy, Debug)]
struct Unfinished {
    kind: MessageKind,
    transformed: bool,
}

impl Encoder {
    /// The sending half of the side `role`, with masking keys of [`SystemRandom`].
    #[must_use]
    pub fn new(role: Role) -> Self {
        let keys: Option<Box<dyn RandomSource>> = match role {
            Role::Client => Some(Box::new(SystemRandom::new())),
            Role::Server => None,
        };
        Self { keys, transform: Transform::None, plain: false, unfinished: None, payload_sent: 0 }
    }

    /// Takes masking keys from `random`. To be called before the first message; a server needs none.
    #[must_use]
    pub fn with_random(mut self, random: Box<dyn RandomSource>) -> Self {
        self.keys = self.keys.map(|_| random);
        self
    }

    /// Lets an agreed extension, which owns the reserved bit `rsv`, do its work. To be called before the first message.
    #[must_use]
    pub fn with_transform(mut self, rsv: Rsv, outbound: Box<dyn OutboundTransform>) -> Self {
        self.transform = Transform::Here(rsv, outbound);
        self
    }

    /// Whether an agreed extension does its work.
    pub(super) const fn has_transform(&self) -> bool {
        !matches!(self.transform, Transform::None)
    }

    /// Whether messages that begin from now on go out as they are, past the extension, which every peer must understand. What is sent
    /// in pieces stays as its first piece was.
    pub const fn skip_transform(&mut self, skip: bool) {
        self.plain = skip;
    }

    /// Bytes of the payloads of all messages so far as they travel: after an extension has done its work.
    #[must_use]
    pub const fn payload_sent(&self) -> u64 {
        self.payload_sent
    }

    /// Appends a whole message as one frame.
    ///
    /// # Errors
    /// [`LocalError::MessageUnfinished`] while a message is being sent in pieces.
    pub fn message<'a>(
        &mut self,
        payload: impl Into<Payload<'a>>,
        out: &mut Vec<u8>,
    ) -> Result<(), LocalError> {
        let payload = payload.into();
        self.may_begin(payload.kind())?;
        self.data(payload, true, out);
        Ok(())
    }

    /// Appends the header of a whole message alone, where its payload travels as it is and can be written from where it lies: at a
    /// server, without an extension. Elsewhere says `false`, and appends nothing.
    ///
    /// # Errors
    /// As [`message`](Self::message).
    pub fn header<'a>(
        &mut self,
        payload: impl Into<Payload<'a>>,
        out: &mut Vec<u8>,
    ) -> Result<bool, LocalError> {
        let payload = payload.into();
        self.may_begin(payload.kind())?;
        let as_it_is = self.keys.is_none() && (self.plain || !self.has_transform());
        if as_it_is {
            let len = payload.as_bytes().len() as u64;
            FrameHeader::new(payload.kind().into(), len).write(out);
            self.payload_sent += len;
        }
        Ok(as_it_is)
    }

    /// Appends the next fragment of a message, or its first one (RFC 6455 §5.4).
    ///
    /// # Errors
    /// [`LocalError::MessageUnfinished`] when a message of the other kind is being sent in pieces.
    pub fn fragment<'a>(
        &mut self,
        payload: impl Into<Payload<'a>>,
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), LocalError> {
        let payload = payload.into();
        self.may_go_on(payload.kind())?;
        self.data(payload, last, out);
        Ok(())
    }

    /// Takes out the extension's work on `piece`, the next fragment of a message, or its first one, or a whole message: to
    /// be done apart, and then brought to [`finish`](Self::finish). `None`: there is no such work, and it can be sent at once.
    ///
    /// # Errors
    /// As [`fragment`](Self::fragment).
    pub fn begin(&mut self, piece: &Piece) -> Result<Option<Transforming>, LocalError> {
        let (kind, first) = (piece.data.kind(), self.unfinished.is_none());
        self.may_go_on(kind)?;
        let whole = first && piece.message_finished;
        match &self.transform {
            Transform::Here(_, outbound)
                if self.transforms() && (!whole || outbound.wants(piece.data.len())) => {}
            Transform::Here(..) | Transform::None | Transform::Apart(_) => return Ok(None),
        }
        match std::mem::replace(&mut self.transform, Transform::Apart(Apart { kind, whole })) {
            Transform::Here(rsv, outbound) => {
                Ok(Some(Transforming::new(piece.clone(), first, rsv, outbound)))
            }
            Transform::None | Transform::Apart(_) => Ok(None),
        }
    }

    /// Appends what was taken out, after the rest of the work on it.
    pub fn finish(&mut self, mut transforming: Transforming, out: &mut Vec<u8>) {
        transforming.step(usize::MAX);
        let (payload, transformed) = transforming.outcome();
        self.data_frame(
            transforming.kind(),
            payload,
            transformed.then_some(transforming.rsv),
            transforming.piece.message_finished,
            out,
        );
        self.transform = Transform::Here(transforming.rsv, transforming.outbound);
    }

    /// Takes back what will not be sent, and gives it back: it is as if it had never begun.
    pub fn withdraw(&mut self, mut transforming: Transforming) -> Piece {
        transforming.outbound.discard();
        self.transform = Transform::Here(transforming.rsv, transforming.outbound);
        transforming.piece
    }

    /// Whether a whole message is being transformed apart. Other whole messages that were encoded elsewhere can go before it.
    pub(super) const fn is_whole_apart(&self) -> bool {
        matches!(self.transform, Transform::Apart(Apart { whole: true, .. }))
    }

    /// Appends a ping.
    pub fn ping(&mut self, ping: &Ping, out: &mut Vec<u8>) {
        self.frame(FrameHeader::new(Opcode::Ping, 0), ping.payload(), out);
    }

    /// Appends a pong.
    pub fn pong(&mut self, pong: &Pong, out: &mut Vec<u8>) {
        self.pong_with(pong.payload(), out);
    }

    /// Appends a pong with the payload of a ping that came.
    pub(super) fn pong_with(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.frame(FrameHeader::new(Opcode::Pong, 0), payload, out);
    }

    /// Appends a close frame. No frame may follow it (RFC 6455 §5.5.1).
    pub fn close(&mut self, close: &CloseConnection, out: &mut Vec<u8>) {
        let mut payload = [0; 2 + CloseReason::MAX_LEN];
        let mut len = 0;
        if let Some(reason) = &close.reason {
            let text = reason.reason().as_bytes();
            len = 2 + text.len();
            payload[..2].copy_from_slice(&reason.code().as_u16().to_be_bytes());
            payload[2..len].copy_from_slice(text);
        }
        self.frame(FrameHeader::new(Opcode::Close, 0), &payload[..len], out);
    }

    /// Whether a message may begin.
    const fn may_begin(&self, sent: MessageKind) -> Result<(), LocalError> {
        match (self.unfinished, &self.transform) {
            (Some(Unfinished { kind, .. }), _) => {
                Err(LocalError::MessageUnfinished { unfinished: kind, sent })
            }
            (None, Transform::Apart(apart)) => {
                Err(LocalError::MessageUnfinished { unfinished: apart.kind, sent })
            }
            (None, Transform::None | Transform::Here(..)) => Ok(()),
        }
    }

    /// Whether a message may begin, or go on.
    fn may_go_on(&self, sent: MessageKind) -> Result<(), LocalError> {
        match (self.unfinished, &self.transform) {
            (Some(unfinished), Transform::None | Transform::Here(..)) if unfinished.kind == sent => Ok(()),
            _ => self.may_begin(sent),
        }
    }

    /// Whether the next data frame is the extension's affair: that of a message under way is as its first one was.
    fn transforms(&self) -> bool {
        self.unfinished.map_or(!self.plain, |unfinished| unfinished.transformed)
    }

    /// The next piece of the message under way, or the first of another.
    fn data(&mut self, payload: Payload<'_>, fin: bool, out: &mut Vec<u8>) {
        let (kind, payload) = (payload.kind(), payload.as_bytes());
        let (first, transforms) = (self.unfinished.is_none(), self.transforms());
        let mut output = Vec::new(); // a large message leaves nothing behind
        let transformed = match &mut self.transform {
            Transform::Here(rsv, outbound) if transforms => {
                outbound.transform(payload, first, fin, &mut output).then_some(*rsv)
            }
            Transform::Here(..) | Transform::None | Transform::Apart(_) => None,
        };
        let payload = if transformed.is_some() { &output } else { payload };
        self.data_frame(kind, payload, transformed, fin, out);
    }

    /// One data frame. `transformed`: the bit that says so on the first one.
    fn data_frame(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        transformed: Option<Rsv>,
        fin: bool,
        out: &mut Vec<u8>,
    ) {
        let first = self.unfinished.is_none();
        let mut header = FrameHeader::new(if first { kind.into() } else { Opcode::Continuation }, 0);
        header.fin = fin;
        header.rsv = transformed.filter(|_| first);
        self.payload_sent += payload.len() as u64;
        self.frame(header, payload, out);
        self.unfinished = (!fin).then_some(Unfinished { kind, transformed: transformed.is_some() });
    }

    /// Any frame: the header in its shortest form, the mask of a client, the payload.
    fn frame(&mut self, mut header: FrameHeader, payload: &[u8], out: &mut Vec<u8>) {
        header.payload_len = payload.len() as u64;
        out.reserve(MAX_HEADER + payload.len());
        match &mut self.keys {
            None => {
                header.write(out);
                out.extend_from_slice(payload);
            }
            Some(keys) => {
                let mut key = [0; 4];
                keys.fill(&mut key);
                header.mask = Some(key);
                header.write(out);
                Mask::new(key).append(payload, out);
            }
        }
    }
}
