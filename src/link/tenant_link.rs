//! A tenant's end of a link to a hub: frames both ways, over a WebSocket or within the process.
//!
//! A link is opened once. It does not reconnect: whoever wants to go on makes another one, and says hello on it.

use std::{fmt, sync::Arc, time::Duration};

use futures::{Stream, stream};

use super::{
    endpoint::LinkEndpoint,
    frame::Frame,
    line::{Hangup, Line, Opening, Wire},
    link_error::{LinkError, LinkPingError, NextFrameError, SendFrameError},
    local::LocalLink,
};
use crate::{
    scope::Nursery,
    websocket::{
        ClientConfig, CloseCode, ConnectionClosed, ConnectionConfig, DisconnectionTimeout, HandshakeError,
        Message, PingError, connect_websocket, open_websocket,
    },
};

/// A link to a hub, from the tenant's side: what AG2 calls `WsLinkClient`. Cheap to clone; all clones are the same link.
///
/// It moves frames and knows nothing of agents; a [`Tenant`](super::Tenant) does.
///
/// ```no_run
/// use std::time::Duration;
/// use wscope::link::{Frame, Hello, TenantLink, open_link};
///
/// # async fn f() -> Result<(), wscope::Error> {
/// let link = TenantLink::new("wss://hub.example.com/")?.open_timeout(Duration::from_secs(3));
/// open_link(link, async |link| {
///     link.send_frame(&Frame::Hello(Hello::new("alice"))).await?;
///     while let Some(frame) = link.next_frame().await? {
///         println!("{frame:?} at {:?}", link.endpoint_id());
///     }
///     Ok(())
/// })
/// .await
/// # }
/// ```
#[derive(Clone)]
pub struct TenantLink {
    to: Option<ClientConfig>,
    connection: ConnectionConfig,
    line: Line,
}

impl TenantLink {
    /// 1 MiB: AG2's hub takes no larger message, and would close the link.
    pub const MAX_FRAME: usize = 1 << 20;

    /// A link to the hub at this URL, with the defaults that stand at [`ping_interval`](Self::ping_interval),
    /// [`ping_timeout`](Self::ping_timeout) and [`open_timeout`](Self::open_timeout).
    ///
    /// # Errors
    /// [`LinkError::Handshake`] when `url` is no `ws` or `wss` URL.
    pub fn new(url: &str) -> Result<Self, LinkError> {
        Ok(Self::made(Some(ClientConfig::new(url)?), Line::unopened()))
    }

    fn made(to: Option<ClientConfig>, line: Line) -> Self {
        Self { to, connection: ConnectionConfig::new(), line }
    }

