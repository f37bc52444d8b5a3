//! Where a tenant connects to, and its habits.

use std::time::Duration;

use crate::link::{
    link_error::LinkError,
    tenant_link::{IntoTenantLink, TenantLink},
};

/// Where a tenant connects to, and its habits. A URL alone does where nothing else is to be said.
///
/// ```
/// use std::time::Duration;
/// use wscope::link::{InvitePolicy, TenantConfig, TenantLink};
///
/// let link = TenantLink::new("wss://hub.example.com/")?.ping_interval(Duration::from_secs(10));
/// let config = TenantConfig::new(link)?
///     .request_timeout(Duration::from_secs(5))
///     .invites(InvitePolicy::Ask)
///     .max_handlers(16);
/// # let _ = config;
/// # Ok::<(), wscope::link::LinkError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TenantConfig {
    pub(super) link: TenantLink,
    pub(super) habits: Habits,
}

/// What a tenant does, whatever the link.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    pub(super) request_timeout: Option<Duration>,
    pub(super) invites: InvitePolicy,
    pub(super) max_handlers: usize,
    pub(super) inbox: usize,
    pub(super) remembered: usize,
}

/// What is done with invites to channels.
///
/// ```
/// use wscope::link::{InvitePolicy, TenantConfig};
///
/// let config = TenantConfig::new("ws://127.0.0.1:8765/")?.invites(InvitePolicy::Ask);
/// # let _ = config;
/// # Ok::<(), wscope::link::LinkError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvitePolicy {
    /// Each is accepted, and the handler is not asked; it sees the opening of the channel.
    #[default]
    Accept,
    /// The handler gets the invite as a delivery, and accepts or rejects it. One that does neither lets it run out.
    Ask,
}

impl TenantConfig {
    /// 30 s, as AG2's.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
    /// 30 s: the time that a hub gives the invited to join.
    pub const JOIN_TIMEOUT: Duration = Duration::from_secs(30);
    /// 64 handlers of one agent at a time.
    pub const MAX_HANDLERS: usize = 64;
    /// 8 MiB: a thousand deliveries of 8 KiB, and hubs seldom owe an agent more than a thousand.
    pub const INBOX: usize = 8 << 20;
    /// 4,096 envelopes: four times what a hub owes an agent by default, so what comes twice is known.
    pub const REMEMBERED: usize = 4_096;

    /// The defaults.
    ///
    /// # Errors
    /// [`LinkError::Handshake`] when `to` is no `ws` or `wss` URL.
    pub fn new(to: impl IntoTenantLink) -> Result<Self, LinkError> {
        let habits = Habits {
            request_timeout: Some(Self::REQUEST_TIMEOUT),
            invites: InvitePolicy::default(),
            max_handlers: Self::MAX_HANDLERS,
            inbox: Self::INBOX,
            remembered: Self::REMEMBERED,
        };
        Ok(Self { link: to.into_tenant_link()?, habits })
    }

    /// Time for a request, from its call to its answer. Default [`REQUEST_TIMEOUT`](Self::REQUEST_TIMEOUT); `None` is off.
    /// `create_channel` has [`JOIN_TIMEOUT`](Self::JOIN_TIMEOUT) more, since it waits for those who are invited, and each name that it
    /// looks up before is a request.
    #[must_use]
    pub fn request_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.habits.request_timeout = limit.into();
        self
    }

    /// What is done with invites. Default: accepted.
    #[must_use]
    pub fn invites(mut self, policy: InvitePolicy) -> Self {
        self.habits.invites = policy;
        self
    }

    /// How many handlers of one agent run at a time, each for another channel. Default [`MAX_HANDLERS`](Self::MAX_HANDLERS); at least one.
    #[must_use]
    pub fn max_handlers(mut self, handlers: usize) -> Self {
        self.habits.max_handlers = handlers.max(1);
        self
    }

    /// Bytes of deliveries that wait for the handlers of one agent, each counting somewhat more than its data. Default
    /// [`INBOX`](Self::INBOX). What comes beyond it is put down, and asked for again when there is room.
    #[must_use]
    pub fn inbox(mut self, bytes: usize) -> Self {
        self.habits.inbox = bytes;
        self
    }

    /// How many envelopes are remembered as handled for each agent, at some dozens of bytes each. Default
    /// [`REMEMBERED`](Self::REMEMBERED). It should be more than the hub lets wait for one agent.
    #[must_use]
    pub fn remembered(mut self, envelopes: usize) -> Self {
        self.habits.remembered = envelopes;
        self
    }
}

/// A [`TenantConfig`], or what becomes one: whatever becomes a link.
///
/// ```
/// use wscope::link::{IntoTenantConfig, LinkError, LocalLink};
///
/// let (tenant, _hub) = LocalLink::pair();
/// let configs = [tenant.into_tenant_config()?, "ws://127.0.0.1:8765/".into_tenant_config()?];
/// let same = configs.map(IntoTenantConfig::into_tenant_config).map(|config| config.is_ok());
/// assert_eq!(same, [true, true]);
/// # Ok::<(), LinkError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` leads to no hub",
    note = "take a URL such as \"ws://127.0.0.1:8765/\", a `TenantLink`, a `TenantConfig`, or `hub.local_link(&nursery)` for a hub in this process"
)]
pub trait IntoTenantConfig {
    /// Makes it.
    ///
    /// # Errors
    /// [`LinkError::Handshake`] when it is no `ws` or `wss` URL.
    fn into_tenant_config(self) -> Result<TenantConfig, LinkError>;
}

impl IntoTenantConfig for TenantConfig {
    fn into_tenant_config(self) -> Result<TenantConfig, LinkError> {
        Ok(self)
    }
}

impl<L: IntoTenantLink> IntoTenantConfig for L {
    fn into_tenant_config(self) -> Result<TenantConfig, LinkError> {
        TenantConfig::new(self)
    }
}
