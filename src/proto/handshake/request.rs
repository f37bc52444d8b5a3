//! The client's request: built on one side, read on the other (RFC 6455 §4.1).

use super::error::HeaderError;
use crate::proto::{
    extension::Extension,
    header::{ExtensionItem, ListError, Token},
    http::{HeadError, is_secret},
    uri::{WebSocketUri, without_query},
};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
        SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
    },
};
use std::{fmt, sync::Arc};

/// A request for a WebSocket connection: a client builds it, a server reads it.
///
/// Whatever it holds can be sent as it is: each setter checks what it is given.
///
/// ```
/// use wscope::proto::{Request, WebSocketUri};
///
/// let uri: WebSocketUri = "ws://example.com/chat?room=1".parse()?;
/// let request = Request::to(&uri).with_subprotocols(["chat.v2", "chat.v1"])?.with_header("Origin", "http://example.com")?;
///
/// assert_eq!((request.host(), request.path(), request.query()), ("example.com", "/chat", Some("room=1")));
/// assert_eq!(request.subprotocols()[0], "chat.v2");
/// assert!(request.with_header("Sec-WebSocket-Key", "mine").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Request {
    host: String,
    /// Begins with `/`.
    target: String,
    /// Client: what goes out beside the headers that the handshake writes. Server: all that came.
    headers: HeaderMap,
    subprotocols: Vec<Token>,
    /// Each under the name of `extension`, if that is set.
    offers: Vec<ExtensionItem>,
    /// Client only: who made the offers and judges the answer.
    extension: Option<Arc<dyn Extension>>,
}

impl Request {
    /// A request for what `uri` names; its userinfo becomes the `Authorization` header.
    #[must_use]
    pub fn to(uri: &WebSocketUri) -> Self {
        let authorization = uri.authorization().map(|value| (AUTHORIZATION, value.clone()));
        Self::received(
            uri.host_header(),
            uri.target().to_owned(),
            authorization.into_iter().collect(),
            Vec::new(),
            Vec::new(),
        )
    }

    /// A request as a server read it.
    pub(super) const fn received(
        host: String,
        target: String,
        headers: HeaderMap,
        subprotocols: Vec<Token>,
        offers: Vec<ExtensionItem>,
    ) -> Self {
        Self { host, target, headers, subprotocols, offers, extension: None }
    }

    /// Adds a header. An `Authorization` takes the place of the one before, that of the URI included; the value of this
    /// and of cookies is marked sensitive.
    ///
    /// # Errors
    /// [`HeaderError`] when name or value are none, or when the handshake writes this header itself.
    pub fn with_header<N, V>(mut self, name: N, value: V) -> Result<Self, HeaderError>
    where
        HeaderName: TryFrom<N>,
        HeaderValue: TryFrom<V>,
    {
        let (name, value) = check_header(name, value, RESERVED)?;
        if name == AUTHORIZATION {
            self.headers.remove(AUTHORIZATION);
        }
        append_header(&mut self.headers, name, value)?;
        Ok(self)
    }

    /// Offers subprotocols, the most wanted first, in place of those offered before.
    ///
    /// # Errors
    /// [`ListError`] when one is not a token or stands there twice, when there is none, or when there are more than
    /// [`MAX_ELEMENTS`](crate::proto::MAX_ELEMENTS) (RFC 6455 §4.1).
    pub fn with_subprotocols<S: Into<String>>(
        mut self,
        subprotocols: impl IntoIterator<Item = S>,
    ) -> Result<Self, ListError> {
        self.subprotocols = Token::list(subprotocols)?;
        Ok(self)
    }

    /// Offers an extension, in place of the one offered before. Offers under another name than its own are left out.
    #[must_use]
    pub fn with_extension(mut self, extension: Arc<dyn Extension>) -> Self {
        self.offers = extension.offers();
        self.offers.retain(|offer| offer.name() == extension.name());
        self.extension = Some(extension);
        self
    }

