//! RFC 6455 without I/O: bytes in, events out; events in, bytes out.

pub mod extension;
mod header;
mod random;
mod role;
mod uri;

pub use header::{ExtensionItem, ListError, MAX_ELEMENTS, MAX_PARAMETERS, NotAToken, Token};
pub use random::{RandomSource, SystemRandom};
pub use role::Role;
pub use uri::{UriError, WebSocketUri};
