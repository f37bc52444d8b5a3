//! Thousands of TCP connections on loopback, and a server that is cancelled the hard way: its future is dropped, between two
//! awaits, with all its handlers. No handler has a line of code for this; yet every peer gets its goodbye, because the value
//! that stands for the guest hands the farewell to [`defer`] when it is dropped.
//!
//! It prints how long each part took. Exit code 0 only if every peer has read the goodbye, and after it the end of the stream.
//!
//! ```sh
//! cargo run --release --example farewell             # as many connections as the limit of open files allows, at most 5000
//! cargo run --release --example farewell -- 100
//! ```

use std::{
    convert::Infallible,
    env, fs,
    net::{Shutdown, SocketAddr},
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_std::{
    io::{ReadExt, WriteExt},
    net::{TcpListener, TcpStream},
};
use wscope::{CancelScope, Cancelled, Nursery, defer, fail_after, nursery, scope, supervisor};

const USAGE: &str =
    "usage: farewell [CONNECTIONS]    (each takes two of the open files that `ulimit -n` allows)";
const HELLO: &[u8] = b"hello\n";
const GOODBYE: &[u8] = b"goodbye\n";
/// How long one goodbye may take.
const LINGER: Duration = Duration::from_secs(10);
/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Connections that are being opened at the same time, so that the queue of the listener does not overflow.
const OPENING: usize = 64;

/// A connection that does not end without a goodbye.
struct Guest {
    stream: TcpStream,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut stream = self.stream.clone();
        let goodbye = async move {
            let said = stream.write_all(GOODBYE).await;
            drop(said.and_then(|()| stream.shutdown(Shutdown::Both))); // a peer that has gone misses nothing
        };
        drop(defer(LINGER, goodbye)); // `Err` where no nursery is: then the peer finds the end of the stream alone
    }
}

/// Serves until it is dropped. Errors of one connection are not the others' business.
async fn serve(listener: TcpListener) -> Result<Infallible, scope::Error> {
    let on_error = |error| {
        eprintln!("farewell: a connection failed: {error}");
        Ok(())
    };
    supervisor(on_error, async |n| {
        loop {
            let (stream, _) = listener.accept().await?;
            n.spawn(async move {
                let mut guest = Guest { stream };
                guest.stream.write_all(HELLO).await?;
                loop {
                    let mut buffer = [0; 64];
                    let len = guest.stream.read(&mut buffer).await?;
                    if len == 0 {
                        return Ok(());
                    }
                    guest.stream.write_all(&buffer[..len]).await?;
                }
            });
        }
    })
    .await
}

fn main() -> ExitCode {
    // What is no text is no argument of ours: it reads like another one.
    let arguments: Vec<String> = env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let count = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(affordable()),
        ["--help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [count] => count.parse().ok(),
        [_, ..] => None,
    };
    let Some(count) = count else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match wscope::run(async { fail_after(LIMIT, farewell(count)).await? }) {
        Ok(heard) if heard == count => ExitCode::SUCCESS,
        Ok(heard) => {
            eprintln!("farewell: {} peers were left without a goodbye", count - heard);
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("farewell: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Connects `count` peers to a server, cancels it, and says how many of them have read the goodbye.
async fn farewell(count: usize) -> Result<usize, scope::Error> {
    let scope = CancelScope::new();
    let heard = AtomicUsize::new(0);
    let mut begin = Instant::now();
    nursery(async |n: Nursery<'_>| {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = n.child(async { Ok((scope.run(serve(listener)).await, Instant::now())) });

        let begun = Instant::now();
        let peers = connect(address, count).await?;
        println!("{count:>6} connections opened in {:?}", begun.elapsed());
        for stream in peers {
            n.start_soon(async {
                let mut stream = stream;
                let mut last_words = Vec::new();
                stream.read_to_end(&mut last_words).await?;
                if last_words == GOODBYE {
                    heard.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }

        begin = Instant::now();
        scope.cancel();
        let (outcome, gone) = server.await?;
        if let Err(Cancelled) = outcome {
            println!("{:>6} handlers stopped in {:?}", count, gone - begin);
            Ok(())
        } else {
            Err(scope::Error::other("the server ended before it was cancelled"))
        }
    })
    .await?; // returns when every goodbye has been said, and every peer has read to the end
    let heard = heard.into_inner();
    println!("{heard:>6} goodbyes read after {:?}", begin.elapsed());
    Ok(heard)
}

/// Opens `count` connections and waits for the greeting on each.
async fn connect(address: SocketAddr, count: usize) -> Result<Vec<TcpStream>, scope::Error> {
    let open = Mutex::new(Vec::with_capacity(count));
    nursery(async |n: Nursery<'_>| {
        for _ in 0..count {
            n.below(OPENING).await;
            n.start_soon(async {
                let mut stream = TcpStream::connect(address).await?;
                let mut greeting = [0; HELLO.len()];
                stream.read_exact(&mut greeting).await?;
                open.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    Ok(open.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// How many connections, both ends in this process, the limit of open files allows; few where it is not known.
fn affordable() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let limit =
        line.and_then(|line| line.split_whitespace().next()).map(|soft| soft.parse().unwrap_or(usize::MAX));
    limit.map_or(100, |limit| (limit.saturating_sub(64) / 2).min(5000))
}