    /// Whom to trust, and who we are. Default: the system's roots, and nobody.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: crate::websocket::TlsConfig) -> Self {
        self.to = self.to.map(|to| to.tls(tls));
        self
    }

    /// Offers compression to the hub; AG2's agrees to it. Default: off.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, compression: impl Into<crate::websocket::Compression>) -> Self {
        self.to = self.to.map(|to| to.compression(compression));
        self
    }

    /// Time between two pings. Default [`KEEPALIVE_INTERVAL`](ConnectionConfig::KEEPALIVE_INTERVAL); `None` is off.
    #[must_use]
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.connection = self.connection.keepalive_interval(interval);
        self
    }

    /// Time in which something has to come after a ping, or the link is given up. Default
    /// [`KEEPALIVE_TIMEOUT`](ConnectionConfig::KEEPALIVE_TIMEOUT); `None` is off.
    #[must_use]
    pub fn ping_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connection = self.connection.keepalive_timeout(limit);
        self
    }

    /// Time for all of opening. Default [`CONNECT_TIMEOUT`](ClientConfig::CONNECT_TIMEOUT); `None` is off.
    #[must_use]
    pub fn open_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        let limit = limit.into();
        self.to = self.to.map(|to| to.connect_timeout(limit));
        self
    }

    /// Other limits and habits of the connection, in place of all that was set before.
    #[must_use]
    pub fn connection(mut self, config: ConnectionConfig) -> Self {
        self.connection = config;
        self
    }

    /// Opens the link in a nursery: it is closed when the nursery ends, with 1001, unless it is [closed](Self::close) before. Bounded by
    /// [`open_timeout`](Self::open_timeout).
    ///
    /// Cancel-safe: a dropped call leaves a link that can be opened.
    ///
    /// # Errors
    /// [`LinkError::AlreadyOpened`], also when the link is closed by now; [`LinkError::Handshake`], after which it may be tried
    /// again.
    ///
    /// # Panics
    /// When the nursery has finished.
    pub async fn open<E: Send>(&self, nursery: &Nursery<'_, E>) -> Result<(), LinkError> {
        let (opening, prepared) = self.line.begin()?;
        let wire = match (prepared, self.target()) {
            (Some(endpoint), _) => {
                let wire = Wire::local(endpoint);
                let guard = Hangup(wire.clone());
                nursery.start_service(async move {
                    let _guard = guard;
                    std::future::pending().await
                });
                wire
            }
            (None, Some(to)) => Wire::websocket(connect_websocket(nursery, to).await?),
            (None, None) => return Err(LinkError::AlreadyOpened),
        };
        opening.done(wire);
        Ok(())
    }

    /// Sends a frame: queued, in order, once there is room; without a timeout of its own. Cancel-safe: a dropped call has sent nothing, or all.
    ///
    /// # Errors
    /// [`SendFrameError`], which names the frame by its kind. Nothing was sent.
    pub async fn send_frame(&self, frame: &Frame) -> Result<(), SendFrameError> {
        let kind = frame.kind();
        let wire = self.wire().ok_or(SendFrameError::NotOpen { kind })?;
        let text = frame.encode();
        let (size, limit) = (text.len(), Self::MAX_FRAME);
        if size > limit {
            return Err(SendFrameError::TooLarge { kind, size, limit });
        }
        let sent = wire.endpoint.send(text).await;
        sent.map_err(|error| SendFrameError::Closed { kind, closed: error.closed })
    }

    /// Waits for the next frame, without a timeout; `None` when the link was closed as it should be, with 1000 or 1001. Cancel-safe: a
    /// dropped call takes no frame along.
    ///
    /// # Errors
    /// [`NextFrameError`]. After an unreadable frame the link goes on, and so can you.
    pub async fn next_frame(&self) -> Result<Option<Frame>, NextFrameError> {
        let wire = self.wire().ok_or(NextFrameError::NotOpen)?;
        let Some(message) = wire.endpoint.receive().await? else { return Ok(None) };
        let frame = match &message {
            Message::Text(text) => Frame::decode(text.as_str())?,
            // AG2 reads these, too.
            Message::Binary(bytes) => {
                Frame::decode(str::from_utf8(bytes).map_err(|_| NextFrameError::NotUtf8)?)?
            }
        };
        if let Frame::Welcome(welcome) = &frame {
            wire.endpoint_id.get_or_init(|| welcome.endpoint_id.clone());
        }
        Ok(Some(frame))
    }

    /// Frames as a [`Stream`], which ends where [`next_frame`](Self::next_frame) says `None`, and after the error that says how the
    /// link ended.
    ///
    /// ```no_run
    /// use futures::StreamExt;
    /// # async fn f(link: &wscope::link::TenantLink) {
    /// let mut frames = link.frames();
    /// while let Some(frame) = frames.next().await {
    ///     match frame {
    ///         Ok(frame) => println!("{}", frame.kind()),
    ///         Err(error) => eprintln!("{error}"), // if that was an unreadable one, others follow
    ///     }
    /// }
    /// # }
    /// ```
    pub fn frames(&self) -> impl Stream<Item = Result<Frame, NextFrameError>> + Unpin + Send + use<> {
        Box::pin(stream::unfold(Some(self.clone()), async |link| {
            let link = link?;
            match link.next_frame().await {
                Ok(Some(frame)) => Some((Ok(frame), Some(link))),
                Ok(None) => None,
                Err(NextFrameError::NotOpen) => Some((Err(NextFrameError::NotOpen), None)),
                Err(NextFrameError::Closed(closed)) => Some((Err(NextFrameError::Closed(closed)), None)),
                Err(error @ (NextFrameError::NotUtf8 | NextFrameError::Unreadable(_))) => {
                    Some((Err(error), Some(link)))
                }
            }
        }))
    }

    /// Closes with 1000, after what was sent, and says how the link ended; when it is closed already, only says it. `None` when it
    /// was never open. Within the connection's [`close_timeout`](ConnectionConfig::close_timeout). A dropped call has closed all the same.
    pub async fn close(&self) -> Option<ConnectionClosed> {
        Some(self.wire()?.endpoint.close(CloseCode::NORMAL_CLOSURE).await)
    }

    /// The hub's id of the link; `None` before the first welcome.
    #[must_use]
    pub fn endpoint_id(&self) -> Option<String> {
        self.wire()?.endpoint_id.get().cloned()
    }

    /// Whether frames can be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.wire().is_some_and(|wire| wire.endpoint.closed().is_none())
    }

    /// How the link ended, or is ending: code, reason, and who was first. `None` before it was opened, and while it is open.
    #[must_use]
    pub fn closed(&self) -> Option<ConnectionClosed> {
        self.wire()?.endpoint.closed()
    }

    /// The round trip of a WebSocket ping, which the hub's side answers however busy the hub is. Zero within the process. Cancel-safe.
    ///
    /// # Errors
    /// [`LinkPingError`]: the link is not open, or no pong came.
    pub async fn ping(&self) -> Result<Duration, LinkPingError> {
        let wire = self.wire().ok_or(LinkPingError::NotOpen)?;
        match (&wire.ws, wire.endpoint.closed()) {
            (Some(ws), _) => Ok(ws.ping(None).await?),
            (None, Some(closed)) => Err(PingError::Closed(closed).into()),
            (None, None) => Ok(Duration::ZERO),
        }
    }

    /// The latest round trip of a ping, those of the keepalive included; `None` before the first, and within the process.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        self.wire()?.ws.as_ref()?.latency()
    }

    /// Both sides of a round trip know what is theirs: a text that is a frame already.
    pub(super) async fn send_text(&self, text: String) -> Result<(), Option<ConnectionClosed>> {
        let wire = self.wire().ok_or(None)?;
        wire.endpoint.send(text).await.map_err(|error| Some(error.closed))
    }

    /// The hub, for errors.
    pub(super) fn peer(&self) -> String {
        self.wire().map(|wire| wire.endpoint.peer()).unwrap_or_default()
    }

    fn target(&self) -> Option<ClientConfig> {
        self.to.clone().map(|to| to.connection(self.connection.clone()))
    }

    fn wire(&self) -> Option<Arc<Wire>> {
        self.line.wire()
    }
}

