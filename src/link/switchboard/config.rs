//! What a hub is made of.

use super::HubLimits;
use crate::link::{
    auth::{AuthAdapter, AuthRegistry, NoAuth},
    store::{MemoryStore, Store},
};

/// What a hub is made of.
///
/// ```
/// use wscope::link::{ApiKeys, HubConfig, HubLimits, MemoryStore};
///
/// let config = HubConfig::new()
///     .auth(ApiKeys::new().key("alice", "s3cret"))
///     .store(MemoryStore::new().max_bytes(64 << 20))
///     .limits(HubLimits::new().max_agents(1_000));
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
