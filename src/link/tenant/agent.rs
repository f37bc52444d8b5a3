//! The handle of an agent: what it does in its own name.

use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;

use super::{
    channel::Channel,
    delivery::Delivery,
    error::{RequestError, ServeError, read},
    handle::Tenant,
    info::{ChannelInfo, PendingTurn},
    memory::Memory,
    serve,
};
use crate::{
    link::{
        channel::ChannelType,
        envelope::Envelope,
        id::Id,
        json::Payload,
        operation::{CreateChannel, Operation},
        record::{Passport, Resume},
        rule::Rule,
    },
    websocket::BoxError,
};

/// An agent on a tenant's link. Cheap to clone; all clones are the same agent.
///
/// It outlives its link: then its calls answer [`Closed`](RequestError::Closed), and [`Tenant::resume`] takes it to another one.
/// Its requests have the deadline of the [`Tenant`]'s.
///
/// ```
/// use wscope::{Error, link::{ChannelType, Hub, Passport, connect_tenant}, nursery};
///
/// # fn main() -> Result<(), Error> {
/// wscope::run(nursery(async |n| {
///     let hub = Hub::builder().build();
///     let tenant = connect_tenant(&n, hub.local_link(&n)).await?;
///     let alice = tenant.register(Passport::new("alice")).await?;
///     let bob = tenant.register(Passport::new("bob")).await?;
///     n.start_service({
///         let bob = bob.clone();
///         async move {
///             bob.serve(async |delivery| {
///                 println!("bob hears {:?}", delivery.text());
///                 Ok(())
///             })
///             .await?;
///             Ok(())
///         }
///     });
///     let channel = alice.open_channel(ChannelType::Conversation, [bob.id()]).await?;
///     channel.post("hello").await?;
///     Ok(())
/// }))
/// # }
/// ```
#[derive(Clone)]
pub struct Agent {
    pub(super) tenant: Tenant,
    pub(super) memory: Arc<Memory>,
}

