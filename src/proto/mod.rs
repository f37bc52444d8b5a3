//! RFC 6455 without I/O: bytes in, events out; events in, bytes out.
//!
//! ```text
//!             ┌──────────────────────── WsConnection ────────────────────────┐
//!  bytes ───▶ │ handshake: RequestReader, ClientHandshake ──▶ Connection     │ ───▶ events
//!             │                                   Decoder ◀──┘ │             │
//!  bytes ◀─── │                                   Encoder ◀────┘             │ ◀─── events
//!             └──────────────────────────────────────────────────────────────┘
//! ```
//!
//! What you read from a transport you hand to an engine and get [`WsEvent`]s; what you want to say you hand over as an
//! event and get bytes to write. [`WsConnection`] does both the opening handshake and the frames. Each part is usable
//! alone: the handshake of either side ([`ServerHandshake`], [`ClientHandshake`]) apart from frames, a [`Connection`]
//! after a handshake done elsewhere (another HTTP server, HTTP/2), its two halves ([`Decoder`], [`Encoder`]) apart from
//! each other, and down to a [`FrameHeader`] or a [`Mask`].
//!
//! Rules of this layer:
//! - The input is a `&mut &mut [u8]`: one call gives at most one event and moves the slice forward past what was used.
//!   The rest stays with the caller, payloads are unmasked in place, and only an unfinished tail is kept.
//! - Output is appended to a `&mut Vec<u8>` of the caller. What an engine says of its own accord (pongs, answers to
//!   close frames, the close frame after a fault, a refusal) waits for `transmit`.
//! - Cost is linear in the bytes, however they are cut. Every buffer has a limit in bytes and every count a limit; memory
//!   grows with bytes that came: a declared length is believed as far as four times what is here.
//! - Faults are sorted by culprit: the peer's are a [`ProtocolError`], a [`RequestError`] or a [`ResponseError`], each
//!   with its one close code or status, and they are sticky; the caller's are a [`LocalError`] and change nothing.
//! - No input makes it panic.
//!
//! It never opens a socket, looks at a clock, draws randomness that was not handed in, awaits, spawns or logs.

mod close;
mod config;
mod connection;
mod decoder;
mod encoder;
mod error;
mod event;
pub mod extension;
mod frame;
mod handshake;
mod header;
mod http;
mod mask;
mod message;
mod pongs;
mod random;
mod role;
mod state;
mod text;
mod transforming;
mod tungstenite;
mod uri;
mod utf8;
mod ws;

pub use self::http::HeadError;
pub use close::{CloseCode, CloseFrames, CloseReason, InvalidCloseCode, ReasonTooLong, Side};
pub use config::{Config, MessageDelivery};
pub use connection::Connection;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::{ControlTooLong, Failed, LocalError, ProtocolError};
pub use event::{CloseConnection, Event, Message, MessageKind, Payload, Piece, Ping, Pong};
pub use frame::{FrameHeader, MAX_CONTROL_PAYLOAD, MAX_HEADER, Opcode};
pub use handshake::{
    AcceptConnection, AcceptError, AcceptErrorKind, Agreement, BodyFinished, ClientEvent, ClientHandshake,
    HandshakeConfig, HeaderError, InvalidStatus, RejectConnection, RejectData, Rejection, Request,
    RequestError, RequestReader, ResponseError, ServerHandshake, accept_extension, confirm_extension,
};
pub use header::{ExtensionItem, ListError, MAX_ELEMENTS, MAX_PARAMETERS, NotAToken, Token};
pub use mask::Mask;
pub use random::{RandomSource, SystemRandom};
pub use role::Role;
pub use state::{ConnectionState, Transition};
pub use text::Text;
pub use transforming::Transforming;
pub use uri::{UriError, WebSocketUri};
pub use utf8::{InvalidUtf8, Utf8Validator};
pub use ws::{WsConnection, WsEvent, WsFailed, WsLocalError};
