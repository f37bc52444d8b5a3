//! Where a server is to listen, and what is told when it cannot.

use std::{
    collections::HashSet,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
};

use crate::runtime::resolve;

/// Where a [server](super::WebSocketServer) is to listen: a host and a port. A name stands for all of its addresses; with port 0 each of
/// them has a port of its own. In a text an IPv6 address stands in brackets: `[::1]:8765`.
///
/// ```
/// use std::net::Ipv4Addr;
/// use wscope::websocket::ListenAddress;
///
/// let port = 8765;
/// for address in [
///     ListenAddress::from("127.0.0.1:8765"),
///     format!("127.0.0.1:{port}").into(),
///     ("127.0.0.1", port).into(),
///     (Ipv4Addr::LOCALHOST, port).into(),
/// ] {
///     assert_eq!(address.to_string(), "127.0.0.1:8765");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Known(SocketAddr),
    Named {
        host: String,
        port: u16,
    },
    /// As it was given; whether it is an address shows when somebody wants to listen there.
    Text(String),
}

impl ListenAddress {
    /// The addresses that it stands for: one at least.
    pub(super) async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let (host, port) = match &self.0 {
            Place::Known(address) => return Ok(vec![*address]),
            Place::Named { host, port } => (host.as_str(), *port),
            Place::Text(text) => match text.parse() {
                Ok(address) => return Ok(vec![address]),
                Err(_) => parse(text)?,
            },
        };
        let found = distinct(resolve(host, port).await?);
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address"));
        }
        Ok(found)
    }
}

/// Each once: a resolver may name an address twice, for two lines of its file, and where we listen already nobody else can.
pub(crate) fn distinct(mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut seen = HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    addresses
}

/// Host and port of a text that holds a name.
fn parse(text: &str) -> io::Result<(&str, u16)> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let (host, port) =
        text.rsplit_once(':').ok_or_else(|| invalid("no port; 0 is one of the system's choice"))?;
    if host.contains(':') {
        return Err(invalid(
            "one colon stands between host and port, and an IPv6 address in brackets: [::1]:80",
        ));
    }
    let number = || invalid("the port is not a number from 0 to 65535");
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(number());
    }
    let port = port.parse().map_err(|_| number())?;
    if host.is_empty() {
        return Err(invalid("no host; 0.0.0.0 is all of this machine, 127.0.0.1 this machine alone"));
    }
    Ok((host, port))
}

/// Nobody can listen there: the place, and the error of the system, of whose kind the [`io::Error`] around this is.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {place}: {error}")]
pub(super) struct CannotListen {
    place: String,
    #[source]
    error: io::Error,
}

impl CannotListen {
    pub(super) fn at(place: impl fmt::Display, error: io::Error) -> io::Error {
        io::Error::new(error.kind(), Self { place: place.to_string(), error })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Known(address) => address.fmt(f),
            Place::Named { host, port } => write!(f, "{host}:{port}"),
            Place::Text(text) => f.write_str(text),
        }
    }
}

impl From<&str> for ListenAddress {
    fn from(text: &str) -> Self {
        Self(Place::Text(text.to_owned()))
    }
}

impl From<String> for ListenAddress {
    fn from(text: String) -> Self {
        Self(Place::Text(text))
    }
}

impl From<&String> for ListenAddress {
    fn from(text: &String) -> Self {
        Self(Place::Text(text.clone()))
    }
}

impl From<(&str, u16)> for ListenAddress {
    fn from((host, port): (&str, u16)) -> Self {
        (host.to_owned(), port).into()
    }
}

impl From<(String, u16)> for ListenAddress {
    fn from((host, port): (String, u16)) -> Self {
        Self(match host.parse::<IpAddr>() {
            Ok(address) => Place::Known((address, port).into()),
            Err(_) => Place::Named { host, port },
        })
    }
}

macro_rules! from_known {
    ($($known:ty),*) => {$(
        impl From<$known> for ListenAddress {
            fn from(address: $known) -> Self {
                Self(Place::Known(address.into()))
            }
        }
    )*};
}

from_known!(SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));
