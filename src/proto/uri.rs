//! `ws` and `wss` URIs (RFC 6455 §3): where to connect, what to ask for, and with which credentials.
//!
//! Userinfo becomes basic auth (RFC 7617) and is kept apart from everything that is ever printed: no `Debug`, no
//! `Display` and no error of this file holds a byte of it.

use core::net::Ipv6Addr; // addresses without sockets
use http::{HeaderValue, uri::PathAndQuery};
use percent_encoding::{CONTROLS, percent_decode_str, utf8_percent_encode};
use std::{fmt, str::FromStr};

/// A `ws` or `wss` URI.
///
/// The host is in lower case, an absent port is the scheme's, an empty path is `/`, and what is not ASCII in path and
/// query is percent-encoded (RFC 3987 §3.1).
///
/// ```
/// use wscope::proto::WebSocketUri;
///
/// let uri: WebSocketUri = "wss://ann:secret@Example.com/chat?room=größe".parse()?;
/// assert!(uri.secure());
/// assert_eq!((uri.host(), uri.port()), ("example.com", 443));
/// assert_eq!(uri.target(), "/chat?room=gr%C3%B6%C3%9Fe");
/// assert_eq!(uri.host_header(), "example.com");
/// assert_eq!(uri.to_string(), "wss://example.com/chat?room=gr%C3%B6%C3%9Fe");
/// assert_eq!(format!("{uri:?}"), r#"WebSocketUri("wss://example.com/chat?...")"#);
/// # Ok::<(), wscope::proto::UriError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebSocketUri {
    secure: bool,
    /// Lower case, without brackets.
    host: String,
    port: u16,
    /// Begins with `/`; visible ASCII.
    target: String,
    /// `Basic ...`, marked sensitive.
    authorization: Option<HeaderValue>,
}

impl WebSocketUri {
    /// Puts a URI together of its parts; `target` is path and query, or empty for `/`. An IPv6 address may stand in
    /// brackets or without.
    ///
    /// # Errors
    /// [`UriError`] as for a URI that is parsed.
    ///
    /// ```
    /// use wscope::proto::WebSocketUri;
    /// assert_eq!(WebSocketUri::new(false, "::1", 8000, "/chat")?.to_string(), "ws://[::1]:8000/chat");
    /// # Ok::<(), wscope::proto::UriError>(())
    /// ```
    pub fn new(secure: bool, host: &str, port: u16, target: &str) -> Result<Self, UriError> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let host = if bare.contains(':') { parse_ipv6(bare)? } else { parse_name(host)? };
        if port == 0 {
            return Err(UriError::InvalidPort);
        }
        if target.contains('#') {
            return Err(UriError::Fragment);
        }
        Ok(Self { secure, host, port, target: encode_target(target)?, authorization: None })
    }

    /// Whether the scheme is `wss`: WebSocket over TLS.
    #[must_use]
    pub const fn secure(&self) -> bool {
        self.secure
    }

    /// Host name in lower case, or IP address; an IPv6 address stands without brackets, as resolvers take it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port; 80 or 443 when the URI names none.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Value of the `Host` header: the port is left out when it is the scheme's own (RFC 6455 §4.1), and an IPv6 address
    /// stands in brackets.
    #[must_use]
    pub fn host_header(&self) -> String {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        if self.port == default_port(self.secure) {
            format!("{open}{}{close}", self.host)
        } else {
            format!("{open}{}{close}:{}", self.host, self.port)
        }
    }

    /// What the request line asks for: path and query ("resource name" in RFC 6455 §3).
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Userinfo as the value of an `Authorization` header (RFC 7617 §2), marked sensitive.
    #[must_use]
    pub const fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// The URI for logs and errors: without userinfo and query, the forms in which credentials travel.
    ///
    /// ```
    /// use wscope::proto::WebSocketUri;
    ///
    /// let uri: WebSocketUri = "wss://user:password@example.com/chat?token=s3cret".parse()?;
    /// assert_eq!(uri.redacted(), "wss://example.com/chat?...");
    /// # Ok::<(), wscope::proto::UriError>(())
    /// ```
    #[must_use]
    pub fn redacted(&self) -> String {
        format!("{}://{}{}", scheme(self.secure), self.host_header(), without_query(&self.target))
    }
}

