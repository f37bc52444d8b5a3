//! WebSockets in structured scopes: no connection and no task outlives the block of code that opened it.
//!
//! | layer | what it is | usable alone |
//! |---|---|---|
//! | [`proto`] | RFC 6455 without I/O: bytes in, events out; events in, bytes out | yes, on any transport |
//! | [`link`] | hub and tenants on the wire of AG2 networks, so far without sockets | yes, behind any transport |
//! | [`scope`] | nurseries, cancel scopes, typed timeouts, clean-up that survives cancellation | yes, without a WebSocket |
//! | [`runtime`] | the seam to executor, clock and timers | it is what `scope` stands on |
//! | `testing` | a virtual clock, an executor that can be replayed, in-memory streams with faults | feature `testing` |
//!
//! Connections, hubs and clients that reconnect will stand on these. The book in `docs` says why each thing is as it is.
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
    ClientConfig, ConnectionClosed, ConnectionConfig, Error, ServerConfig, ServerHandle, WebSocketConnection,
    WebSocketRequest, WebSocketServer, broadcast, connect_websocket, open_websocket, serve_websocket,
    wrap_client_stream, wrap_server_stream,
};

/// The README and the pages of the book that hold Rust code: `cargo test` compiles and runs it.
/// `tests/book.rs` sees to it that no page is forgotten.
#[cfg(doctest)]
mod book {
    macro_rules! pages {
        ($($page:ident = $path:literal;)*) => { $(#[doc = include_str!($path)] struct $page;)* };
    }

    pages! {
        Readme = "../README.md";
        StructuredConcurrency = "../docs/src/design/structured-concurrency.md";
        SansIo = "../docs/src/guides/sans-io.md";
        TimeoutsAndCancellation = "../docs/src/guides/timeouts-and-cancellation.md";
        ComingFromJoinSet = "../docs/src/guides/coming-from-joinset.md";
        Defaults = "../docs/src/reference/defaults.md";
    }
}
