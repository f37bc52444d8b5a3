//! RFC 6455 without I/O: bytes in, events out; events in, bytes out.

mod close;
mod config;
mod connection;
mod decoder;
mod encoder;
mod error;
mod event;
mod extension;
mod frame;
mod header;
mod mask;
mod message;
mod pongs;
mod random;
mod role;
mod state;
mod text;
mod utf8;

pub use close::{CloseCode, CloseFrames, CloseReason, InvalidCloseCode, ReasonTooLong, Side};
pub use config::{
    Config, DEFAULT_MAX_EMPTY_FRAGMENTS, DEFAULT_MAX_FRAGMENTS, DEFAULT_MAX_MESSAGE_SIZE, Delivery,
    MAX_UNSENT_PONGS,
};
pub use connection::Connection;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::{ControlTooLong, Failed, LocalError, ProtocolError};
pub use event::{CloseConnection, Event, Message, MessageKind, Piece, Ping, Pong};
pub use extension::{BrokenStream, Extension, InboundTransform, OutboundTransform, Rsv, Step, Transforms};
pub use frame::{FrameHeader, MAX_CONTROL_PAYLOAD, MAX_HEADER, Opcode};
pub use header::*;
pub use mask::Mask;
pub use random::{RandomSource, SystemRandom};
pub use role::Role;
pub use state::{ConnectionState, Transition};
pub use text::Text;
pub use utf8::{InvalidUtf8, Utf8Validator};
