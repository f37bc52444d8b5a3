//! Frames on the wire: opcodes, the header, and what a header alone can break (RFC 6455 §5.2).
//!
//! ```text
//!  byte 0: FIN RSV1 RSV2 RSV3 opcode(4)   byte 1: MASK length(7)   then 0, 2 or 8 bytes of length, then 0 or 4 of mask
//! ```
//!
//! Pure functions over bytes; `decoder` and `encoder` are the callers.

use super::{error::ProtocolError, event::MessageKind, extension::Rsv, role::Role};
use std::fmt;

/// Longest payload of a control frame, in bytes (RFC 6455 §5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// Longest header of a frame, in bytes: two, an extended length of eight, a mask of four.
pub const MAX_HEADER: usize = 14;

/// What a frame is (RFC 6455 §11.8).
///
/// ```
/// use wscope::proto::{MessageKind, Opcode};
/// assert_eq!(Opcode::from(MessageKind::Text) as u8, 0x1);
/// assert!(Opcode::Ping.is_control());
/// ```
#[allow(clippy::exhaustive_enums, reason = "a new opcode needs an extension that changes the protocol")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// The next fragment of a message.
    Continuation = 0x0,
    /// A text message, or its first fragment.
    Text = 0x1,
    /// A binary message, or its first fragment.
    Binary = 0x2,
    /// Connection close.
    Close = 0x8,
    /// Ping.
    Ping = 0x9,
    /// Pong.
    Pong = 0xA,
}

impl Opcode {
    /// The opcode in the low four bits of a header's first byte; the high ones do not count.
    const fn of(byte: u8) -> Result<Self, ProtocolError> {
        match byte & 0x0F {
            0x0 => Ok(Self::Continuation),
            0x1 => Ok(Self::Text),
            0x2 => Ok(Self::Binary),
            0x8 => Ok(Self::Close),
            0x9 => Ok(Self::Ping),
            0xA => Ok(Self::Pong),
            opcode => Err(ProtocolError::ReservedOpcode { opcode }),
        }
    }

    /// Close, ping or pong: at most [`MAX_CONTROL_PAYLOAD`] bytes, never fragmented (RFC 6455 §5.5).
    #[must_use]
    pub const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

impl From<MessageKind> for Opcode {
    fn from(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Text,
            MessageKind::Binary => Self::Binary,
        }
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        })
    }
}

/// The header of one frame.
///
/// ```
/// use wscope::proto::{FrameHeader, Opcode, Role};
///
/// let header = FrameHeader::new(Opcode::Text, 300);
/// let mut wire = Vec::new();
/// header.write(&mut wire);
/// assert_eq!(wire, [0x81, 126, 1, 44]);
/// assert_eq!(FrameHeader::parse(&wire, Role::Client, None), Ok(Some((header, 4))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameHeader {
    /// The last frame of its message.
    pub fin: bool,
    /// The reserved bit that is set: at most one, because only one extension is ever agreed on.
    pub rsv: Option<Rsv>,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key, on frames that a client sends.
    pub mask: Option<[u8; 4]>,
    /// Length of the payload in bytes; the highest bit is never set.
    pub payload_len: u64,
}

impl FrameHeader {
    /// The header of an unfragmented, unmasked frame without reserved bits.
    ///
    /// The length is not checked: a control frame of more than [`MAX_CONTROL_PAYLOAD`] bytes, or a length of 2⁶³ and more,
    /// makes a header that [`parse`](Self::parse) refuses.
    #[must_use]
    pub const fn new(opcode: Opcode, payload_len: u64) -> Self {
        Self { fin: true, rsv: None, opcode, mask: None, payload_len }
    }

    /// Reads the header at the start of `bytes`, as the side `receiver` may receive it. `owned` is the reserved bit of
    /// the agreed extension, allowed on the first frame of a message.
    ///
    /// Gives the header and its length in bytes, or `None` when bytes are missing. The faults of the first two bytes
    /// are found as soon as these are there.
    ///
    /// # Errors
    /// What the header alone breaks: reserved opcodes and bits, long or fragmented control frames, a mask that is
    /// missing or must not be there, lengths that are not minimal or too large for a signed number.
    #[inline]
    pub const fn parse(
        bytes: &[u8],
        receiver: Role,
        owned: Option<Rsv>,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some((&[first, second], rest)) = bytes.split_first_chunk::<2>() else { return Ok(None) };
        let opcode = match Opcode::of(first) {
            Ok(opcode) => opcode,
            Err(error) => return Err(error),
        };
        let fin = first & 0x80 != 0;
        let rsv = match (first & 0x70, owned) {
            (0, _) => None,
            (bits, Some(bit)) if bits == bit as u8 && matches!(opcode, Opcode::Text | Opcode::Binary) => {
                owned
            }
            (bits, _) => return Err(ProtocolError::ReservedBits { bits: bits >> 4 }),
        };
        let short = second & 0x7F;
        if opcode.is_control() {
            if !fin {
                return Err(ProtocolError::ControlFragmented { opcode });
            }
            if short as usize > MAX_CONTROL_PAYLOAD {
                return Err(ProtocolError::ControlTooLong { opcode });
            }
        }
        let masked = match (receiver, second & 0x80 != 0) {
            (Role::Server, false) => return Err(ProtocolError::Unmasked),
            (Role::Client, true) => return Err(ProtocolError::Masked),
            (Role::Server | Role::Client, masked) => masked,
        };
        let (payload_len, rest, len_bytes) = match short {
            126 => match rest.split_first_chunk::<2>() {
                Some((len, rest)) => (u16::from_be_bytes(*len) as u64, rest, 2),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((len, rest)) => (u64::from_be_bytes(*len), rest, 8),
                None => return Ok(None),
            },
            short => (short as u64, rest, 0),
        };
        match len_bytes {
            2 if payload_len < 126 => return Err(ProtocolError::LengthNotMinimal { len: payload_len }),
            8 if payload_len <= u16::MAX as u64 => {
                return Err(ProtocolError::LengthNotMinimal { len: payload_len });
            }
            8 if payload_len >> 63 != 0 => return Err(ProtocolError::LengthHighBit { len: payload_len }),
            _ => {}
        }
        let mut header = Self { fin, rsv, opcode, mask: None, payload_len };
        if !masked {
            return Ok(Some((header, 2 + len_bytes)));
        }
        let Some((key, _)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        header.mask = Some(*key);
        Ok(Some((header, 2 + len_bytes + 4)))
    }

    /// Appends the header in its shortest form, at most [`MAX_HEADER`] bytes, as it is: whether its parts may stand
    /// together is not checked. [`Encoder`](super::Encoder) writes only headers that a peer accepts.
    pub fn write(&self, out: &mut Vec<u8>) {
        let first = (self.fin as u8) << 7 | self.rsv.map_or(0, |rsv| rsv as u8) | self.opcode as u8;
        let masked = (self.mask.is_some() as u8) << 7;
        match self.payload_len {
            len @ 0..=125 => out.extend_from_slice(&[first, masked | len as u8]),
            len @ 126..=0xFFFF => {
                let [a, b] = (len as u16).to_be_bytes();
                out.extend_from_slice(&[first, masked | 126, a, b]);
            }
            len @ 0x1_0000.. => {
                let [a, b, c, d, e, f, g, h] = len.to_be_bytes();
                out.extend_from_slice(&[first, masked | 127, a, b, c, d, e, f, g, h]);
            }
        }
        if let Some(key) = self.mask {
            out.extend_from_slice(&key);
        }
    }
}
