//! TCP connections.

use std::{
    io::{self, IoSlice, Write},
    net::{Shutdown, SocketAddr, TcpStream},
};

use async_io::Async;

use super::{
    Address,
    socket::{RawSocket, Socket},
};

/// A TCP connection. Small messages leave at once (`TCP_NODELAY`).
pub(crate) type Tcp = Socket<TcpStream>;

impl Tcp {
    /// Connects to one address. Dropped half-way, it leaves no socket behind.
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::over(Async::<TcpStream>::connect(address).await?, address)
    }

    /// Over a stream that is connected to `peer`.
    pub(crate) fn over(stream: Async<TcpStream>, peer: SocketAddr) -> io::Result<Self> {
        stream.get_ref().set_nodelay(true)?;
        let local = stream.get_ref().local_addr()?;
        Ok(Self::new(stream, Address::Tcp(local), Address::Tcp(peer)))
    }
}

impl RawSocket for TcpStream {
    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Write::write_vectored(&mut &*self, slices)
    }

    fn end_sending(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}
