//! Agents of our tenant on AG2's hub, and what they hear.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::{StreamExt, channel::mpsc, lock};
use wscope::{
    Error, Nursery, fail_after,
    link::{
        Agent, Channel, ChannelType, Claim, Delivery, Envelope, ErrorCode, InvitePolicy, Passport,
        RequestError, Tenant, TenantConfig, TenantLink, connect_tenant,
    },
    websocket::Compression,
};

pub(crate) type Outcome = Result<(), Error>;

/// For one delivery, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(20);

/// Where AG2's hub is, and whether compression is offered to it.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) url: String,
    pub(crate) deflate: bool,
}

impl Address {
    pub(crate) fn link(&self) -> Result<TenantLink, Error> {
        let link = TenantLink::new(&self.url)?;
        Ok(if self.deflate { link.compression(Compression::dedicated()) } else { link })
    }

    pub(crate) async fn tenant(&self, n: &Nursery<'_, Error>) -> Result<Tenant, Error> {
        Ok(connect_tenant(n, self.link()?).await?)
    }

    /// An agent on a link of its own.
    pub(crate) async fn agent(&self, n: &Nursery<'_, Error>, name: &str) -> Result<Ear, Error> {
        Ear::on(n, &self.tenant(n).await?, name).await
    }

    /// One that is asked about invites.
    pub(crate) async fn choosy(&self, n: &Nursery<'_, Error>) -> Result<Ear, Error> {
        let config = TenantConfig::new(self.link()?)?.invites(InvitePolicy::Ask);
        Ear::on(n, &connect_tenant(n, config).await?, "choosy").await
    }

    /// Two agents, each on a link of its own, and a channel between them.
    pub(crate) async fn pair(
        &self,
        n: &Nursery<'_, Error>,
        kind: ChannelType,
    ) -> Result<(Ear, Ear, Channel), Error> {
        let (first, second) = (self.agent(n, "one").await?, self.agent(n, "two").await?);
        let channel = first.agent.open_channel(kind, [second.agent.id()]).await?;
        Ok((first, second, channel))
    }
}

/// An agent that is served: what it hears is kept in order.
pub(crate) struct Ear {
    pub(crate) agent: Agent,
    heard: lock::Mutex<mpsc::UnboundedReceiver<Delivery>>,
    refused: lock::Mutex<mpsc::UnboundedReceiver<Delivery>>,
}

impl Ear {
    pub(crate) async fn on(n: &Nursery<'_, Error>, tenant: &Tenant, name: &str) -> Result<Self, Error> {
        let agent = tenant.register(Passport::new(unique(name))).await?;
        Ok(Self::of(n, agent))
    }

    pub(crate) fn of(n: &Nursery<'_, Error>, agent: Agent) -> Self {
        Self::deaf_to(n, agent, "\0")
    }

    /// One whose handler fails at this text.
    pub(crate) fn deaf_to(n: &Nursery<'_, Error>, agent: Agent, text: &'static str) -> Self {
        let ((hear, heard), (refuse, refused)) = (mpsc::unbounded(), mpsc::unbounded());
        let served = agent.clone();
        n.start_service(async move {
            let handler = async |delivery: Delivery| {
                if delivery.text().as_deref() == Some(text) {
                    refuse.unbounded_send(delivery)?;
                    return Err("it does not want to hear it".into());
                }
                Ok(hear.unbounded_send(delivery)?)
            };
            // When the link ends, or another takes the agent, the case knows.
            let _ = served.serve(handler).await;
            Ok(())
        });
        Self { agent, heard: lock::Mutex::new(heard), refused: lock::Mutex::new(refused) }
    }

    /// Waits until its handler has failed.
    pub(crate) async fn refused(&self) -> Outcome {
        let next = async { self.refused.lock().await.next().await };
        fail_after(LIMIT, next).await?.map(drop).ok_or_else(|| Error::other("it is served no more"))
    }

    /// What is heard next.
    pub(crate) async fn next(&self) -> Result<Delivery, Error> {
        let next = async { self.heard.lock().await.next().await };
        fail_after(LIMIT, next).await?.ok_or_else(|| Error::other("it is served no more"))
    }

    /// The next of this type; others are passed over.
    pub(crate) async fn next_event(&self, event: &str) -> Result<Delivery, Error> {
        loop {
            let delivery = self.next().await?;
            if delivery.envelope().event_type == event {
                return Ok(delivery);
            }
        }
    }

    /// The next texts are these.
    pub(crate) async fn hears(&self, texts: &[&str]) -> Outcome {
        for text in texts {
            let delivery = self.next_event(Envelope::TEXT).await?;
            equal(delivery.text().as_deref(), Some(*text))?;
        }
        Ok(())
    }
}

/// A passport with a claim that the hub takes, under a name that it takes it for.
pub(crate) fn keyed(claim: Claim) -> Passport {
    Passport::new(unique("keyed")).with_claim("api_key", claim)
}

/// Cases share a hub, and a name belongs to one agent.
pub(crate) fn unique(name: &str) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    format!("{name}-of-ours-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(found: T, wanted: T) -> Outcome {
    let cut = |value: &T| format!("{value:?}").chars().take(300).collect::<String>();
    let differs = || Error::other(format!("{} where {} is wanted", cut(&found), cut(&wanted)));
    if found == wanted { Ok(()) } else { Err(differs()) }
}

/// The hub refuses with this code.
pub(crate) fn refused<T>(outcome: Result<T, RequestError>, wanted: &ErrorCode) -> Outcome {
    match outcome {
        Ok(_) => Err(Error::other(format!("not refused, where {wanted} is wanted"))),
        Err(error) => match error.code() {
            Some(code) => equal(code, wanted),
            None => Err(error.into()),
        },
    }
}
