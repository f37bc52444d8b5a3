//! A server with thousands of connections is cancelled hard: its future is dropped, with every handler in it. Yet every peer gets a
//! goodbye, because each connection hands it to the nursery around the server when it is dropped.
//!
//! Run with `cargo run --release --example farewell -- 2000`; the number of connections is 2,000 without one. Each takes two files
//! of this process, which raises its limit as far as it may. It takes some seconds at most, and ends with code 0 when every peer
//! has got its goodbye.

use std::{
    future::pending,
    io,
    net::{TcpListener, TcpStream},
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_io::Async;
use futures::{AsyncReadExt, AsyncWriteExt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wscope::{CancelScope, Nursery, defer, fail_after, nursery, scope, supervisor};

const GOODBYE: &[u8] = b"goodbye, and thanks\n";
/// What a goodbye may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How many connections may be on their way at once: the backlog of a listener is 128.
const AT_ONCE: usize = 64;

/// A connection that says goodbye on every way out.
struct Connection(Option<Async<TcpStream>>);

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut stream) = self.0.take() else { return };
        let goodbye = async move {
            if stream.write_all(GOODBYE).await.is_ok() {
                drop(stream.close().await); // the peer may be gone already
            }
        };
        if defer(LIMIT, goodbye).is_err() {
            eprintln!("no nursery: a peer is left without a word");
        }
    }
}

/// Serves for ever. Every handler holds its connection, and waits for something that never comes.
async fn serve(listener: Async<TcpListener>, connected: Arc<AtomicUsize>) -> Result<(), io::Error> {
    let log = |error| {
        eprintln!("a connection failed: {error}");
        Ok(())
    };
    supervisor(log, async |n| {
        loop {
            let connection = Connection(Some(listener.accept().await?.0));
            let connected = connected.clone();
            n.spawn(async move {
                let _connection = connection;
                connected.fetch_add(1, SeqCst);
                pending().await
            });
        }
    })
    .await
}

/// Says whether the peer got its goodbye.
async fn peer(address: std::net::SocketAddr, connecting: &AtomicUsize) -> Result<bool, io::Error> {
    let mut stream = Async::<TcpStream>::connect(address).await?;
    connecting.fetch_sub(1, SeqCst);
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await?;
    Ok(heard == GOODBYE)
}

/// How many of the peers got their goodbye.
async fn play(peers: usize) -> Result<usize, scope::Error> {
    let (heard, connecting) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (connected, cancelled_at) = (Arc::new(AtomicUsize::new(0)), Mutex::new(Instant::now()));
    nursery(async |n: Nursery<'_>| {
        let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0))?;
        let address = listener.get_ref().local_addr()?;
        let shutdown = CancelScope::new();
        n.start_soon({
            let (shutdown, connected) = (shutdown.clone(), connected.clone());
            async move {
                match shutdown.run(serve(listener, connected)).await {
                    Ok(served) => served?,
                    Err(cancelled) => println!("the server is {cancelled}"),
                }
                Ok(())
            }
        });
        for _ in 0..peers {
            connecting.fetch_add(1, SeqCst);
            while connecting.load(SeqCst) > AT_ONCE {
                wscope::sleep(Duration::from_millis(1)).await;
            }
            let (heard, connecting) = (&heard, &connecting);
            n.start_soon(async move {
                heard.fetch_add(usize::from(peer(address, connecting).await?), SeqCst);
                Ok(())
            });
        }
        while connected.load(SeqCst) < peers {
            wscope::sleep(Duration::from_millis(1)).await;
        }
        println!("{peers} connections");
        *cancelled_at.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Instant::now();
        shutdown.cancel();
        Ok(())
    })
    .await?;
    let cancelled_at = cancelled_at.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    println!("everybody was told {:?} after the cancellation", cancelled_at.elapsed());
    Ok(heard.into_inner())
}

/// Most systems allow far more than they give at first.
fn raise_limit_of_files() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
    {
        eprintln!("the limit of open files stays at {:?}: {error}", limit.current);
    }
}

fn main() -> ExitCode {
    let peers = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(2000);
    raise_limit_of_files();
    match wscope::run(async { fail_after(Duration::from_secs(60), play(peers)).await? }) {
        Ok(heard) if heard == peers => {
            println!("{heard} goodbyes were heard");
            ExitCode::SUCCESS
        }
        Ok(heard) => {
            eprintln!("only {heard} of {peers} goodbyes were heard");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
