//! What can go wrong between two engines, sorted by culprit, and the close code of each fault of the peer.

#[cfg(doc)]
use super::config::Config;
use super::{
    close::CloseCode,
    event::MessageKind,
    frame::{MAX_CONTROL_PAYLOAD, Opcode},
    state::ConnectionState,
};

/// Faults of the peer after the handshake. Each has exactly one close code, which the engine sends by itself.
///
/// All of them fail the connection (RFC 6455 §7.1.7): there is no way to go on after one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The peer used an opcode that RFC 6455 keeps for later. 1002.
    #[error("opcode {opcode:#x} of a frame is reserved (RFC 6455 §5.2)")]
    ReservedOpcode {
        /// 3 to 7 or 11 to 15.
        opcode: u8,
    },
    /// The peer set a reserved bit that no agreed extension owns in this kind of frame. 1002.
    #[error("reserved bits {bits:#05b} of a frame are set, and no extension owns them here (RFC 6455 §5.2)")]
    ReservedBits {
        /// RSV1 is 4, RSV2 is 2, RSV3 is 1.
        bits: u8,
    },
    /// A control frame without the FIN bit. 1002.
    #[error("a {opcode} frame is fragmented (RFC 6455 §5.5)")]
    ControlFragmented {
        /// The kind of control frame.
        opcode: Opcode,
    },
    /// A control frame longer than [`MAX_CONTROL_PAYLOAD`]. 1002.
    #[error("a {opcode} frame needs an extended length, above {MAX_CONTROL_PAYLOAD} bytes (RFC 6455 §5.5)")]
    ControlTooLong {
        /// The kind of control frame.
        opcode: Opcode,
    },
    /// A client sent a frame without a mask. 1002.
    #[error("the client sent an unmasked frame (RFC 6455 §5.1)")]
    Unmasked,
    /// A server sent a frame with a mask. 1002.
    #[error("the server sent a masked frame (RFC 6455 §5.1)")]
    Masked,
    /// A length that would have fitted into a shorter form. 1002.
    #[error("the length of a frame, {len}, is not in its shortest form (RFC 6455 §5.2)")]
    LengthNotMinimal {
        /// The length as declared.
        len: u64,
    },
    /// A 64-bit length with the highest bit set. 1002.
    #[error("the highest bit of a frame's length is set: {len:#x} (RFC 6455 §5.2)")]
    LengthHighBit {
        /// The length as declared.
        len: u64,
    },
    /// A continuation frame with nothing to continue. 1002.
    #[error("a continuation frame without a message to continue (RFC 6455 §5.4)")]
    UnexpectedContinuation,
    /// A new message inside an unfinished one. 1002.
    #[error("a {kind} frame inside an unfinished message (RFC 6455 §5.4)")]
    ExpectedContinuation {
        /// The kind of the frame that came.
        kind: MessageKind,
    },
    /// A close frame with half a code. 1002.
    #[error("a close frame has a payload of 1 byte: its code takes two (RFC 6455 §5.5.1)")]
    CloseCodeCut,
    /// A close code that may not be on the wire. 1002.
    #[error("a close frame has code {code}, which may not be sent (RFC 6455 §7.4)")]
    InvalidCloseCode {
        /// The code as received.
        code: u16,
    },
    /// A text message that is not UTF-8. 1007.
    #[error("a text message is not valid UTF-8 (RFC 6455 §8.1)")]
    InvalidUtf8,
    /// The reason in a close frame is not UTF-8. 1007.
    #[error("the reason of a close frame is not valid UTF-8 (RFC 6455 §5.5.1)")]
    CloseReasonNotUtf8,
    /// The payload is not what the agreed extension allows. 1007.
    #[error("the payload of a message is not a valid stream of the agreed extension (RFC 6455 §9)")]
    BrokenExtensionData,
    /// A message larger than [`Config::max_message_size`]. 1009.
    #[error("a message of {size} bytes or more exceeds the limit of {limit} bytes (max_message_size)")]
    MessageTooBig {
        /// Bytes declared or inflated so far.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A message in more fragments than [`Config::max_fragments`]. 1008.
    #[error("a message in more fragments than the limit of {limit} (max_fragments)")]
    TooManyFragments {
        /// The limit, in fragments.
        limit: u32,
    },
    /// More empty fragments in a row than [`Config::max_empty_fragments`]. 1008.
    #[error("more empty fragments in a row than the limit of {limit} (max_empty_fragments)")]
    TooManyEmptyFragments {
        /// The limit, in fragments.
        limit: u32,
    },
}

