//! The handle of a hub: serve, attach, drain; and what an operator asks.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::Rng;

use super::{Contained, Fuse, attachment::Attachment, exchange::Exchange};
use crate::{
    link::{
        endpoint::LinkEndpoint,
        local::LocalLink,
        record::Passport,
        switchboard::{HubConfig, HubStats, Switchboard},
    },
    runtime::sync::lock,
    scope::{Nursery, move_on_after},
    websocket::{
        self, Accept, BoxError, ConnectionClosed, ConnectionConfig, MessageDelivery, ServerHandle,
        WebSocketRequest, WebSocketServer,
    },
};

/// A hub: it knows agents by name, opens channels between them, and delivers each envelope until it is acknowledged. Cheap to
/// clone; all clones are the same hub.
///
/// It has no task of its own. Each link is served by the future that [attached](Self::attach) it, and when that is dropped the
/// hub goes on without the link.
///
/// ```
/// use wscope::{Error, WebSocketServer, link::{ApiKeys, Hub}, nursery};
///
/// # fn main() -> Result<(), Error> {
/// wscope::run(nursery(async |n| {
///     let hub = Hub::builder().auth(ApiKeys::new().key("alice", "s3cret")).build();
///     let server = WebSocketServer::bind("127.0.0.1:0").await?;
///     let serving = hub.serve(server)?;
///     n.start_service(async {
///         serving.await;
///         Ok(())
///     });
///     let here = hub.local_link(&n); // a tenant in this process
///     here.send(r#"{"kind": "ping"}"#).await?;
///     assert_eq!(here.receive().await?.unwrap().as_text(), Some(r#"{"kind": "pong"}"#));
///     Ok(())
/// }))
/// # }
/// ```
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    exchange: Exchange,
    stall: Duration,
    /// Most that a message may have before its connection is closed for it.
    max_message_size: usize,
    /// Anyone may use any name, and that was not said to be meant so.
    is_open: bool,
    servers: Mutex<Servers>,
}

#[derive(Default)]
struct Servers {
    running: Vec<ServerHandle>,
    drained: bool,
}

/// An agent, as the operator sees it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AgentInfo {
    /// What it says of itself, without its claim.
    pub passport: Passport,
    /// Whether a connection holds it.
    pub online: bool,
}

/// A hub that trusts everyone was to serve where other machines can reach it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a hub without authentication does not serve {endpoint}, where anyone could use any name; see `allow_unauthenticated`"
)]
#[non_exhaustive]
pub struct Exposed {
    /// Where that was.
    pub endpoint: websocket::Endpoint,
}

websocket::reported!(Exposed);

impl HubConfig {
    /// Makes the hub.
    #[must_use]
    pub fn build(self) -> Hub {
        let mut config = self.completed();
        let is_open = config.auth.trusts_everyone() && !config.allow_unauthenticated;
        let (stall, limit) = (config.limits.stall_timeout, config.limits.max_message_size);
        let fuse = Fuse::default();
        config.auth = config.auth.wrap(|adapter| Box::new(Contained::new(adapter, fuse.clone())));
        config.store = Box::new(Contained::new(config.store, fuse.clone()));
        let mut seed = [0; 32];
        rand::rng().fill_bytes(&mut seed);
        Hub(Arc::new(Shared {
            exchange: Exchange::new(Switchboard::new(config, seed), fuse),
            stall,
            max_message_size: limit.saturating_mul(OVERSIZE),
            is_open,
            servers: Mutex::default(),
        }))
    }
}

impl Hub {
    /// What a hub is made of; [`build`](HubConfig::build) makes it.
    #[must_use]
    pub fn builder() -> HubConfig {
        HubConfig::new()
    }

    /// Serves everyone who connects to `server`, at any path, until the hub has been [drained](Self::drain) or the server
    /// [stopped](ServerHandle::stop).
    ///
    /// Of the server's [configuration](WebSocketServer::config) all holds but the size of messages, which is the hub's affair: one over
    /// the limit is read to its end and answered with `too_large`, and the connection goes on. One of more than sixteen
    /// times the limit is not worth the reading: its connection is closed with 1009 as soon as its header has come.
    ///
    /// When the future is dropped, all connections are closed with 1001.
    ///
    /// # Errors
    /// At once, [`Exposed`] when the hub takes the scheme `none` and the server listens where other machines can reach it, unless that is
    /// [allowed](HubConfig::allow_unauthenticated).
    pub fn serve(&self, server: WebSocketServer) -> Result<impl Future<Output = ()> + Send + use<>, Exposed> {
        let exposed = |endpoint: &websocket::Endpoint| {
            endpoint.address().is_some_and(|address| !address.ip().to_canonical().is_loopback())
        };
        if let Some(endpoint) = server.endpoints().into_iter().find(exposed).filter(|_| self.0.is_open) {
            return Err(Exposed { endpoint });
        }
        let server = server.change_connections(|config: ConnectionConfig| {
            config.delivery(MessageDelivery::Pieces).max_message_size(self.0.max_message_size)
        });
        let hub = self.clone();
        Ok(async move {
            let _running = Running::begin(&hub.0, server.handle());
            let guests = hub.clone();
            server
                .run(move |request: WebSocketRequest| {
                    let hub = guests.clone();
                    async move {
                        // In a box, so that its room is free again for as long as the link lasts.
                        let ws = Box::pin(request.accept(Accept::new())).await?;
                        hub.attach(ws).await;
                        Ok::<(), BoxError>(())
                    }
                })
                .await;
        })
    }

