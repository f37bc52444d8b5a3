//! What can go wrong when connections are opened and closed.

use std::time::Duration;

/// The peer did not finish the closing handshake in time. The connection is gone all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer did not finish the closing handshake within {limit:?}")]
#[non_exhaustive]
pub struct DisconnectionTimeout {
    /// The time it had.
    pub limit: Duration,
}