impl FromStr for WebSocketUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        // Nothing but a scheme may go from here into an error: all other parts may hold credentials.
        let (scheme, rest) = text.split_once("://").ok_or(UriError::MissingScheme)?;
        let secure = parse_scheme(scheme)?;
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // The last `@`: people write passwords with an `@` in them, but no host has one.
        let (userinfo, host_and_port) = match authority.rsplit_once('@') {
            Some((userinfo, host_and_port)) => (userinfo, host_and_port),
            None => ("", authority),
        };
        let (host, port) = split_host_and_port(host_and_port)?;
        Ok(Self {
            secure,
            host,
            port: port.unwrap_or_else(|| default_port(secure)),
            target: encode_target(target)?,
            authorization: basic_auth(userinfo)?,
        })
    }
}

impl TryFrom<&str> for WebSocketUri {
    type Error = UriError;

    fn try_from(text: &str) -> Result<Self, UriError> {
        text.parse()
    }
}

impl TryFrom<String> for WebSocketUri {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        text.parse()
    }
}

/// The URI without userinfo.
impl fmt::Display for WebSocketUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", scheme(self.secure), self.host_header(), self.target)
    }
}

/// [Redacted](WebSocketUri::redacted).
impl fmt::Debug for WebSocketUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebSocketUri").field(&self.redacted()).finish()
    }
}

/// Why a text is not a WebSocket URI. No variant repeats a part of the URI in which credentials may stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// No `scheme://` at the beginning.
    #[error("the URI does not begin with ws:// or wss:// (RFC 6455 §3)")]
    MissingScheme,
    /// Another scheme.
    #[error("the scheme of the URI is {scheme}, neither ws nor wss (RFC 6455 §3)")]
    UnsupportedScheme {
        /// The scheme.
        scheme: String,
    },
    /// A fragment, or a `#` that is not written as `%23`.
    #[error("a WebSocket URI has no fragment; write # as %23 (RFC 6455 §3)")]
    Fragment,
    /// No host.
    #[error("the URI has no host (RFC 6455 §3)")]
    MissingHost,
    /// A host name beyond ASCII.
    #[error("the host name of the URI is not ASCII; write it in punycode (xn--...)")]
    NonAsciiHost,
    /// Neither a name nor an IP address.
    #[error("the host of the URI is neither a name nor an IP address (RFC 3986 §3.2.2)")]
    InvalidHost,
    /// The port is not a number, is 0 or above 65535.
    #[error("the port of the URI is not a number from 1 to 65535")]
    InvalidPort,
    /// Credentials that basic auth cannot carry.
    #[error(
        "the userinfo of the URI cannot be sent as basic auth: a colon in the name, or a control character (RFC 7617 §2)"
    )]
    InvalidUserinfo,
    /// White space, a control character or another byte that a request line cannot carry, or more than 65534 bytes.
    #[error(
        "path and query of the URI cannot stand in a request line; percent-encode white space (RFC 3986 §3.3, §3.4)"
    )]
    InvalidTarget,
}

/// Host and port of an authority without userinfo (RFC 3986 §3.2). Also what a `Host` header may hold.
pub(crate) fn split_host_and_port(text: &str) -> Result<(String, Option<u16>), UriError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or(UriError::InvalidHost)?;
        let port = match port.strip_prefix(':') {
            Some(port) => parse_port(port)?,
            None if port.is_empty() => None,
            None => return Err(UriError::InvalidHost),
        };
        return Ok((parse_ipv6(host)?, port));
    }
    match text.split_once(':') {
        Some((host, port)) => Ok((parse_name(host)?, parse_port(port)?)),
        None => Ok((parse_name(text)?, None)),
    }
}

