//! Sockets that wait for connections.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use async_io::Async;
use socket2::{Domain, Protocol, Socket, Type};

#[cfg(unix)]
use super::UnixListener;
use super::{Address, Tcp, Transport};

/// Waits for connections at one address, until it is dropped.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp {
        listener: Async<TcpListener>,
        local: Address,
    },
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listener {
    /// Listens at `address`; the system picks a port for port 0.
    ///
    /// An IPv6 address is taken for IPv6 alone, so that `0.0.0.0` and `::` can be bound with the same port.
    pub(crate) fn tcp(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Elsewhere it lets two servers share a port; here it only lets a server restart while old connections die.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        let local = Address::Tcp(listener.local_addr()?);
        Ok(Self::Tcp { listener: Async::new(listener)?, local })
    }

    /// Where it listens.
    pub(crate) fn local(&self) -> &Address {
        match self {
            Self::Tcp { local, .. } => local,
            #[cfg(unix)]
            Self::Unix(listener) => listener.local(),
        }
    }

    /// Waits for a connection. Errors are the system's: of one connection (`ConnectionAborted`), or of the process, which may be
    /// out of files. The listener goes on after either. Cancel-safe: a connection that is not given out stays in the queue.
    pub(crate) async fn accept(&self) -> io::Result<Transport> {
        match self {
            Self::Tcp { listener, .. } => {
                let (stream, peer) = listener.accept().await?;
                Ok(Transport::Tcp(Tcp::over(stream, peer)?))
            }
            #[cfg(unix)]
            Self::Unix(listener) => listener.accept().await,
        }
    }
}

/// How many connections may wait to be accepted; the kernel's own limit may be lower. A slot costs nothing until it is used, and
/// with 128 of them a server that is restarted under load turns clients away.
pub(super) const BACKLOG: i32 = 4096;