impl From<LinkEndpoint> for TenantLink {
    /// A link that is connected already, and only has to be [opened](Self::open).
    fn from(endpoint: LinkEndpoint) -> Self {
        Self::made(None, Line::prepared(endpoint))
    }
}

impl From<LocalLink> for TenantLink {
    fn from(link: LocalLink) -> Self {
        LinkEndpoint::from(link).into()
    }
}

impl fmt::Debug for TenantLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantLink")
            .field("to", &self.to.as_ref().map(ClientConfig::uri))
            .field("is_open", &self.is_open())
            .field("closed", &self.closed())
            .finish_non_exhaustive()
    }
}

/// A [`TenantLink`], or what becomes one: a URL, or an end within the process.
///
/// ```
/// use wscope::link::{IntoTenantLink, LinkError, LocalLink};
///
/// let (tenant, _hub) = LocalLink::pair();
/// for link in [tenant.into_tenant_link()?, "ws://127.0.0.1:8765/".into_tenant_link()?] {
///     assert!(!link.is_open()); // it has yet to be opened
/// }
/// assert!("http://127.0.0.1/".into_tenant_link().is_err());
/// # Ok::<(), LinkError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` leads to no hub",
    note = "take a URL such as \"ws://127.0.0.1:8765/\", a `TenantLink`, or `hub.local_link(&nursery)` for a hub in this process"
)]
pub trait IntoTenantLink {
    /// Makes it.
    ///
    /// # Errors
    /// [`LinkError::Handshake`] when it is no `ws` or `wss` URL.
    fn into_tenant_link(self) -> Result<TenantLink, LinkError>;
}

