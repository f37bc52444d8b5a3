//! What a hub is made of, and how much of everything it takes.

use std::time::Duration;

use crate::link::{
    auth::{AuthAdapter, AuthRegistry, NoAuth},
    rule::Rate,
    store::{MemoryStore, Store},
};

/// What a hub is made of.
///
/// ```
/// use wscope::link::{ApiKeys, HubConfig, HubLimits, MemoryStore};
///
/// let mut limits = HubLimits::default();
/// limits.agents = 1_000;
/// let config = HubConfig::new()
///     .auth(ApiKeys::new().key("alice", "s3cret"))
///     .store(MemoryStore::new().max_bytes(64 << 20))
///     .limits(limits);
/// # let _ = config;
/// ```
#[derive(Debug)]
pub struct HubConfig {
    pub(crate) auth: AuthRegistry,
    pub(crate) store: Box<dyn Store>,
    pub(crate) limits: HubLimits,
    pub(crate) allow_unauthenticated: bool,
}

impl HubConfig {
    /// No auth, logs in memory, the limits of [`HubLimits`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            auth: AuthRegistry::default(),
            store: Box::new(MemoryStore::new()),
            limits: HubLimits::default(),
            allow_unauthenticated: false,
        }
    }

    /// Takes claims of this scheme too. A hub that is told of none takes `none`, and so trusts everyone.
    #[must_use]
    pub fn auth(mut self, adapter: impl AuthAdapter + 'static) -> Self {
        self.auth.add(Box::new(adapter));
        self
    }

    /// Keeps envelopes there.
    #[must_use]
    pub fn store(mut self, store: impl Store + 'static) -> Self {
        self.store = Box::new(store);
        self
    }

    /// Other limits.
    #[must_use]
    pub fn limits(mut self, limits: HubLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether a hub that takes the scheme `none` may serve where other machines can reach it. Default `false`.
    #[must_use]
    pub fn allow_unauthenticated(mut self, allow: bool) -> Self {
        self.allow_unauthenticated = allow;
        self
    }

    /// With `none` in place of no adapter at all.
    pub(crate) fn completed(mut self) -> Self {
        if self.auth.is_empty() {
            self.auth.add(Box::new(NoAuth::new()));
        }
        self
    }
}

impl Default for HubConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// How much of everything a hub takes. What is over a limit is refused with a code; nothing else suffers from it.
///
/// ```
/// use wscope::link::{Hub, HubLimits};
///
/// let mut limits = HubLimits::default();
/// limits.agents = 1_000;
/// let hub = Hub::builder().limits(limits).build();
/// # let _ = hub;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HubLimits {
    /// Bytes in one message, either way. 1 MiB: AG2's tenants can receive no more, and would be cut off.
    pub message: usize,
    /// Bytes in one message of a connection that holds no agent. 64 KiB.
    pub message_unbound: usize,
    /// How long a connection may take to hold an agent, before it is closed with 1008. 10 s.
    pub binding: Duration,
    /// Refused claims on one connection, before it is closed with 1008. 5.
    pub refusals: usize,
    /// Connections. 65,536; one more is closed with 1013.
    pub endpoints: usize,
    /// Agents. 65,536.
    pub agents: usize,
    /// Agents on one connection. 1,024.
    pub agents_per_endpoint: usize,
    /// Bytes in a passport, a resume, a skill text and a rule, in JSON. 64 KiB each, for each agent.
    pub record: usize,
    /// Bytes in the records of all agents. 256 MiB.
    pub records: usize,
    /// Channels that are not closed, of one agent. 1,024.
    pub channels_per_agent: usize,
    /// Agents in one channel. 256.
    pub participants: usize,
    /// Closed channels that can still be read; the oldest is forgotten first. 4,096.
    pub closed_channels: usize,
    /// How often one agent may post, whatever its rule says. No limit.
    pub rate: Rate,
    /// Bytes of envelopes that one agent has posted and that are still kept. 128 MiB.
    pub posted: usize,
    /// Envelopes that wait for one agent, whatever its rule says. 65,536.
    pub inbox: u64,
    /// How long the invited may take to join. 30 s.
    pub joining: Duration,
    /// Bytes on their way to one connection, beyond which deliveries wait in the log. 256 KiB.
    pub window: usize,
    /// Bytes on their way to one connection, answers included, beyond which it is closed with 1013. 8 MiB.
    pub unsent: usize,
    /// How long a connection may take no byte of what waits for it, before it is closed with 1013. 20 s, as for a ping's pong.
    pub stall: Duration,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            message: 1 << 20,
            message_unbound: 64 << 10,
            binding: Duration::from_secs(10),
            refusals: 5,
            endpoints: 65_536,
            agents: 65_536,
            agents_per_endpoint: 1_024,
            record: 64 << 10,
            records: 256 << 20,
            channels_per_agent: 1_024,
            participants: 256,
            closed_channels: 4_096,
            rate: Rate::default(),
            posted: 128 << 20,
            inbox: 65_536,
            joining: Duration::from_secs(30),
            window: 256 << 10,
            unsent: 8 << 20,
            stall: Duration::from_secs(20),
        }
    }
}

/// What a hub has done, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubStats {
    /// Connections now.
    pub endpoints: usize,
    /// Agents now.
    pub agents: usize,
    /// Agents that are bound to a connection now.
    pub online: usize,
    /// Channels now, closed ones that can still be read included.
    pub channels: usize,
    /// Envelopes taken from tenants.
    pub posted: u64,
    /// Deliveries put on the wire.
    pub notified: u64,
    /// Deliveries acknowledged.
    pub acked: u64,
    /// Deliveries that a tenant could not deal with.
    pub nacked: u64,
    /// Deliveries given up: their time was over, or an inbox full.
    pub given_up: u64,
    /// Requests refused.
    pub refused: u64,
    /// Frames that could not be read.
    pub unreadable: u64,
    /// Turns at which an agent says it failed.
    pub failed_turns: u64,
}
