//! WebSocket connections that cannot leak: each lives in a scope, and when the scope is left, by whatever way, the peer is told how and
//! nothing of the connection remains.
//!
//! ```text
//!  open_websocket(url, block) ──┐            ┌─▶ WebSocketConnection: send, get, ping, close; cheap to clone
//!  connect_websocket(&n, url) ──┤            │
//!  request.accept(..) ──────────┼──▶ Shared ─┤   engine under one lock, bell: the socket's only waker
//!  wrap_*_stream(&n, stream) ───┘            │
//!                                            └─▶ driver: at the end of each turn of the block or handler, or a service of the nursery
//! ```
//!
//! | to | use |
//! |---|---|
//! | connect | [`open_websocket`], [`connect_websocket`], [`wrap_client_stream`], all with a [`ClientConfig`] or a URL |
//! | serve | [`WebSocketServer`], [`serve_websocket`], [`wrap_server_stream`]; a [`WebSocketRequest`] is accepted or rejected |
//! | use a connection | [`WebSocketConnection`], and its views [`Messages`], [`MessageSink`], [`ByteStream`], [`PieceWriter`] |
//! | send to many | [`broadcast()`], [`ServerHandle`] |
//! | know how it ended | [`ConnectionClosed`] and its [`CloseCause`] |
//! | set limits | [`ConnectionConfig`], [`ServerConfig`] |
//!
//! # Rules
//!
//! - The scope decides what the peer is told: 1000 after a value, 1011 after an error or a panic, 1001 when the scope was cancelled or
//!   dropped; always within the close timeout.
//! - Every call that waits is cancel-safe, or says what a dropped call leaves. Every wait ends: by its event, by a typed timeout, or by
//!   [`ConnectionClosed`].
//! - Nothing grows without a bound: what is unread, what is unsent, pings, pongs, handshakes.
//! - What goes wrong with one connection of a server leaves [`ServerConfig::on_error`] a word, and every other connection alone.
//! - Under the lock of a connection nobody is woken, nothing of a user's is dropped, and no code of a user runs.
//!
//! # What it never does
//!
//! It decides nothing about the protocol: that is [`proto`](crate::proto). It hands no task to the executor by itself: that is
//! [`scope`](crate::scope). It names no socket and no clock: that is [`runtime`](crate::runtime). It follows no redirect, speaks to no
//! proxy, and does not reconnect. It compresses only where it is told to.
//!
//! How it moves bytes is told in `docs/src/design/engine-room.md`.

mod after;
mod answer;
mod apart;
mod bell;
mod broadcast;
mod byte_stream;
mod client;
mod client_config;
mod closed;
mod closing;
#[cfg(feature = "deflate")]
mod compression;
mod config;
mod connection;
mod deadlines;
mod dial;
mod driver;
mod end;
mod endpoint;
mod engine;
mod error;
mod inbox;
mod json;
mod linger;
mod listen_address;
mod messages;
mod opening;
mod origin;
mod outgoing;
mod outqueue;
mod pieces;
mod ping;
mod pings;
mod place;
mod printable;
mod reading;
mod receive;
mod registry;
mod request;
mod scoped;
mod scratch;
mod seats;
mod send;
mod serve;
mod server;
mod server_config;
mod server_handle;
mod shared;
mod sink;
mod slot;
mod span;
mod spare;
mod stats;
#[cfg(feature = "tls")]
mod tls;
mod wrap;
mod writing;

/// The words of the protocol that layers above need: they stand on this one, and name no other.
pub(crate) use crate::proto::{CloseCode, CloseReason, Message, MessageDelivery, Piece, Side, Text};
pub use answer::{Accept, Reject};
pub use broadcast::broadcast;
pub use byte_stream::ByteStream;
pub use client::{connect_websocket, open_websocket, wrap_client_stream};
pub use client_config::{ClientConfig, IntoClientConfig};
pub use closed::{CloseCause, ConnectionClosed, NetworkError};
#[cfg(feature = "deflate")]
#[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
pub use compression::Compression;
pub use config::{ConnectionConfig, ControlHook};
pub use connection::WebSocketConnection;
pub use dial::{DialError, Unreachable};
pub use endpoint::Endpoint;
pub(crate) use error::reported;
pub use error::{
    BoxError, ConnectionRejected, ConnectionTimeout, DisconnectionTimeout, Error, HandshakeError, Phase,
};
pub use json::{GetJsonError, JsonError, SendJsonError};
pub use listen_address::ListenAddress;
pub use messages::Messages;
pub use origin::{InvalidOrigin, Origin, OriginPolicy};
pub use pieces::{PieceData, PieceWriter};
pub use ping::PingError;
pub(crate) use printable::Printable;
pub use request::WebSocketRequest;
pub use send::SendError;
pub use serve::ServerError;
pub use server::{WebSocketServer, serve_websocket};
pub use server_config::{ErrorHook, ServerConfig};
pub use server_handle::ServerHandle;
pub use shared::ConnectionId;
pub use sink::{MessageSink, SinkError};
pub use stats::Stats;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::{Identity, IdentityError, TlsConfig, TlsError, TlsServerConfig};
pub use wrap::wrap_server_stream;
