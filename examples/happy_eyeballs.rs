//! Happy Eyeballs (RFC 8305): a host has several addresses, and some of them are dead. Attempts are started one after the
//! other, without waiting for the one before for longer than a moment; the first to get through wins, and the others are gone
//! by the time the winner is returned. All of it happens on loopback, with
//!
//! - an address that refuses,
//! - a black hole: a listener that never accepts, so that whoever connects hears nothing,
//! - a server that takes a minute to say hello,
//! - one that says hello at once, and one that nobody needs to ask any more.
//!
//! That the losers are gone is seen from both ends: no attempt is alive, and the black hole and the slow server find the end
//! of the stream where their visitor was. Exit code 0 only if all of this was so.
//!
//! ```sh
//! cargo run --example happy_eyeballs
//! cargo run --example happy_eyeballs -- --delay 250    # milliseconds between attempts, as RFC 8305 recommends
//! ```

use std::{
    env, fmt, io,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_std::{
    io::{ReadExt, WriteExt},
    net::{TcpListener, TcpStream},
};
use futures::{StreamExt, channel::mpsc};
use wscope::{Nursery, TaskStatus, fail_after, move_on_after, nursery, scope, sleep};

const USAGE: &str = "usage: happy_eyeballs [--delay MILLISECONDS]    (between two attempts; 60 if not given)";
const HELLO: &[u8] = b"hello";
const MINUTE: Duration = Duration::from_secs(60);
/// What any single step of the proof may take.
const SOON: Duration = Duration::from_secs(5);

/// Connects to the first of `addresses` that answers.
///
/// Each attempt is a *service* of the nursery: it is not waited for, but stopped, once the body has what it wants. So
/// `return Ok(stream)` is all it takes to get rid of the losers.
async fn happy_eyeballs(
    addresses: &[SocketAddr],
    delay: Duration,
    log: &Log,
) -> Result<TcpStream, NobodyAnswered> {
    nursery(async |n: Nursery<'_, NobodyAnswered>| {
        let (report, mut reports) = mpsc::unbounded(); // holds one report for each address at most
        let mut failures = Vec::new();
        let mut untried = addresses.iter();
        while failures.len() < addresses.len() {
            let patience = match untried.next() {
                Some(&address) => {
                    let report = report.clone();
                    n.start_service(async move {
                        let outcome = attempt(address, log).await;
                        drop(report.unbounded_send((address, outcome))); // if nobody listens, it was too late
                        Ok(())
                    });
                    delay
                }
                None => MINUTE,
            };
            match move_on_after(patience, reports.next()).await {
                Some(Some((_, Ok(stream)))) => return Ok(stream),
                Some(Some((address, Err(error)))) => failures.push((address, error)), // the next one at once
                Some(None) | None => {} // it takes long: the next one beside it
            }
        }
        Err(NobodyAnswered { failures })
    })
    .await
}

/// Connects, and waits for the greeting.
async fn attempt(address: SocketAddr, log: &Log) -> io::Result<TcpStream> {
    let _alive = log.begin(address);
    let mut stream = TcpStream::connect(address).await.inspect_err(|error| log.say(address, error))?;
    let mut greeting = [0; HELLO.len()];
    stream.read_exact(&mut greeting).await?;
    log.say(address, "said hello");
    Ok(stream)
}

#[derive(Debug, thiserror::Error)]
#[error("nobody answered: {failures:?}")]
struct NobodyAnswered {
    failures: Vec<(SocketAddr, io::Error)>,
}

/// Prints what happens when, and counts the attempts that are alive.
struct Log {
    begin: Instant,
    names: Mutex<Vec<(SocketAddr, &'static str)>>,
    begun: AtomicUsize,
    alive: AtomicUsize,
}

impl Log {
    fn new() -> Self {
        Self {
            begin: Instant::now(),
            names: Mutex::default(),
            begun: AtomicUsize::new(0),
            alive: AtomicUsize::new(0),
        }
    }

    fn name(&self, address: SocketAddr, name: &'static str) -> SocketAddr {
        self.lock().push((address, name));
        address
    }

    fn say(&self, address: SocketAddr, what: impl fmt::Display) {
        let name = self.lock().iter().find(|(known, _)| *known == address).map_or("?", |(_, name)| *name);
        println!("{:>6} ms  {name:<10} {what}", self.begin.elapsed().as_millis());
    }

