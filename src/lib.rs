//! WebSockets in structured scopes: no connection and no task outlives the block of code that opened it.
//!
//! ```
//! use wscope::{Accept, BoxError, Error, WebSocketRequest, nursery, open_websocket, serve_websocket};
//!
//! async fn echo(request: WebSocketRequest) -> Result<(), BoxError> {
//!     let ws = request.accept(Accept::new()).await?;
//!     while let Some(message) = ws.next_message().await? {
//!         ws.send_message(message).await?;
//!     }
//!     Ok(())
//! }
//!
//! # fn main() -> Result<(), Error> {
//! wscope::run(nursery(async |n| {
//!     let server =
//!         n.start_service_with(async |status| serve_websocket("127.0.0.1:0", echo, status).await).await?;
//!     open_websocket(format!("ws://127.0.0.1:{}/", server.port()), async |ws| {
//!         ws.send_message("hello").await?;
//!         assert_eq!(ws.get_message().await?.as_text(), Some("hello"));
//!         Ok(()) // here the server is told 1000; after an error 1011, and 1001 when this is cancelled
//!     })
//!     .await
//! }))
//! # }
//! ```
//!
//! | you want to | begin with |
//! |---|---|
//! | connect | [`open_websocket`] for a block, [`connect_websocket`] for a nursery, [`ClientConfig`] |
//! | serve | [`WebSocketServer`], [`serve_websocket`], [`WebSocketRequest`], [`ServerConfig`] |
//! | send, receive, ping, close | [`WebSocketConnection`] |
//! | know how it ended | [`ConnectionClosed`], [`Error`] |
//! | be a hub for agents | [`link::Hub`] |
//! | hold agents on one | [`link::open_tenant`], [`link::connect_tenant`], [`link::Agent`] |
//! | speak WebSocket over a stream of your own | [`wrap_client_stream`], [`wrap_server_stream`] |
//! | run several things and be sure that all of them end | [`nursery`], [`fail_after`], [`CancelScope`] |
//! | own every byte | [`proto`] |
//! | test all that on a virtual clock | `testing` |
//!
//! The names at the root are those that most programs need. Each stands in the module of its layer as well, and nothing has a third
//! place.
//!
//! # Layers
//!
//! | layer | what it is | usable alone |
//! |---|---|---|
//! | [`link`] | hubs and tenants on the wire of AG2 networks | it stands on [`websocket`]; its [`Switchboard`](link::Switchboard) on nothing |
//! | [`websocket`] | connections: clients, servers, requests, pings, closing | it stands on the next three |
//! | [`proto`] | RFC 6455 without I/O: bytes in, events out; events in, bytes out | yes, on any transport |
//! | [`scope`] | nurseries, cancel scopes, typed timeouts, clean-up that survives cancellation | yes, without a WebSocket |
//! | [`runtime`] | the seam to executor, clock, timers and sockets | it is what the others stand on |
//! | `testing` | a virtual clock, an executor that can be replayed, in-memory streams with faults | feature `testing` |
//!
//! The book in `docs` has a tutorial, a guide for each of these jobs, and says why each thing is as it is.
//!
//! # Scopes alone
//!
//! Two children that borrow, a limit on both, and nothing left when the block is:
//!
//! ```
//! use std::time::Duration;
//! use wscope::{Nursery, TooSlow, fail_after, nursery, run};
//!
//! # fn main() -> Result<(), TooSlow> {
//! let words = ["hello".to_owned(), "world".to_owned()];
//! let lengths = run(fail_after(Duration::from_secs(1), nursery(async |n: Nursery<'_, TooSlow>| {
//!     let first = n.child(async { Ok(words[0].len()) });
//!     let second = n.child(async { Ok(words[1].len()) });
//!     Ok((first.await, second.await))
//! })))??;
//! assert_eq!(lengths, (Ok(5), Ok(5)));
//! # Ok(())
//! # }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod link;
pub mod proto;
pub mod runtime;
pub mod scope;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
pub mod websocket;

pub use proto::{CloseCode, CloseReason, Message, Text};
pub use runtime::sleep;
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub use scope::named;
pub use scope::{
    CancelScope, Cancelled, Child, Nursery, Started, TaskStatus, TooSlow, blocking, defer, fail_after,
    fail_at, move_on_after, move_on_at, nursery, parallel, run, supervisor,
};

pub use websocket::{
    Accept, BoxError, ClientConfig, ConnectionClosed, ConnectionConfig, Error, Reject, ServerConfig,
    ServerHandle, WebSocketConnection, WebSocketRequest, WebSocketServer, broadcast, connect_websocket,
    open_websocket, serve_websocket, wrap_client_stream, wrap_server_stream,
};

/// The README and the pages of the book that hold Rust code: `cargo test` compiles and runs it.
/// `tests/book.rs` sees to it that no page is forgotten.
#[cfg(doctest)]
mod book {
    macro_rules! pages {
        ($($(#[$if:meta])? $page:ident = $path:literal;)*) => {
            $($(#[$if])? #[doc = include_str!($path)] struct $page;)*
        };
    }

    pages! {
        Readme = "../README.md";
        Echo = "../docs/src/tutorial/echo.md";
        Requests = "../docs/src/tutorial/requests.md";
        Chat = "../docs/src/tutorial/chat.md";
        HubAndTenants = "../docs/src/tutorial/hub.md";
        LinkRoom = "../docs/src/design/link-room.md";
        StructuredConcurrency = "../docs/src/design/structured-concurrency.md";
        Connect = "../docs/src/guides/connect.md";
        Serve = "../docs/src/guides/serve.md";
        Messages = "../docs/src/guides/messages.md";
        Ping = "../docs/src/guides/ping.md";
        Closing = "../docs/src/guides/closing.md";
        #[cfg(feature = "deflate")] Compression = "../docs/src/guides/compression.md";
        #[cfg(feature = "tls")] Tls = "../docs/src/guides/tls.md";
        #[cfg(feature = "testing")] Backpressure = "../docs/src/guides/backpressure.md";
        #[cfg(feature = "testing")] Testing = "../docs/src/guides/testing.md";
        RunningAHub = "../docs/src/guides/hub.md";
        WritingATenant = "../docs/src/guides/tenant.md";
        Names = "../docs/src/guides/names.md";
        Resume = "../docs/src/guides/resume.md";
        SansIo = "../docs/src/guides/sans-io.md";
        TimeoutsAndCancellation = "../docs/src/guides/timeouts-and-cancellation.md";
        ComingFromJoinSet = "../docs/src/guides/coming-from-joinset.md";
        ComingFromTungstenite = "../docs/src/guides/coming-from-tungstenite.md";
        LinkWire = "../docs/src/reference/link-wire.md";
        Errors = "../docs/src/reference/errors.md";
        ComingFromTrioWebsocket = "../docs/src/guides/coming-from-trio-websocket.md";
        Defaults = "../docs/src/reference/defaults.md";
    }
}