    /// Serves one link until it has ended, and says how that was.
    ///
    /// ```
    /// use wscope::{Error, link::{Hub, LocalLink, Passport, open_tenant}, nursery};
    ///
    /// # fn main() -> Result<(), Error> {
    /// wscope::run(nursery(async |n| {
    ///     let hub = Hub::builder().build();
    ///     let (tenant, end) = LocalLink::pair(); // a WebSocketConnection is attached in the same way
    ///     n.start_service(async move {
    ///         println!("{}", hub.attach(end).await);
    ///         Ok(())
    ///     });
    ///     open_tenant(tenant, async |tenant| Ok(drop(tenant.register(Passport::new("alice")).await?))).await
    /// }))
    /// # }
    /// ```
    ///
    /// A dropped call makes the hub forget the link, and the peer is told 1001.
    pub async fn attach(&self, endpoint: impl Into<LinkEndpoint>) -> ConnectionClosed {
        Attachment::new(&self.0.exchange, endpoint.into(), self.0.stall).serve().await
    }

    /// A link to the hub within this process, served by a service of nursery `n`. Gives the tenant's end.
    ///
    /// # Panics
    /// When the nursery has finished.
    pub fn local_link<'env, E>(&self, n: &Nursery<'env, E>) -> LinkEndpoint
    where
        E: Send + 'env,
    {
        let (tenant, end) = LocalLink::pair();
        let hub = self.clone();
        n.start_service(async move {
            hub.attach(end).await;
            Ok(())
        });
        tenant.into()
    }

    /// Closes the hub: takes no more links and no more requests, sends what is on its way, and closes each link with 1001
    /// once that has left, at the latest after `limit`; closing takes the time for a close frame and its answer on top. Servers end then.
    ///
    /// A dropped call goes on all the same, but for the end of the servers. A hub that was drained stays so.
    pub async fn drain(&self, limit: Duration) {
        self.0.exchange.input(|board, now| board.drain(now.after(limit), now));
        move_on_after(limit.saturating_add(CLOSING), self.0.exchange.empty()).await;
        let servers = {
            let mut servers = lock(&self.0.servers);
            servers.drained = true;
            std::mem::take(&mut servers.running)
        };
        servers.iter().for_each(ServerHandle::stop);
    }

    /// All agents, in the order of registration.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentInfo> {
        let info = |(passport, online): (&Passport, bool)| AgentInfo { passport: passport.clone(), online };
        self.0.exchange.look(|board| board.agents().map(info).collect())
    }

    /// Closes, with 1008, the link that holds the agent of this name or id; `false` when there is none.
    pub fn kick(&self, name_or_id: &str) -> bool {
        self.0.exchange.input(|board, now| board.kick(name_or_id, now))
    }

    /// What the hub has done, and what it holds. O(agents).
    #[must_use]
    pub fn stats(&self) -> HubStats {
        self.0.exchange.look(Switchboard::stats)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// A server that a drain has to stop.
struct Running<'a> {
    shared: &'a Shared,
    handle: ServerHandle,
}

impl<'a> Running<'a> {
    fn begin(shared: &'a Shared, handle: ServerHandle) -> Self {
        let mut servers = lock(&shared.servers);
        if servers.drained {
            handle.stop();
        } else {
            servers.running.push(handle.clone());
        }
        drop(servers);
        Self { shared, handle }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.shared.servers).running.retain(|running| !running.is_same(&self.handle));
    }
}

/// Of the limit for messages: what is larger is not even read to be refused.
const OVERSIZE: usize = 16;

/// What closing handshakes may take when a hub is drained.
const CLOSING: Duration = ConnectionConfig::CLOSE_TIMEOUT.saturating_add(ConnectionConfig::DRAIN_TIMEOUT);
