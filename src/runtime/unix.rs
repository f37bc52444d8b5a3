//! Unix sockets.

use std::{
    io::{self, IoSlice, Write},
    net::Shutdown,
    os::unix::net::{SocketAddr, UnixStream},
    path::Path,
};

use async_io::Async;

use super::{
    Address,
    socket::{RawSocket, Socket},
};

/// A connection over a Unix socket.
pub(crate) type Unix = Socket<UnixStream>;

impl Unix {
    /// Connects to the server that listens at `path`.
    pub(crate) async fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        Self::over(Async::<UnixStream>::connect(path).await?, Address::Unix(Some(path.to_owned())))
    }

    pub(crate) fn over(stream: Async<UnixStream>, peer: Address) -> io::Result<Self> {
        let local = address(&stream.get_ref().local_addr()?);
        Ok(Self::new(stream, local, peer))
    }
}

/// What we say of a socket's address.
pub(super) fn address(address: &SocketAddr) -> Address {
    Address::Unix(address.as_pathname().map(Path::to_owned))
}

impl RawSocket for UnixStream {
    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Write::write_vectored(&mut &*self, slices)
    }

    fn end_sending(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}
