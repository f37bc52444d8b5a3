//! From which web pages a server takes requests (RFC 6455 §10.2).
//!
//! A browser lets any page open a WebSocket to any host, with the cookies of that host, and says in `Origin` which page it was.
//! Whoever sends no `Origin` is no browser, and could send any.

use http::HeaderValue;

/// Which origins are let in; a request from another is answered 403.
///
/// ```
/// use wscope::websocket::{OriginPolicy, ServerConfig};
///
/// let policy = OriginPolicy::list(["https://example.com", "http://localhost:5173"])?;
/// let config = ServerConfig::new().origin(policy);
/// assert!(OriginPolicy::list(["https://example.com/a/path"]).is_err());
/// # let _ = config;
/// # Ok::<(), wscope::websocket::InvalidOrigin>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginPolicy {
    /// Pages of the same host and port as in the request's `Host`, and whoever is no browser.
    #[default]
    SameHost,
    /// These, the same host, and whoever is no browser. See [`OriginPolicy::list`].
    List(Vec<Origin>),
    /// Everybody. For a service that takes no credentials from a browser.
    Any,
}

impl OriginPolicy {
    /// Lets in pages of these origins, such as `https://example.com`, beside those of the same host.
    ///
    /// # Errors
    /// [`InvalidOrigin`] when one is none.
    pub fn list<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidOrigin> {
        origins
            .into_iter()
            .map(|origin| Origin::parse(origin).ok_or(InvalidOrigin))
            .collect::<Result<_, _>>()
            .map(Self::List)
    }

    /// Whether a request for `host` from `origin` is let in.
    pub(super) fn allows<'a>(&self, mut origins: impl Iterator<Item = &'a HeaderValue>, host: &str) -> bool {
        let listed = match self {
            Self::Any => return true,
            Self::SameHost => &[][..],
            Self::List(origins) => origins,
        };
        let origin = match (origins.next(), origins.next()) {
            (None, _) => return true,
            (Some(origin), None) => origin.to_str().ok().and_then(Origin::parse),
            (Some(_), Some(_)) => None, // no browser sends two
        };
        origin.is_some_and(|origin| origin.is_of(host) || listed.contains(&origin))
    }
}

/// Scheme, host and port of a page (RFC 6454 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    /// That of the scheme where none is said, if we know the scheme.
    port: Option<u16>,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let known = default_port(&scheme);
        let (host, port) = split_port(authority)?;
        (!host.is_empty() && !host.contains(['/', '?', '#', '@', ' '])).then(|| Self {
            host: host.to_ascii_lowercase(),
            port: port.or(known),
            scheme,
        })
    }

    /// Whether `authority`, from a `Host` header, names the same host and port. Behind a proxy that ends TLS we cannot know the scheme
    /// that the client used; so a missing port is that of the origin's scheme.
    fn is_of(&self, authority: &str) -> bool {
        split_port(authority).is_some_and(|(host, port)| {
            host.eq_ignore_ascii_case(&self.host) && port.or_else(|| default_port(&self.scheme)) == self.port
        })
    }
}

/// A text that is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an origin is a scheme, a host and perhaps a port, as https://example.com:8443")]
#[non_exhaustive]
pub struct InvalidOrigin;

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// Host, and port if there is one.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => Some((host, Some(port.parse().ok()?))),
        Some(_) | None => Some((authority, None)),
    }
}
