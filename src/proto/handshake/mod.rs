//! The opening handshake (RFC 6455 §4), on both sides and apart from frames.
//!
//! ```text
//! client                                                             server
//! Request ─▶ ClientHandshake ── GET, Sec-WebSocket-Key ──▶ RequestReader ─▶ ServerHandshake
//!                  │                                                         │ accept(AcceptConnection)
//!                  │◀──────────── 101, Sec-WebSocket-Accept ─────────────────┤
//!                  │◀──────────── 403, body ─────────────────────────────────┘ reject(RejectConnection)
//!                  ▼
//!     AcceptConnection + Agreement,  or  RejectConnection, RejectData, RejectData ...
//! ```
//!
//! What a handshake leaves behind is an [`Agreement`]: the subprotocol and the extension. Frames need nothing else, so
//! whoever does the handshake in another way (an HTTP server that parsed the request itself, HTTP/2) makes an agreement
//! and goes on from there.
//!
//! Rules:
//! - Bytes behind a head are never touched: early frames stay with the caller.
//! - The first fault is the last: it is kept, returned by every later call, and what still comes in is dropped.
//! - A server answers a request that is no handshake by itself, with the status that names the fault, and closes.
//! - Nothing goes out that is not built of validated types; nothing secret is in a `Debug`, a `Display` or an error.
//!
//! Never here: sockets, clocks, randomness of our own, origin policy, redirects.

mod agreement;
mod client;
mod config;
mod error;
mod event;
mod request;
mod server;

pub use agreement::{Agreement, accept_extension, confirm_extension};
pub use client::{ClientEvent, ClientHandshake};
pub use config::HandshakeConfig;
pub use error::{
    AcceptError, AcceptErrorKind, BodyFinished, HeaderError, InvalidStatus, RequestError, ResponseError,
};
pub use event::{AcceptConnection, RejectConnection, RejectData};
pub use request::Request;
pub use server::{Rejection, RequestReader, ServerHandshake};
