//! WebSocket connections: what they are reached by.
//!
//! ```text
//!   endpoint   where the two ends are
//!   tls        whom to trust, and who we are
//!   dial       several addresses of one host, and the first that answers
//! ```
//!
//! Rule: the pure part (which address next) stands apart from the part that waits.

#![allow(dead_code, reason = "the connections that stand on it are on their way")]

mod dial;
mod endpoint;
#[cfg(feature = "tls")]
mod tls;

pub use dial::{DialError, Unreachable};
pub use endpoint::Endpoint;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::{Identity, IdentityError, TlsConfig, TlsError, TlsServerConfig};
