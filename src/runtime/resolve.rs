//! From the name of a host to its addresses.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
};

use futures::channel::oneshot;

use super::current;

/// The addresses of `host`, in the order of the system's resolver. A literal address, in brackets or not, is not looked up.
///
/// The system's lookup blocks, and cannot be stopped: it has a thread of the pool, and when nobody waits any more that thread ends
/// on its own, with nothing of anybody's in its hands.
pub(crate) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(ip) = literal.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (answer, answered) = oneshot::channel();
    let host = host.to_owned();
    let runtime = current(|ambient| ambient.runtime.clone());
    runtime.unblock(Box::new(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Vec::from_iter);
        drop(answer.send(found)); // nobody waits any more
    }));
    answered.await.unwrap_or_else(|_gone| Err(io::Error::other("the runtime has dropped the lookup")))
}