impl Agent {
    /// Its id at the hub.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.memory.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.memory.passport.name
    }

    /// Its passport, as the hub gave it when the agent came onto the link: without the claim.
    #[must_use]
    pub fn passport(&self) -> &Passport {
        &self.memory.passport
    }

    /// The tenant that holds it.
    #[must_use]
    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Handles what is delivered to this agent, until the link ends.
    ///
    /// - Of one channel, one delivery after the other; those of several channels together, up to a
    ///   [bound](super::TenantConfig::max_handlers). So a slow handler holds up its own channel alone, and acknowledgements leave in the
    ///   order of the channel.
    /// - When the handler returns, the delivery is acknowledged, or, after an error, refused with its text: a hub delivers it
    ///   again when the agent comes back.
    /// - What was handled before, and is delivered again because its acknowledgement was lost, is acknowledged and not handled.
    /// - What comes faster than it is handled waits, up to a [bound](super::TenantConfig::inbox); what is beyond it is put down, and
    ///   asked for again when there is room.
    ///
    /// `Ok` when the link was closed as it should be, with 1000 or 1001. Handlers that run when the link ends run to their end, so
    /// that what they did is remembered; the rest stays owed. A panic in a handler goes on in the caller.
    ///
    /// Cancel-safe: a dropped call drops the handlers that run; what they were at is handled again by the next call.
    ///
    /// ```no_run
    /// use wscope::link::Agent;
    ///
    /// async fn echo(agent: Agent) -> Result<(), wscope::link::ServeError> {
    ///     agent
    ///         .serve(async |delivery| {
    ///             if let Some(text) = delivery.text() {
    ///                 delivery.reply(text).await?;
    ///             }
    ///             Ok(())
    ///         })
    ///         .await
    /// }
    /// # let _ = echo;
    /// ```
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn serve<F, H>(&self, handler: F) -> Result<(), ServeError>
    where
        F: Fn(Delivery) -> H,
        H: Future<Output = Result<(), BoxError>>,
    {
        serve::serve(self, handler).await
    }

    /// Invites agents, each by name or id, to a channel, and waits until all of them have joined. The creator is this agent, whatever
    /// `create` says.
    ///
    /// On the wire the invited are ids, so for each that is no [`Id`] the hub is asked first, as by
    /// [`passport_of`](Tenant::passport_of), one after the other and each in the time of a request. A name of the shape of an id is
    /// taken for one.
    ///
    /// A dropped call leaves the invites with the invited: the channel may open without anyone who waits for it.
    ///
    /// # Errors
    /// [`RequestError`]; an unknown name is [`NotFound`](crate::link::ErrorCode::NotFound). When one stays away, or does not answer in
    /// time, the hub refuses with [`ProtocolError`](crate::link::ErrorCode::ProtocolError).
    pub async fn create_channel(&self, mut create: CreateChannel) -> Result<Channel, RequestError> {
        self.id().clone_into(&mut create.creator_id);
        for invited in create.participants.iter_mut().filter(|invited| invited.parse::<Id>().is_err()) {
            // Only a hub that breaks the wire gives no id; then it is the hub that says what it thinks of the name.
            if let Some(id) = self.tenant.passport_of(invited).await?.agent_id {
                *invited = id;
            }
        }
        let info: ChannelInfo = self.ask(&Operation::CreateChannel(Box::new(create))).await?;
        Ok(self.channel(info.channel_id))
    }

    /// Invites these agents, each by name or id, to a channel of this type, with nothing else to be said. A dropped call leaves what
    /// one of [`create_channel`](Self::create_channel) does.
    ///
    /// ```no_run
    /// use wscope::link::{Agent, ChannelType, RequestError};
    ///
    /// async fn greet_bob(alice: &Agent) -> Result<(), RequestError> {
    ///     let channel = alice.open_channel(ChannelType::Conversation, ["bob"]).await?;
    ///     channel.post("hello").await?;
    ///     Ok(())
    /// }
    /// # let _ = greet_bob;
    /// ```
    ///
    /// # Errors
    /// As [`create_channel`](Self::create_channel).
    pub async fn open_channel<I: Into<String>>(
        &self,
        kind: ChannelType,
        with: impl IntoIterator<Item = I>,
    ) -> Result<Channel, RequestError> {
        self.create_channel(CreateChannel::inviting(kind, with)).await
    }

    /// The channel of this id. Nothing is asked: whether there is one shows when it is used.
    #[must_use]
    pub fn channel(&self, channel_id: impl Into<String>) -> Channel {
        Channel { agent: self.clone(), id: channel_id.into() }
    }

    /// The channels of this agent, closed ones too, at most `limit`. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn channels(&self, limit: u32) -> Result<Vec<ChannelInfo>, RequestError> {
        let agent_id = Some(self.id().to_owned());
        self.ask(&Operation::ListChannels { agent_id, limit: i64::from(limit) }).await
    }

    /// Posts an envelope as it is, and gives the hub's id of it. The sender is this agent, whatever it says. A dropped call may have
    /// posted it; see [`Channel::post`].
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn post_envelope(&self, mut envelope: Envelope) -> Result<String, RequestError> {
        self.id().clone_into(&mut envelope.sender_id);
        self.ask(&Operation::PostEnvelope { envelope: Box::new(envelope) }).await
    }

    /// The turns that are this agent's. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn pending_turns(&self) -> Result<Vec<PendingTurn>, RequestError> {
        self.ask(&Operation::PendingTurnsFor { agent_id: self.id().to_owned() }).await
    }

    /// Tells that this agent failed at the turn that an envelope put on it. A dropped call may have done it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn report_turn_failure(
        &self,
        channel_id: &str,
        envelope_id: &str,
        error: &str,
    ) -> Result<(), RequestError> {
        let operation = Operation::ReportTurnFailure {
            channel_id: channel_id.to_owned(),
            agent_id: self.id().to_owned(),
            envelope_id: envelope_id.to_owned(),
            error: error.to_owned(),
        };
        self.perform(&operation).await
    }

    /// Replaces what it says that it can do. A dropped call may have done it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn set_resume(&self, resume: Resume) -> Result<(), RequestError> {
        self.perform(&Operation::SetResume { agent_id: self.id().to_owned(), resume }).await
    }

    /// Replaces the same in prose, or removes it. A dropped call may have done it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn set_skill(&self, skill: Option<String>) -> Result<(), RequestError> {
        self.perform(&Operation::SetSkill { agent_id: self.id().to_owned(), skill_md: skill }).await
    }

    /// Replaces what it may do and lets others do. A dropped call may have done it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn set_rule(&self, rule: Rule) -> Result<(), RequestError> {
        self.perform(&Operation::SetRule { agent_id: self.id().to_owned(), rule }).await
    }

    /// Ends the agent: its name is free again, and nothing is delivered to it any more. A dropped call may have ended it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn unregister(&self) -> Result<(), RequestError> {
        self.perform(&Operation::Unregister { agent_id: self.id().to_owned() }).await?;
        self.tenant.shared.with(|state, after| state.leave(self.id(), after));
        Ok(())
    }

    /// Asks in its own name, and gives what the hub gives back.
    pub(super) async fn request(&self, operation: &Operation) -> Result<Payload, RequestError> {
        self.tenant.shared.request_as(&self.memory, operation).await
    }

    pub(super) async fn ask<T: DeserializeOwned>(&self, operation: &Operation) -> Result<T, RequestError> {
        read(operation.op(), &self.request(operation).await?)
    }

    async fn perform(&self, operation: &Operation) -> Result<(), RequestError> {
        self.request(operation).await.map(drop)
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}
