//! Happy eyeballs (RFC 8305): try several addresses, each a little later than the one before, or at once when that one has failed;
//! the first connection wins, and the other attempts are gone, not merely ignored.
//!
//! Run with `cargo run --example happy_eyeballs`. It needs no network beyond this machine, takes less than a second, and ends with
//! code 0 when the right address has won and no attempt is left over.

use std::{
    future::pending,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_io::Async;
use futures::channel::oneshot;
use wscope::{Nursery, fail_after, move_on_after, nursery, scope};

/// RFC 8305 §5: between 100 ms and 2 s are recommended; less makes for a shorter example.
const STAGGER: Duration = Duration::from_millis(50);

/// The first of the `attempts` that connects.
async fn happy_eyeballs<A>(attempts: impl IntoIterator<Item = A>) -> Result<TcpStream, scope::Error>
where
    A: Future<Output = io::Result<TcpStream>> + Send,
{
    let (found, first) = oneshot::channel();
    let found = Mutex::new(Some(found));
    let race = nursery(async |n: Nursery<'_>| {
        for attempt in attempts {
            let (failed, has_failed) = oneshot::channel::<()>();
            let (found, stop) = (&found, n.clone());
            n.start_soon(async move {
                let _failed = failed; // dropped with this child: the next one need not wait any longer
                if let Ok(stream) = attempt.await {
                    let found = found.lock().map_or(None, |mut found| found.take());
                    drop(found.map(|found| found.send(stream)));
                    stop.cancel(); // drops every other attempt
                }
                Ok(())
            });
            move_on_after(STAGGER, has_failed).await;
        }
        Ok(())
    });
    let outcome = race.await;
    drop(found);
    match first.await {
        Ok(stream) => Ok(stream),
        Err(_nobody) => Err(outcome.err().unwrap_or_else(|| scope::Error::other("no address answered"))),
    }
}

/// What the addresses of this example do.
#[derive(Clone, Copy, Debug)]
enum Peer {
    /// The connection is refused.
    Refuses(SocketAddr),
    /// No answer ever comes: a black hole.
    Silent,
    Answers(SocketAddr),
}

/// How many attempts are going on, and how many were at most.
#[derive(Default)]
struct Count {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Counts from its making to its drop.
struct Attempt<'a>(&'a Count);

impl<'a> Attempt<'a> {
    fn begin(count: &'a Count) -> Self {
        let now = count.now.fetch_add(1, SeqCst) + 1;
        count.most.fetch_max(now, SeqCst);
        Self(count)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

async fn connect(peer: Peer, count: &Count) -> io::Result<TcpStream> {
    let _attempt = Attempt::begin(count);
    println!("trying {peer:?}");
    match peer {
        Peer::Silent => pending().await,
        Peer::Refuses(address) | Peer::Answers(address) => {
            Async::<TcpStream>::connect(address).await?.into_inner()
        }
    }
}

async fn play() -> Result<bool, scope::Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let open = listener.local_addr()?;
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?; // closed again at once
    let peers = [Peer::Refuses(closed), Peer::Silent, Peer::Silent, Peer::Answers(open), Peer::Silent];
    let count = Count::default();
    let attempts = peers.map(|peer| connect(peer, &count));
    let stream = fail_after(Duration::from_secs(10), happy_eyeballs(attempts)).await??;
    let (peer, most, left) = (stream.peer_addr()?, count.most.into_inner(), count.now.into_inner());
    println!("connected to {peer}; {most} attempts at once, {left} left");
    Ok(peer == open && left == 0 && most >= 3)
}

fn main() -> ExitCode {
    match wscope::run(play()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
