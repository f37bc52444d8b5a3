//! A TCP proxy that carries bytes faithfully until it strikes, and then has its fault.

use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use async_io::Async;
use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt,
    channel::oneshot,
    future::{Either, Shared, pending, select},
};
use socket2::SockRef;
use wscope::{Error, Nursery, move_on_after, sleep};

/// What a network may do to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Each byte in a segment of its own.
    Cut,
    /// Segments are put together.
    Merge,
    /// Segments come late.
    Delay,
    /// Nothing more arrives at the server, and its kernel does not know it.
    StallToServer,
    /// Nothing more arrives at the client.
    StallToClient,
    /// Nothing more arrives anywhere.
    BlackHole,
    /// Both ends are reset.
    Reset,
    /// The stream to the server ends; the other goes on.
    EndToServer,
    /// The stream to the client ends.
    EndToClient,
    /// One bit is another, once in each direction.
    Flip,
}

impl Fault {
    pub(crate) const ALL: [Self; 10] = [
        Self::Cut,
        Self::Merge,
        Self::Delay,
        Self::StallToServer,
        Self::StallToClient,
        Self::BlackHole,
        Self::Reset,
        Self::EndToServer,
        Self::EndToClient,
        Self::Flip,
    ];
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

/// A proxy for one connection.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    strike: oneshot::Sender<()>,
}

impl Proxy {
    /// In front of the server at `port`. Strikes by itself after so many bytes in either direction.
    pub(crate) fn start(
        n: &Nursery<'_, Error>,
        port: u16,
        fault: Fault,
        seed: u64,
        after: usize,
    ) -> io::Result<Self> {
        let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0))?;
        let own = listener.get_ref().local_addr()?.port();
        let (strike, struck) = oneshot::channel();
        n.start_service(async move {
            let (client, _) = listener.accept().await?;
            let server = Async::<TcpStream>::connect(([127, 0, 0, 1], port)).await?;
            for stream in [&client, &server] {
                stream.get_ref().set_nodelay(true)?;
            }
            let (client, server) = (Arc::new(client), Arc::new(server));
            let struck = struck.shared();
            let pump = |from: &Arc<_>, to: &Arc<_>, direction, seed| Pump {
                from: Arc::clone(from),
                to: Arc::clone(to),
                direction,
                fault,
                random: Random(seed),
                struck: struck.clone(),
                after,
            };
            let to_server = pump(&client, &server, Direction::ToServer, seed);
            let to_client = pump(&server, &client, Direction::ToClient, !seed);
            drop((client, server));
            // What cannot be carried any more is the end of its direction: the ends are asked, not the proxy.
            let carry = |pump: Pump| async move { pump.carry().await.unwrap_or(()) };
            futures::future::join(carry(to_server), carry(to_client)).await;
            Ok(())
        });
        Ok(Self { port: own, strike })
    }

    /// From now on the fault is there.
    pub(crate) fn strike(self) {
        let _ = self.strike.send(()); // the connection may have gone
    }
}

/// One direction.
struct Pump {
    from: Arc<Async<TcpStream>>,
    to: Arc<Async<TcpStream>>,
    direction: Direction,
    fault: Fault,
    random: Random,
    struck: Shared<oneshot::Receiver<()>>,
    after: usize,
}

impl Pump {
    async fn carry(mut self) -> io::Result<()> {
        let mut carried = 0;
        while carried < self.after {
            let mut bytes = [0; 16 * 1024];
            let most = bytes.len().min(self.after - carried);
            let count = {
                let read = pin!(read(&self.from, &mut bytes[..most]));
                match select(self.struck.clone(), read).await {
                    Either::Left(_) => break, // first, so that nothing slips through behind it
                    Either::Right((count, _)) => count?,
                }
            };
            match (count, self.fault) {
                (0, Fault::Reset) => return Ok(()), // by the other direction, or soon
                (0, _) => return self.end(),
                _ => (&*self.to).write_all(&bytes[..count]).await?,
            }
            carried += count;
        }
        self.err().await
    }

    /// Has its fault, to the end of the stream.
    async fn err(&mut self) -> io::Result<()> {
        match (self.fault, self.direction) {
            (Fault::BlackHole, _)
            | (Fault::StallToServer, Direction::ToServer)
            | (Fault::StallToClient, Direction::ToClient) => return pending().await,
            (Fault::EndToServer, Direction::ToServer) | (Fault::EndToClient, Direction::ToClient) => {
                self.end()?;
                return pending().await;
            }
            (Fault::Reset, _) => {
                for stream in [&self.from, &self.to] {
                    SockRef::from(stream.get_ref()).set_linger(Some(Duration::ZERO))?;
                    // The other direction is told, and lets go, too; who is last resets both.
                    stream.get_ref().shutdown(Shutdown::Read)?;
                }
                return Ok(());
            }
            (Fault::Flip, _) => {
                let mut bytes = [0; 16 * 1024];
                let count = read(&self.from, &mut bytes).await?;
                if count > 0 {
                    bytes[self.random.below(count)] ^= 1 << self.random.below(8);
                    (&*self.to).write_all(&bytes[..count]).await?;
                }
            }
            _ => {}
        }
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let mut count = read(&self.from, &mut bytes).await?;
            if count == 0 {
                return self.end();
            }
            match self.fault {
                Fault::Cut => {
                    for byte in &bytes[..count] {
                        (&*self.to).write_all(&[*byte]).await?;
                    }
                    continue;
                }
                Fault::Merge => {
                    let more = read(&self.from, &mut bytes[count..]);
                    count += move_on_after(Duration::from_millis(3), more).await.unwrap_or(Ok(0))?;
                }
                Fault::Delay => sleep(Duration::from_millis(self.random.below(8) as u64)).await,
                _ => {}
            }
            (&*self.to).write_all(&bytes[..count]).await?;
        }
    }

    fn end(&self) -> io::Result<()> {
        self.to.get_ref().shutdown(Shutdown::Write)
    }
}

/// Dropped, it has read nothing.
async fn read(mut from: &Async<TcpStream>, bytes: &mut [u8]) -> io::Result<usize> {
    from.read(bytes).await
}

/// The same numbers for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `end`: splitmix64.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as usize % end
    }
}