/// `target` up to its query, with a mark where the query was.
pub(crate) fn without_query(target: &str) -> String {
    match target.split_once('?') {
        Some((path, _)) => format!("{path}?..."),
        None => target.to_owned(),
    }
}

fn parse_scheme(scheme: &str) -> Result<bool, UriError> {
    if scheme.eq_ignore_ascii_case("wss") {
        return Ok(true);
    }
    if scheme.eq_ignore_ascii_case("ws") {
        return Ok(false);
    }
    // What stands before "://" may be anything, a password too: only what looks like a scheme is repeated.
    let looks_like_one = (1..=MAX_SHOWN_SCHEME).contains(&scheme.len())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if looks_like_one {
        Err(UriError::UnsupportedScheme { scheme: scheme.to_owned() })
    } else {
        Err(UriError::MissingScheme)
    }
}

/// An IPv6 address without its brackets. Zones are not for URIs that travel in a `Host` header (RFC 6874 §4).
fn parse_ipv6(host: &str) -> Result<String, UriError> {
    match host.parse::<Ipv6Addr>() {
        Ok(_) => Ok(host.to_ascii_lowercase()),
        Err(_) => Err(UriError::InvalidHost),
    }
}

/// `reg-name` (RFC 3986 §3.2.2) without percent-encoding, which no resolver knows; IPv4 addresses are such names.
fn parse_name(host: &str) -> Result<String, UriError> {
    if host.is_empty() {
        return Err(UriError::MissingHost);
    }
    if !host.is_ascii() {
        return Err(UriError::NonAsciiHost);
    }
    if host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)) {
        Ok(host.to_ascii_lowercase())
    } else {
        Err(UriError::InvalidHost)
    }
}

/// A port; empty is as good as absent (RFC 3986 §3.2.3). Nobody can be connected to at port 0.
fn parse_port(port: &str) -> Result<Option<u16>, UriError> {
    if port.is_empty() {
        return Ok(None);
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UriError::InvalidPort);
    }
    match port.parse() {
        Ok(0) | Err(_) => Err(UriError::InvalidPort),
        Ok(port) => Ok(Some(port)),
    }
}

/// Path and query as they go into the request line: never empty, ASCII only, no white space.
fn encode_target(target: &str) -> Result<String, UriError> {
    let slash = match target.as_bytes().first() {
        None | Some(b'?') => "/",
        Some(b'/') => "",
        Some(_) => return Err(UriError::InvalidTarget),
    };
    if target.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
        return Err(UriError::InvalidTarget);
    }
    // The control characters of the set are gone by now: what it still encodes is what is not ASCII.
    let encoded = format!("{slash}{}", utf8_percent_encode(target, CONTROLS));
    match PathAndQuery::try_from(encoded.as_str()) {
        Ok(_) => Ok(encoded),
        Err(_) => Err(UriError::InvalidTarget),
    }
}

/// `user:password` as a header value; no userinfo, no value.
fn basic_auth(userinfo: &str) -> Result<Option<HeaderValue>, UriError> {
    if userinfo.is_empty() {
        return Ok(None);
    }
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let user: Vec<u8> = percent_decode_str(user).collect();
    let password: Vec<u8> = percent_decode_str(password).collect();
    if user.contains(&b':') || user.iter().chain(&password).any(u8::is_ascii_control) {
        return Err(UriError::InvalidUserinfo);
    }
    // The charset is UTF-8 (RFC 7617 §2.1); escaped bytes go as they are.
    let credentials = data_encoding::BASE64.encode(&[user, b":".to_vec(), password].concat());
    let mut value =
        HeaderValue::try_from(format!("Basic {credentials}")).map_err(|_| UriError::InvalidUserinfo)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

const fn scheme(secure: bool) -> &'static str {
    if secure { "wss" } else { "ws" }
}

/// Longest foreign scheme that an error repeats.
const MAX_SHOWN_SCHEME: usize = 16;
