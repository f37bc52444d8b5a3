//! Where one end of a transport is.

use std::{net::SocketAddr, path::PathBuf};

/// The address of one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket: its file, or `None` for an end that has none, as those who connect have.
    Unix(Option<PathBuf>),
    /// Of a stream that we know nothing about.
    Unknown,
}