impl IntoTenantLink for TenantLink {
    fn into_tenant_link(self) -> Result<TenantLink, LinkError> {
        Ok(self)
    }
}

impl IntoTenantLink for LocalLink {
    fn into_tenant_link(self) -> Result<TenantLink, LinkError> {
        Ok(self.into())
    }
}

impl IntoTenantLink for LinkEndpoint {
    fn into_tenant_link(self) -> Result<TenantLink, LinkError> {
        Ok(self.into())
    }
}

impl IntoTenantLink for &str {
    fn into_tenant_link(self) -> Result<TenantLink, LinkError> {
        TenantLink::new(self)
    }
}

impl IntoTenantLink for String {
    fn into_tenant_link(self) -> Result<TenantLink, LinkError> {
        TenantLink::new(&self)
    }
}

impl IntoTenantLink for &String {
    fn into_tenant_link(self) -> Result<TenantLink, LinkError> {
        TenantLink::new(self)
    }
}

/// Opens a link, runs `body` with it, and closes it: with 1000 when `body` returned a value, with 1011 when it returned an error or
/// panicked, with 1001 when this is cancelled or dropped.
///
/// ```
/// use wscope::link::{LinkEndpoint, Frame, LocalLink, open_link};
///
/// # wscope::run(async {
/// let (tenant, hub) = LocalLink::pair();
/// let hub = LinkEndpoint::from(hub);
/// open_link(tenant, async |link| {
///     link.send_frame(&Frame::Ping).await?;
///     Ok::<(), wscope::Error>(())
/// })
/// .await?;
/// assert_eq!(hub.receive().await?.unwrap().as_text(), Some(r#"{"kind": "ping"}"#));
/// assert_eq!(hub.closed().unwrap().code(), 1000);
/// # Ok::<(), wscope::Error>(())
/// # })?;
/// # Ok::<(), wscope::Error>(())
/// ```
///
/// # Errors
/// [`LinkError`] when there is no link, or the hub did not answer the close frame in time; the error of `body`.
pub async fn open_link<T, E, F, B>(to: impl IntoTenantLink, body: F) -> Result<T, E>
where
    F: FnOnce(TenantLink) -> B,
    B: Future<Output = Result<T, E>>,
    E: From<LinkError>,
{
    let link = to.into_tenant_link()?;
    let (opening, prepared) = link.line.begin()?;
    let outcome = match (prepared, link.target()) {
        (Some(endpoint), _) => within(endpoint, opening, &link, body).await.map_err(Left::Body),
        (None, Some(to)) => {
            open_websocket(to, async |ws| {
                opening.done(Wire::websocket(ws));
                body(link.clone()).await.map_err(Left::Body)
            })
            .await
        }
        (None, None) => Err(Left::Link(LinkError::AlreadyOpened)),
    };
    outcome.map_err(|left| match left {
        Left::Link(error) => error.into(),
        Left::Body(error) => error,
    })
}

/// The block of a link within the process.
async fn within<T, E, F, B>(
    endpoint: LinkEndpoint,
    opening: Opening,
    link: &TenantLink,
    body: F,
) -> Result<T, E>
where
    F: FnOnce(TenantLink) -> B,
    B: Future<Output = Result<T, E>>,
{
    let wire = Wire::local(endpoint);
    let _hangup = Hangup(wire.clone());
    opening.done(wire.clone());
    let outcome = body(link.clone()).await;
    let code = if outcome.is_ok() { CloseCode::NORMAL_CLOSURE } else { CloseCode::INTERNAL_ERROR };
    wire.endpoint.close(code).await;
    outcome
}

/// How a block was left without a value.
enum Left<E> {
    Link(LinkError),
    Body(E),
}

impl<E> From<HandshakeError> for Left<E> {
    fn from(error: HandshakeError) -> Self {
        Self::Link(error.into())
    }
}

impl<E> From<DisconnectionTimeout> for Left<E> {
    fn from(error: DisconnectionTimeout) -> Self {
        Self::Link(error.into())
    }
}
