//! Happy eyeballs (RFC 8305): several addresses of one host are tried one after the other, without waiting for a dead one.
//!
//! [`in_order`] is the pure part: which address is tried after which. [`race`] waits: it begins with the next address when the one
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

use crate::runtime::{Tcp, Timer, Transport, now, resolve};

/// Connects to `host`, a name or an address in brackets or not, over TCP.
///
/// No limit in time of its own. Dropped half-way, it drops every attempt; a lookup of the system's ends by itself.
pub(crate) async fn dial(host: &str, port: u16) -> Result<Transport, DialError> {
    let found = resolve(host, port).await;
    let addresses = found.map_err(|error| DialError::Lookup { host: host.to_owned(), error })?;
    Ok(Transport::Tcp(race(host, addresses, Tcp::connect).await?))
}

/// Connects to the first of the `addresses` of `host` that answers, each by `connect`. Dropped half-way, it drops every attempt.
pub(crate) async fn race<T, F>(
    host: &str,
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Unreachable>
where
    F: Future<Output = io::Result<T>>,
{
    let known = addresses.len();
    let mut waiting = in_order(addresses).into_iter();
    let mut faults = Vec::new();
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
            Step::Ended(address, Err(fault)) => faults.push((address, fault)),
            Step::Slow => {}
            Step::Exhausted => return Err(Unreachable { host: host.to_owned(), attempts: faults, known }),
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

/// Why there is no connection to a host.
///
/// ```
/// use wscope::websocket::DialError;
///
/// fn log(error: &DialError) {
///     match error {
///         DialError::Lookup { host, error } => eprintln!("who is {host}? {error}"),
///         DialError::Unreachable(unreachable) => {
///             for (address, error) in unreachable.attempts() {
///                 eprintln!("{address}: {error}");
///             }
///         }
///         other => eprintln!("{other}"),
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The system's resolver does not know the host, or does not answer.
    #[error("no connection with `{host}`: its address is not to be found: {error}")]
    Lookup {
        /// Whom we were looking for.
        host: String,
        /// In the words of the system.
        #[source]
        error: io::Error,
    },
    /// No address of the host could be connected to.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

/// The addresses of a host that were tried in vain, at most [`MAX_ATTEMPTS`].
#[derive(Debug)]
pub struct Unreachable {
    host: String,
    attempts: Vec<(SocketAddr, io::Error)>,
    /// How many addresses there were.
    known: usize,
}

impl Unreachable {
    /// Each address that was tried, and why it failed, in the order in which they failed. Empty when the host has no address.
    #[must_use]
    pub fn attempts(&self) -> impl ExactSizeIterator<Item = (SocketAddr, &io::Error)> {
        self.attempts.iter().map(|(address, error)| (*address, error))
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.known == 0 {
            return write!(f, "no connection with `{}`: the host has no address", self.host);
        }
        let (tried, known) = (self.attempts.len(), self.known);
        write!(f, "no connection with `{}`, tried {tried} of {known} addresses", self.host)?;
        for (index, (address, error)) in self.attempts().enumerate() {
            write!(f, "{} {address}: {error}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl error::Error for Unreachable {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.attempts.last().map(|(_, error)| error as _)
    }
}

/// How long an attempt is the only one (RFC 8305 §5). Shorter, and every server with a slow network sees two connections.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How many addresses are tried: a name can have thousands, and each costs a socket.
const MAX_ATTEMPTS: usize = 16;
