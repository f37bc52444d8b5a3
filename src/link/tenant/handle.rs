//! The handle of a tenant: how agents come onto its link, and what becomes of the link.

use std::{fmt, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;

use super::{
    agent::Agent,
    config::Habits,
    error::{RequestError, no_id, read},
    memory::Memory,
    shared::Shared,
    stats::TenantStats,
};
use crate::{
    link::{
        auth::Claim,
        frame::ErrorFrame,
        json::Payload,
        link_error::LinkPingError,
        operation::{Operation, Register},
        tenant_link::TenantLink,
    },
    websocket::ConnectionClosed,
};

/// A program that holds agents, over one link to a hub. Cheap to clone; all clones are the same tenant.
///
/// Made by [`open_tenant`](super::open_tenant) and [`connect_tenant`](super::connect_tenant). Every request has a
/// [deadline](super::TenantConfig::request_timeout), ends at once when the link does, and can be dropped: it leaves nothing behind
/// here, while the hub does what it was sent. Requests need not wait for each other: those of several futures are on their way
/// together.
///
/// ```
/// use wscope::{Error, link::{Hub, ListAgents, Passport, connect_tenant}, nursery};
///
/// # fn main() -> Result<(), Error> {
/// wscope::run(nursery(async |n| {
///     let hub = Hub::builder().build();
///     let tenant = connect_tenant(&n, hub.local_link(&n)).await?; // or the URL of a hub elsewhere
///     for name in ["alice", "bob"] {
///         tenant.register(Passport::new(name)).await?;
///     }
///     assert_eq!(tenant.list_agents(ListAgents::default()).await?.len(), 2);
///     tenant.close().await;
///     Ok(())
/// }))
/// # }
/// ```
#[derive(Clone)]
pub struct Tenant {
    pub(super) shared: Arc<Shared>,
}

/// From where a hub repeats deliveries after a hello.
///
/// ```
/// use wscope::link::{Agent, Claim, Since, Tenant};
///
/// async fn back(tenant: &Tenant) -> Result<Agent, wscope::Error> {
///     Ok(tenant.hello("bob", Claim::none(), Since::Unacknowledged).await?)
/// }
/// # let _ = back;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Since {
    /// Nothing is repeated; what was owed stays so until the next hello.
    Nothing,
    /// All that is not acknowledged: the hub's own account is the truth.
    #[default]
    Unacknowledged,
    /// What is not acknowledged and later than this envelope.
    Envelope(String),
}

impl Since {
    pub(super) fn into_field(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Unacknowledged => Some(String::new()),
            Self::Envelope(id) => Some(id),
        }
    }
}

impl Tenant {
    pub(super) fn new(link: TenantLink, habits: Habits) -> Self {
        Self { shared: Arc::new(Shared::new(link, habits)) }
    }

    /// Creates an agent: its name alone does, and so does a [`Passport`](crate::link::Passport), or a [`Register`] with a resume, a skill
    /// text and a rule.
    ///
    /// A dropped call, and one without an answer in time, may have created the agent all the same; [`hello`](Self::hello) then takes it.
    ///
    /// # Errors
    /// [`RequestError`]; a taken name is [`ErrorCode::ProtocolError`](crate::link::ErrorCode::ProtocolError).
    pub async fn register(&self, register: impl Into<Register>) -> Result<Agent, RequestError> {
        let register = register.into();
        let claim = register.passport.auth.claim.clone();
        let operation = Operation::Register(Box::new(register));
        Ok(self.agent_of(self.shared.register(&operation, claim).await?))
    }

    /// Takes an agent that is registered: after a crash, or from another link, which is told that it has lost it.
    ///
    /// A dropped call may have taken it; saying hello again does no harm.
    ///
    /// # Errors
    /// [`RequestError::Refused`] when the name is unknown or the claim is not the hub's.
    pub async fn hello(&self, name: &str, claim: Claim, since: Since) -> Result<Agent, RequestError> {
        let op = "hello";
        let mut passport = self.passport_of(name).await?;
        // By an id it would be found, too; but a hello takes a name.
        name.clone_into(&mut passport.name);
        let memory = Memory::new(passport, claim.clone(), self.shared.habits.remembered);
        let memory = memory.ok_or_else(|| no_id(op))?;
        // Said again on the same link, it is the agent that it was.
        let memory = self.known(&memory.id).unwrap_or_else(|| Arc::new(memory));
        self.shared.hello(&memory, claim.clone(), since).await?;
        memory.claimed(claim);
        Ok(self.agent_of(memory))
    }

    /// Takes an agent over from a link that has ended, with what it remembers: it proves itself as before, and what was handled and
    /// could not be acknowledged is acknowledged now, not handled again. What is not acknowledged is delivered again.
    ///
    /// Handlers of the old link may still run: what they are at is waited for, and not handled beside them.
    ///
    /// A dropped call may have taken the agent over; it can be repeated.
    ///
    /// # Errors
    /// [`RequestError`], as [`hello`](Self::hello).
    pub async fn resume(&self, agent: &Agent) -> Result<Agent, RequestError> {
        self.shared.hello(&agent.memory, agent.memory.claim(), Since::Unacknowledged).await?;
        Ok(self.agent_of(agent.memory.clone()))
    }

    /// Sends any operation, and gives what the hub gives back. A dropped call may have been carried out.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn request(&self, operation: &Operation) -> Result<Payload, RequestError> {
        self.shared.request(operation).await
    }

    /// The hub's id of the link; `None` before the first hello has been answered.
    #[must_use]
    pub fn endpoint_id(&self) -> Option<String> {
        self.shared.link.endpoint_id()
    }

    /// The latest round trip of a ping, those of the keepalive included.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        self.shared.link.latency()
    }

    /// Whether requests can be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shared.link.is_open() && !self.shared.with(|state, _| state.over)
    }

    /// How the link ended; `None` while it is open.
    #[must_use]
    pub fn closed(&self) -> Option<ConnectionClosed> {
        self.shared.closed()
    }

    /// The round trip to the hub's side of the link, however busy the hub is. Bounded by the connection's
    /// [`ping_timeout`](crate::ConnectionConfig::ping_timeout). Cancel-safe.
    ///
    /// # Errors
    /// [`LinkPingError`].
    pub async fn ping(&self) -> Result<Duration, LinkPingError> {
        self.shared.link.ping().await
    }

    /// Closes the link with 1000, after what was sent, and says how it ended; within the connection's
    /// [`close_timeout`](crate::ConnectionConfig::close_timeout). Whoever waits for an answer is told. A dropped call has closed all the
    /// same.
    pub async fn close(&self) -> Option<ConnectionClosed> {
        self.shared.link.close().await
    }

    /// What it has done so far, and what it holds. O(agents).
    #[must_use]
    pub fn stats(&self) -> TenantStats {
        self.shared.stats()
    }

    /// The last error of the hub that answered no hello: a frame that it could not read, an agent that another link has taken.
    #[must_use]
    pub fn last_error(&self) -> Option<ErrorFrame> {
        self.shared.last_error()
    }

    /// Asks, and reads the answer into a type.
    pub(super) async fn ask<T: DeserializeOwned>(&self, operation: &Operation) -> Result<T, RequestError> {
        read(operation.op(), &self.shared.request(operation).await?)
    }

    fn agent_of(&self, memory: Arc<Memory>) -> Agent {
        Agent { tenant: self.clone(), memory }
    }

    fn known(&self, agent: &str) -> Option<Arc<Memory>> {
        self.shared.with(|state, _| state.member(agent).map(|member| member.memory.clone()))
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("link", &self.shared.link)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
