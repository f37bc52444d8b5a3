//! Happy eyeballs (RFC 8305): several addresses of one host are tried one after the other, without waiting for a dead one.
//!
//! [`in_order`] is the pure part: which address is tried after which. [`dial`] waits: it begins with the next address when the one
//! before has failed, or has not answered for [`ATTEMPT_DELAY`]. The first to connect wins, and the others are dropped.

use std::{
    error, fmt,
    future::poll_fn,
    io,
    net::SocketAddr,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, stream::FuturesUnordered};

use crate::runtime::{Timer, now};

/// Connects to the first of `addresses` that answers. Has no limit in time of its own: each attempt has the system's.
///
/// Dropped half-way, it drops every attempt.
pub(crate) async fn dial<T, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, ConnectError>
where
    F: Future<Output = io::Result<T>>,
{
    let known = addresses.len();
    let mut waiting = in_order(addresses).into_iter();
    let mut error = ConnectError { attempts: Vec::new(), known };
    let mut running = FuturesUnordered::new();
    let mut patience = Timer::at(now());
    loop {
        if let Some(address) = waiting.next() {
            let attempt = connect(address);
            running.push(async move { (address, attempt.await) });
            patience.reset(now() + ATTEMPT_DELAY);
        }
        let more = waiting.len() > 0;
        match poll_fn(|cx| poll_step(&mut running, more.then_some(&mut patience), cx)).await {
            Step::Ended(_, Ok(connected)) => return Ok(connected),
            Step::Ended(address, Err(fault)) => error.attempts.push(Attempt { address, error: fault }),
            Step::Slow => {}
            Step::Exhausted => return Err(error),
        }
    }
}

/// What happens next while attempts are under way.
enum Step<T> {
    /// This attempt has ended.
    Ended(SocketAddr, io::Result<T>),
    /// None has, for too long.
    Slow,
    /// None is left.
    Exhausted,
}

fn poll_step<T, F>(
    running: &mut FuturesUnordered<F>,
    patience: Option<&mut Timer>,
    cx: &mut Context<'_>,
) -> Poll<Step<T>>
where
    F: Future<Output = (SocketAddr, io::Result<T>)>,
{
    match std::pin::Pin::new(running).poll_next(cx) {
        Poll::Ready(Some((address, result))) => Poll::Ready(Step::Ended(address, result)),
        Poll::Ready(None) => Poll::Ready(Step::Exhausted),
        Poll::Pending => match patience {
            Some(patience) => patience.poll(cx).map(|()| Step::Slow),
            None => Poll::Pending,
        },
    }
}

/// The addresses that are tried, in this order: IPv6 first, the families in turn, each in the resolver's order (RFC 8305 §4);
/// none twice, and not more than [`MAX_ATTEMPTS`].
fn in_order(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses.into_iter().partition(SocketAddr::is_ipv6);
    let (mut first, mut second) = (v6.into_iter(), v4.into_iter());
    let mut ordered = Vec::new();
    while ordered.len() < MAX_ATTEMPTS {
        let Some(address) = first.next().or_else(|| second.next()) else { break };
        if !ordered.contains(&address) {
            ordered.push(address);
            std::mem::swap(&mut first, &mut second);
        }
    }
    ordered
}

/// No address of a host could be connected to.
///
/// ```
/// # fn log(error: &wscope::websocket::ConnectError) {
/// for (address, error) in error.attempts() {
///     eprintln!("{address}: {error}");
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct ConnectError {
    attempts: Vec<Attempt>,
    /// How many addresses there were.
    known: usize,
}

#[derive(Debug)]
struct Attempt {
    address: SocketAddr,
    error: io::Error,
}

impl ConnectError {
    /// Each address that was tried, and why it failed, in the order in which they failed. Empty when the host has no address.
    pub fn attempts(&self) -> impl ExactSizeIterator<Item = (SocketAddr, &io::Error)> {
        self.attempts.iter().map(|attempt| (attempt.address, &attempt.error))
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.known == 0 {
            return f.write_str("the host has no address");
        }
        write!(f, "no connection to {} of {} addresses", self.attempts.len(), self.known)?;
        for (index, (address, error)) in self.attempts().enumerate() {
            write!(f, "{} {address}: {error}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.attempts.last().map(|attempt| &attempt.error as _)
    }
}

/// How long an attempt is the only one (RFC 8305 §5). Shorter, and every server with a slow network sees two connections.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How many addresses are tried: a name can have thousands, and each costs a socket.
const MAX_ATTEMPTS: usize = 16;
