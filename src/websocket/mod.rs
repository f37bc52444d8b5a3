//! WebSocket connections that cannot leak.

mod after;
mod bell;
mod broadcast;
mod bytes;
mod client;
mod closed;
mod closing;
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
mod messages;
mod opening;
mod origin;
mod outgoing;
mod outqueue;
mod pieces;
mod ping;
mod pings;
mod receive;
mod registry;
mod request;
mod scoped;
mod scratch;
mod send;
mod serve;
mod server;
mod server_config;
mod shared;
mod sink;
mod slot;
mod stats;
#[cfg(feature = "tls")]
mod tls;
mod turns;
mod wrap;

pub use self::bytes::Bytes;
pub use broadcast::broadcast;
pub use client::{ClientConfig, IntoClientConfig, connect_websocket, open_websocket, wrap_client_stream};
pub use closed::{CloseCause, ConnectionClosed, NetworkError};
pub use config::{ConnectionConfig, ControlHook};
pub use connection::WebSocketConnection;
pub use dial::{DialError, Unreachable};
pub use endpoint::Endpoint;
pub use error::{
    BoxError, ConnectionRejected, ConnectionTimeout, DisconnectionTimeout, Error, HandshakeError, Phase,
};
pub use json::{GetJsonError, JsonError, SendJsonError};
pub use messages::Messages;
pub use origin::{InvalidOrigin, Origin, OriginPolicy};
pub use pieces::{PieceData, PieceWriter};
pub use ping::PingError;
pub use request::{Accept, Reject, WebSocketRequest};
pub use send::SendError;
pub use serve::ServeError;
pub use server::{ServerHandle, WebSocketServer, serve_websocket};
pub use server_config::{ErrorHook, ServerConfig};
pub use shared::ConnectionId;
pub use sink::{Sink, SinkError};
pub use stats::Stats;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::{Identity, IdentityError, TlsConfig, TlsError, TlsServerConfig};
pub use wrap::wrap_server_stream;
