//! Where one end of a connection is.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use crate::runtime::{Address, Transport};

/// One end of a connection, or where a server listens.
///
/// ```
/// use wscope::websocket::Endpoint;
///
/// let endpoint = Endpoint::Tcp { address: "[::1]:8080".parse().unwrap(), tls: false };
/// assert_eq!(endpoint.url().as_deref(), Some("ws://[::1]:8080"));
/// assert_eq!(endpoint.port(), Some(8080));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// TCP.
    Tcp {
        /// Address and port.
        address: SocketAddr,
        /// Whether TLS is spoken.
        tls: bool,
    },
    /// A Unix socket.
    Unix {
        /// Its file. The end that connects has none.
        path: Option<PathBuf>,
        /// Whether TLS is spoken.
        tls: bool,
    },
    /// A stream that was brought along, and whose address is not known.
    Other,
}

impl Endpoint {
    /// Our end of `transport`.
    pub(crate) fn local(transport: &Transport) -> Self {
        Self::of(transport.local(), transport.is_tls())
    }

    /// The peer's end of `transport`.
    pub(crate) fn remote(transport: &Transport) -> Self {
        Self::of(transport.peer(), transport.is_tls())
    }

    pub(crate) fn of(address: &Address, tls: bool) -> Self {
        match address {
            Address::Tcp(address) => Self::Tcp { address: *address, tls },
            Address::Unix(path) => Self::Unix { path: path.clone(), tls },
            Address::Unknown => Self::Other,
        }
    }

    /// The URL of a server here, without a path; the default port is left out. Only TCP has one.
    ///
    /// ```
    /// use wscope::websocket::Endpoint;
    ///
    /// let endpoint = Endpoint::Tcp { address: "127.0.0.1:443".parse().unwrap(), tls: true };
    /// assert_eq!(endpoint.url().as_deref(), Some("wss://127.0.0.1"));
    /// assert_eq!(Endpoint::Other.url(), None);
    /// ```
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let Self::Tcp { address, tls } = self else { return None };
        let scheme = if *tls { "wss" } else { "ws" };
        let default_port = if *tls { WSS_PORT } else { WS_PORT };
        Some(match address {
            _ if address.port() != default_port => format!("{scheme}://{address}"),
            SocketAddr::V4(address) => format!("{scheme}://{}", address.ip()),
            SocketAddr::V6(address) => format!("{scheme}://[{}]", address.ip()),
        })
    }

    /// Who is at the other end, for errors: a client has no URL.
    pub(crate) fn client(&self) -> String {
        self.address().map_or_else(|| self.to_string(), |address| address.to_string())
    }

    /// Address and port, of TCP.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp { address, .. } => Some(*address),
            Self::Unix { .. } | Self::Other => None,
        }
    }

    /// The port, of TCP.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp { address, .. } => Some(address.port()),
            Self::Unix { .. } | Self::Other => None,
        }
    }

    /// The file, of a Unix socket that has one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix { path, .. } => path.as_deref(),
            Self::Tcp { .. } | Self::Other => None,
        }
    }

    /// Whether TLS is spoken, by us: of a stream that was brought along we do not know.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        match self {
            Self::Tcp { tls, .. } | Self::Unix { tls, .. } => *tls,
            Self::Other => false,
        }
    }
}

/// For logs: the URL, the path of the socket, or what it is.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.url()) {
            (_, Some(url)) => f.write_str(&url),
            (Self::Unix { path: Some(path), .. }, None) => write!(f, "unix:{}", path.display()),
            (Self::Unix { path: None, .. }, None) => f.write_str("a Unix socket without a name"),
            (Self::Tcp { .. } | Self::Other, None) => f.write_str("a stream without an address"),
        }
    }
}

/// Default ports (RFC 6455 §3).
const WS_PORT: u16 = 80;
const WSS_PORT: u16 = 443;