impl ProtocolError {
    /// The code of the close frame that answers this fault (RFC 6455 §7.4.1).
    ///
    /// ```
    /// use wscope::proto::{CloseCode, ProtocolError};
    /// assert_eq!(ProtocolError::InvalidUtf8.close_code(), CloseCode::INVALID_FRAME_PAYLOAD_DATA);
    /// ```
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::ReservedOpcode { .. }
            | Self::ReservedBits { .. }
            | Self::ControlFragmented { .. }
            | Self::ControlTooLong { .. }
            | Self::Unmasked
            | Self::Masked
            | Self::LengthNotMinimal { .. }
            | Self::LengthHighBit { .. }
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation { .. }
            | Self::CloseCodeCut
            | Self::InvalidCloseCode { .. } => CloseCode::PROTOCOL_ERROR,
            Self::InvalidUtf8 | Self::CloseReasonNotUtf8 | Self::BrokenExtensionData => {
                CloseCode::INVALID_FRAME_PAYLOAD_DATA
            }
            Self::MessageTooBig { .. } => CloseCode::MESSAGE_TOO_BIG,
            Self::TooManyFragments { .. } | Self::TooManyEmptyFragments { .. } => CloseCode::POLICY_VIOLATION,
        }
    }
}

/// Why an engine receives no more. Sticky: once given, every later call gives the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// The peer broke the protocol or exceeded a limit; the close frame that says so is queued.
    #[error("the connection was failed with close code {code}: {0}", code = _0.close_code())]
    Peer(#[from] ProtocolError),
    /// The stream ended before both close frames had been exchanged: what RFC 6455 §7.1.5 calls 1006.
    #[error("the stream ended without a closing handshake (1006, RFC 6455 §7.1.5)")]
    UnexpectedEof,
    /// The caller of [`fill_payload`](super::Connection::fill_payload) took bytes out of the buffer, or put more into it
    /// than were wanted: the message is lost, and with it the place in the stream.
    #[error(
        "fill_payload: its caller took bytes out of the buffer, or put in more than were wanted; the message is lost"
    )]
    PayloadBufferMisused,
}

/// Misuse by the caller. Nothing was written, and the engine is as it was before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The state of the connection does not allow to send this.
    #[error("{what} was not sent: the connection is in state \"{state}\", which forbids it (RFC 6455 §7.1)")]
    WrongState {
        /// What should have been sent.
        what: &'static str,
        /// The state that forbids it.
        state: ConnectionState,
    },
    /// A whole message, or a piece of the other kind, inside a message that is being sent in pieces.
    #[error(
        "{sent} data was not sent: a {unfinished} message is unfinished; send its last piece first (RFC 6455 §5.4)"
    )]
    MessageUnfinished {
        /// Kind of the message that was begun.
        unfinished: MessageKind,
        /// Kind of the data that came instead of its next piece.
        sent: MessageKind,
    },
}

/// A payload too long for a control frame; see [`MAX_CONTROL_PAYLOAD`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no ping or pong of {len} bytes: the limit of a payload is {MAX_CONTROL_PAYLOAD} bytes (RFC 6455 §5.5)"
)]
#[non_exhaustive]
pub struct ControlTooLong {
    /// The length in bytes.
    pub len: usize,
}
