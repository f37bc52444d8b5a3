//! As much of HTTP/1.1 as an opening handshake needs (RFC 9112), bounded and strict.
//!
//! ```text
//! bytes ─▶ head.rs  HeadReader ─▶ http::Request<()> or http::Response<()>     one pass, limits while reading
//! bytes ─▶ body.rs  BodyReader ─▶ bounded data                                the body of a refusal
//! bytes ◀─ write.rs            ◀─ http::HeaderMap                             only validated types go out
//! ```
//!
//! Strict on purpose: what two parsers could read in two ways (a bare CR or LF, a folded line, a space before the colon)
//! is refused and never repaired. Nothing here knows what a WebSocket is.

mod body;
mod head;
mod write;

pub(crate) use body::BodyReader;
pub use head::HeadError;
pub(crate) use head::{HeadLimits, HeadReader, Start, is_secret};
pub(crate) use write::{header_value, write_request_head, write_response_head};
