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
    proto::{Connection, Role, extension::Transforms},
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
    pub(super) role: Role,
    pub(super) local: Endpoint,
    pub(super) remote: Endpoint,
    /// Path and query.
    pub(super) target: String,
    pub(super) subprotocol: Option<String>,
    /// What the peer sent.
    pub(super) headers: HeaderMap,
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
    ) -> Self {
        let mut core = Connection::new(facts.role, config.protocol());
        if let Some(transforms) = extension {
            core = core.with_transforms(transforms);
        }
        transport.forget_ends(); // they are in `facts`
        let bell = Arc::new(Bell::default());
        let engine = Engine::new(transport, core, unparsed, config.clone(), bell.clone());
        let span = Span::opened(&facts);
        Self {
            engine: Mutex::new(engine),
            bell,
            config,
            facts,
            in_turn: AtomicBool::new(false),
            hooks: AtomicBool::new(true),
            span,
        }
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
