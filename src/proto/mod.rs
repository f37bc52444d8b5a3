//! RFC 6455 without I/O: bytes in, events out; events in, bytes out.

pub mod extension;
mod handshake;
mod header;
mod http;
mod random;
mod role;
mod uri;

pub use self::http::HeadError;
pub use handshake::{
    AcceptConnection, AcceptError, AcceptErrorKind, Agreement, BodyFinished, ClientEvent, ClientHandshake,
    HandshakeConfig, HeaderError, InvalidStatus, RejectConnection, RejectData, Rejection, Request,
    RequestError, RequestReader, ResponseError, ServerHandshake, accept_extension, confirm_extension,
};
pub use header::{ExtensionItem, ListError, MAX_ELEMENTS, MAX_PARAMETERS, NotAToken, Token};
pub use random::{RandomSource, SystemRandom};
pub use role::Role;
pub use uri::{UriError, WebSocketUri};
