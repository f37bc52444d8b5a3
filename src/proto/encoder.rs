//! Events in, bytes out: the sending half of a connection.

use super::{
    close::CloseReason,
    error::LocalError,
    event::{CloseConnection, MessageKind, Payload, Ping, Pong},
    extension::{OutboundTransform, Rsv},
    frame::{FrameHeader, MAX_HEADER, Opcode},
    mask::Mask,
    random::{RandomSource, SystemRandom},
    role::Role,
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
    transform: Option<(Rsv, Box<dyn OutboundTransform>)>,
    /// The message that is being sent in fragments.
    unfinished: Option<Unfinished>,
    payload_sent: u64,
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
        Self { keys, transform: None, unfinished: None, payload_sent: 0 }
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
        self.transform = Some((rsv, outbound));
        self
    }

    /// Whether an agreed extension does its work.
    pub(super) const fn has_transform(&self) -> bool {
        self.transform.is_some()
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
        match self.unfinished {
            None => {
                self.data(payload, true, out);
                Ok(())
            }
            Some(Unfinished { kind: unfinished, .. }) => {
                Err(LocalError::MessageUnfinished { unfinished, sent: payload.kind() })
            }
        }
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
        match (self.unfinished, &self.keys, &self.transform) {
            (Some(Unfinished { kind: unfinished, .. }), _, _) => {
                Err(LocalError::MessageUnfinished { unfinished, sent: payload.kind() })
            }
            (None, None, None) => {
                let len = payload.as_bytes().len() as u64;
                FrameHeader::new(payload.kind().into(), len).write(out);
                self.payload_sent += len;
                Ok(true)
            }
            (None, Some(_), _) | (None, None, Some(_)) => Ok(false),
        }
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
        match self.unfinished {
            Some(Unfinished { kind: unfinished, .. }) if unfinished != payload.kind() => {
                Err(LocalError::MessageUnfinished { unfinished, sent: payload.kind() })
            }
            Some(_) | None => {
                self.data(payload, last, out);
                Ok(())
            }
        }
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

    /// One data frame: the next of the message under way, or the first of another.
    fn data(&mut self, payload: Payload<'_>, fin: bool, out: &mut Vec<u8>) {
        let (kind, payload) = (payload.kind(), payload.as_bytes());
        let first = self.unfinished.is_none();
        let mut header = FrameHeader::new(if first { kind.into() } else { Opcode::Continuation }, 0);
        header.fin = fin;
        let mut output = Vec::new(); // a large message leaves nothing behind
        let transformed = match &mut self.transform {
            Some((rsv, outbound)) if self.unfinished.is_none_or(|unfinished| unfinished.transformed) => {
                let transformed = outbound.transform(payload, first, fin, &mut output);
                header.rsv = (transformed && first).then_some(*rsv);
                transformed
            }
            Some(_) | None => false,
        };
        let payload = if transformed { &output } else { payload };
        self.payload_sent += payload.len() as u64;
        self.frame(header, payload, out);
        self.unfinished = (!fin).then_some(Unfinished { kind, transformed });
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