    /// Host and, where it is not the scheme's own, port: the authority of an absolute target, else the `Host` header.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Path and query, percent-encoded as they travel.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The target up to its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// What stands behind the first `?` of the target.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Client: the headers added by the caller. Server: all that came.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers, for who needs nothing else any more.
    pub(crate) fn take_headers(&mut self) -> HeaderMap {
        std::mem::take(&mut self.headers)
    }

    /// The subprotocols on offer, the client's favourite first.
    #[must_use]
    pub fn subprotocols(&self) -> &[Token] {
        &self.subprotocols
    }

    /// Offers no extension, whatever was offered before.
    #[must_use]
    pub fn without_extension(mut self) -> Self {
        self.offers.clear();
        self.extension = None;
        self
    }

    /// The extensions on offer, the client's favourite first.
    #[must_use]
    pub fn extensions(&self) -> &[ExtensionItem] {
        &self.offers
    }

    /// Who judges the answer to the offers.
    pub(super) fn extension(&self) -> Option<&Arc<dyn Extension>> {
        self.extension.as_ref().filter(|_| !self.offers.is_empty())
    }
}

/// Without the query, in which tokens travel. Values of `Authorization` and cookies are marked sensitive and hidden too.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("host", &self.host)
            .field("target", &without_query(&self.target))
            .field("headers", &self.headers)
            .field("subprotocols", &self.subprotocols)
            .field("extensions", &self.offers)
            .finish()
    }
}

/// A header as types that cannot hold a line break, unless it is one of `reserved`.
///
/// Reserved headers are an error and not overwritten: a header that goes out twice, or silently in another form than
/// asked for, costs an afternoon to find.
pub(super) fn check_header<N, V>(
    name: N,
    value: V,
    reserved: &[HeaderName],
) -> Result<(HeaderName, HeaderValue), HeaderError>
where
    HeaderName: TryFrom<N>,
    HeaderValue: TryFrom<V>,
{
    let name = HeaderName::try_from(name).map_err(|_| HeaderError::InvalidName)?;
    if reserved.contains(&name) {
        return Err(HeaderError::Reserved { name });
    }
    let Ok(mut value) = HeaderValue::try_from(value) else {
        return Err(HeaderError::InvalidValue { name });
    };
    value.set_sensitive(value.is_sensitive() || is_secret(&name));
    Ok((name, value))
}

/// Appends to `headers`, received or given, which never exceed [`HeaderError::MAX_HEADERS`].
pub(super) fn append_header(
    headers: &mut HeaderMap,
    name: HeaderName,
    value: HeaderValue,
) -> Result<(), HeaderError> {
    let limit = HeaderError::MAX_HEADERS;
    if headers.len() == limit {
        return Err(HeaderError::TooMany { limit });
    }
    headers.append(name, value);
    Ok(())
}

/// Received headers are as bounded as given ones: those parsed elsewhere may be more than our own reader lets pass.
pub(super) fn check_count(headers: &HeaderMap) -> Result<(), HeadError> {
    let limit = HeaderError::MAX_HEADERS;
    if headers.len() > limit { Err(HeadError::TooManyHeaders { limit }) } else { Ok(()) }
}

/// Adds `more` to the few headers that the handshake wrote, but for `reserved` ones: at most
/// [`HeaderError::MAX_HEADERS`], so that the map cannot be full. The caller's setters let none of these
/// pass: they come with what was received and is sent on, as by a proxy, and speak of another connection.
pub(super) fn append_unreserved(headers: &mut HeaderMap, more: &HeaderMap, reserved: &[HeaderName]) {
    for (name, value) in more.iter().filter(|(name, _)| !reserved.contains(name)) {
        headers.append(name, value.clone());
    }
}

/// What the handshake writes into a request, or must not stand in one.
pub(super) const RESERVED: &[HeaderName] = &[
    HOST,
    CONNECTION,
    UPGRADE,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_ACCEPT,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
];
