//! What all handles of a connection, and its driver, have in common.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use http::HeaderMap;

use super::{ConnectionConfig, Endpoint, after::After, bell::Bell, engine::Engine, span::Span};
use crate::{
    proto::{Connection, Role, WebSocketUri, extension::Transforms},
    runtime::{Transport, sync::lock},
};

pub(super) struct Shared {
    engine: Mutex<Engine>,
    pub(super) bell: Arc<Bell>,
    pub(super) config: Arc<ConnectionConfig>,
    pub(super) facts: Facts,
    /// The task that has the driver is being polled, and the driver's turn comes at the end of it. Set outside of the lock,
    /// cleared under it: who sees it set there can rely on that turn.
    in_turn: AtomicBool,
    /// No hook has panicked.
    hooks: AtomicBool,
    pub(super) span: Span,
}

/// What does not change any more.
pub(super) struct Facts {
    pub(super) id: ConnectionId,
    pub(super) local: Endpoint,
    pub(super) remote: Endpoint,
    pub(super) resource: Resource,
    pub(super) subprotocol: Option<Box<str>>,
    /// What the peer sent.
    pub(super) headers: HeaderMap,
}

impl Facts {
    /// Whom errors name: a server by its URL without userinfo and query, a client by where it is. Made when there is an error:
    /// nothing is kept for it.
    pub(super) fn peer(&self) -> String {
        match self.id.role {
            Role::Client => self.resource.redacted(),
            Role::Server => self.remote.client(),
        }
    }
}

/// What the client asked for (RFC 6455 §3). A client has the whole URL, without userinfo; a server has what a request line tells it.
pub(super) struct Resource {
    url: Box<str>,
    /// Where path and query begin: `target <= url.len()`.
    target: usize,
}

impl Resource {
    pub(super) fn of_server(uri: &WebSocketUri) -> Self {
        let url = uri.to_string();
        Self { target: url.len() - uri.target().len(), url: url.into() }
    }

    pub(super) fn by_client(target: &str) -> Self {
        Self { url: target.into(), target: 0 }
    }

    /// Path and query.
    pub(super) fn target(&self) -> &str {
        &self.url[self.target..]
    }

    /// Without the query, which may hold credentials: as [`WebSocketUri::redacted`] has it.
    fn redacted(&self) -> String {
        match self.url.split_once('?') {
            Some((url, _)) => format!("{url}?..."),
            None => self.url.to_string(),
        }
    }
}

/// Tells the connections of a process apart; as text `client-7` or `server-7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    role: Role,
    number: u64,
}

impl ConnectionId {
    /// The next one.
    pub(super) fn next(role: Role) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { role, number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    pub(super) const fn role(self) -> Role {
        self.role
    }

    /// The number alone: unique in this process, clients and servers together.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.role {
            Role::Client => write!(f, "client-{}", self.number),
            Role::Server => write!(f, "server-{}", self.number),
        }
    }
}

impl Shared {
    pub(super) fn new(
        mut transport: Transport,
        extension: Option<Transforms>,
        unparsed: Vec<u8>,
        config: Arc<ConnectionConfig>,
        facts: Facts,
    ) -> Arc<Self> {
        let mut core = Connection::new(facts.id.role, config.protocol());
        if let Some(transforms) = extension {
            core = core.with_transforms(transforms);
        }
        transport.forget_ends(); // they are in `facts`
        let bell = Arc::new(Bell::default());
        let span = Span::opened(&facts);
        Arc::new_cyclic(|this| Self {
            engine: Mutex::new(Engine::new(
                transport,
                core,
                unparsed,
                this.clone(),
                config.clone(),
                bell.clone(),
            )),
            bell,
            config,
            facts,
            in_turn: AtomicBool::new(false),
            hooks: AtomicBool::new(true),
            span,
        })
    }

    /// Collect under the lock, unlock, act.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Engine, &mut After) -> R) -> R {
        let mut after = After::default();
        let outcome = act(&mut lock(&self.engine), &mut after);
        after.act(&self.config, &self.hooks);
        outcome
    }

    /// As [`with`](Self::with), for what leaves work: somebody will see to it.
    pub(super) fn work<R>(&self, act: impl FnOnce(&mut Engine, &mut After) -> R) -> R {
        self.with(|engine, after| {
            let outcome = act(engine, after);
            engine.call_driver(self.in_turn.load(Ordering::Relaxed), after);
            outcome
        })
    }

    pub(super) fn begin_turn(&self) {
        self.in_turn.store(true, Ordering::Relaxed);
    }

    /// To be called under the lock.
    pub(super) fn end_turn(&self) {
        self.in_turn.store(false, Ordering::Relaxed);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketConnection")
            .field("id", &format_args!("{}", self.facts.id))
            .field("local", &self.facts.local)
            .field("remote", &self.facts.remote)
            .finish_non_exhaustive()
    }
}