    fn begin(&self, address: SocketAddr) -> Alive<'_> {
        self.say(address, "attempt begins");
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.alive.fetch_add(1, Ordering::Relaxed);
        Alive { log: self, address }
    }

    /// How many attempts have begun, and how many of them are alive.
    fn count(&self) -> (usize, usize) {
        (self.begun.load(Ordering::Relaxed), self.alive.load(Ordering::Relaxed))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(SocketAddr, &'static str)>> {
        self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// An attempt that has not ended.
struct Alive<'a> {
    log: &'a Log,
    address: SocketAddr,
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.log.alive.fetch_sub(1, Ordering::Relaxed);
        self.log.say(self.address, "attempt is over");
    }
}

fn main() -> ExitCode {
    // What is no text is no argument of ours: it reads like another one.
    let arguments: Vec<String> = env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let delay = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(60),
        ["--help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        ["--delay", delay] => delay.parse().ok().filter(|delay| *delay <= 1000),
        [_, ..] => None,
    };
    let Some(delay) = delay else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match wscope::run(demonstrate(Duration::from_millis(delay))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("happy_eyeballs: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn demonstrate(delay: Duration) -> Result<(), scope::Error> {
    let log = &Log::new();
    nursery(async |n: Nursery<'_>| {
        let refusing = log.name(refusing().await?, "refusing");
        let black_hole = TcpListener::bind("127.0.0.1:0").await?;
        let silent = log.name(black_hole.local_addr()?, "black hole");
        let (visitor_left, mut visitors) = mpsc::unbounded();
        let slow =
            n.start_service_with(async move |status| serve_late(MINUTE, visitor_left, status).await).await?;
        let slow = log.name(slow, "slow");
        let (nobody, _) = mpsc::unbounded();
        let quick = n
            .start_service_with(async move |status| serve_late(Duration::ZERO, nobody, status).await)
            .await?;
        let quick = log.name(quick, "quick");
        let spare = log.name(TcpListener::bind("127.0.0.1:0").await?.local_addr()?, "spare");

        let stream = happy_eyeballs(&[refusing, silent, slow, quick, spare], delay, log)
            .await
            .map_err(scope::Error::other)?;
        log.say(stream.peer_addr()?, "wins");
        expect("attempts begun, attempts alive", log.count(), (4, 0))?;
        let (mut abandoned, _) = fail_after(SOON, black_hole.accept()).await??;
        let read = fail_after(SOON, abandoned.read(&mut [0])).await??;
        expect("bytes in the black hole before the end of the stream", read, 0)?;
        let left = fail_after(SOON, visitors.next()).await?;
        expect("the slow server's visitor left", left, Some(()))?;

        println!("\nand when all are dead:\n");
        let dead = happy_eyeballs(&[refusing, refusing], delay, log).await.err();
        expect("failures reported", dead.map(|error| error.failures.len()), Some(2))?;
        let limit = delay * 3;
        let hopeless = move_on_after(limit, happy_eyeballs(&[silent, refusing], delay, log)).await;
        expect("an answer within three delays", hopeless.is_some(), false)?;
        expect("attempts begun, attempts alive", log.count(), (8, 0))?;
        Ok(())
    })
    .await
}

/// Prints what was seen; an error when it is not what was promised.
fn expect<T: fmt::Debug + PartialEq>(what: &str, seen: T, promised: T) -> Result<(), scope::Error> {
    println!("           {what}: {seen:?}");
    if seen == promised {
        return Ok(());
    }
    Err(scope::Error::other(format!("{what}: {promised:?} was promised")))
}

/// An address where nobody listens any more.
async fn refusing() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0").await?.local_addr()
}

/// Greets its visitors, one at a time, after `delay`; reports those who left before.
async fn serve_late(
    delay: Duration,
    left: mpsc::UnboundedSender<()>,
    status: TaskStatus<SocketAddr>,
) -> Result<scope::Started, scope::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let _started = status.started(listener.local_addr()?);
    loop {
        let (mut stream, _) = listener.accept().await?;
        if delay > Duration::ZERO && move_on_after(delay, stream.read(&mut [0])).await.is_some() {
            drop(left.unbounded_send(())); // visitors say nothing, so what ended the wait was the end of the stream
            continue;
        }
        stream.write_all(HELLO).await?;
        sleep(Duration::from_millis(1)).await;
    }
}
