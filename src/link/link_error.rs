//! What can go wrong with a tenant's link: it is not there, it is gone, or a frame does not fit into it.

use crate::websocket::{ConnectionClosed, DisconnectionTimeout, HandshakeError, PingError, reported};

use super::{
    auth::AuthError,
    frame::FrameError,
    id::InvalidId,
    json::{FieldError, InvalidJson},
    refusal::Refusal,
    rule::InvalidTtl,
    store::StoreError,
    time::InvalidTimestamp,
};

/// Why a link is not opened, or not closed as it should be.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It has been opened before; a closed link stays closed. Make another one.
    #[error("the link has been opened before: make another one")]
    AlreadyOpened,
    /// The hub could not be connected to.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The hub did not answer the close frame in time. The link is gone all the same.
    #[error(transparent)]
    Disconnection(#[from] DisconnectionTimeout),
}

/// Why a frame was not sent. The caller has it still.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendFrameError {
    /// The link has not been opened.
    #[error("{kind} frame not sent: the link has not been opened; open it first")]
    NotOpen {
        /// The kind of the frame.
        kind: &'static str,
    },
    /// No hub would take it, and AG2's would close the link.
    #[error("{kind} frame not sent: {size} bytes exceed the limit of {limit} bytes (TenantLink::MAX_FRAME)")]
    TooLarge {
        /// The kind of the frame.
        kind: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The link is closed or closing.
    #[error("{kind} frame not sent: {closed}")]
    Closed {
        /// The kind of the frame.
        kind: &'static str,
        /// How the link ended.
        closed: ConnectionClosed,
    },
}

/// Why there is no next frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NextFrameError {
    /// The link has not been opened.
    #[error("no frame received: the link has not been opened; open it first")]
    NotOpen,
    /// A message came that is no frame. The link goes on.
    #[error(transparent)]
    Unreadable(#[from] FrameError),
    /// A binary message came that is not UTF-8. The link goes on.
    #[error("unreadable frame: not UTF-8")]
    NotUtf8,
    /// The link ended, and not as it should.
    #[error(transparent)]
    Closed(#[from] ConnectionClosed),
}

/// Why a link has no round trip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkPingError {
    /// The link has not been opened.
    #[error("no ping sent: the link has not been opened; open it first")]
    NotOpen,
    /// No pong came.
    #[error(transparent)]
    Ping(#[from] PingError),
}

reported!(
    LinkError,
    SendFrameError,
    NextFrameError,
    LinkPingError,
    FrameError,
    FieldError,
    InvalidJson,
    InvalidId,
    InvalidTimestamp,
    InvalidTtl,
    AuthError,
    StoreError,
    Refusal,
);
