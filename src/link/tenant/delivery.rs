//! One delivery, as a handler sees it; and the invites among them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{agent::Agent, channel::Channel, error::RequestError, post::Post};
use crate::link::{envelope::Envelope, frame::Notify, json::Payload};

/// One delivery to one agent. It is acknowledged when its handler returns.
///
/// ```no_run
/// use wscope::{link::Delivery, websocket::BoxError};
///
/// /// A handler for [`Agent::serve`].
/// async fn handle(delivery: Delivery) -> Result<(), BoxError> {
///     match delivery.text().as_deref() {
///         Some("ping") => drop(delivery.reply("pong").await?),
///         Some(text) => println!("{}: {text}", delivery.envelope().sender_id),
///         None => {} // an event: the channel has opened, or has ended
///     }
///     Ok(())
/// }
/// # let _ = handle;
/// ```
#[derive(Clone, Debug)]
pub struct Delivery {
    agent: Agent,
    notify: Arc<Notify>,
}

impl Delivery {
    pub(super) const fn new(agent: Agent, notify: Arc<Notify>) -> Self {
        Self { agent, notify }
    }

    /// What was said.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.notify.envelope
    }

    /// The text, when it is one.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Text {
            text: String,
        }
        let envelope = self.envelope();
        let text = || envelope.event_data.to::<Text>().ok().map(|data| data.text);
        (envelope.event_type == Envelope::TEXT).then(text).flatten()
    }

    /// To whom it was delivered.
    #[must_use]
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The channel it came through.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.agent.channel(&self.envelope().channel_id)
    }

    /// Posts an answer to its channel, with this envelope as what it answers. A dropped call may have posted it.
    ///
    /// # Errors
    /// [`RequestError`], as [`Channel::post`].
    pub async fn reply(&self, post: impl Into<Post>) -> Result<String, RequestError> {
        let post = post.into().in_answer_to(&self.envelope().envelope_id);
        self.channel().post(post).await
    }

    /// The invite, when it is one. With [`InvitePolicy::Accept`](super::InvitePolicy::Accept) no handler sees any.
    #[must_use]
    pub fn invite(&self) -> Option<Invite<'_>> {
        (self.envelope().event_type == Envelope::INVITE).then_some(Invite { delivery: self })
    }
}

/// An invite to a channel: it opens when all who are invited accept.
///
/// ```no_run
/// use wscope::link::Delivery;
///
/// async fn handle(delivery: Delivery) -> Result<(), wscope::websocket::BoxError> {
///     if let Some(invite) = delivery.invite() {
///         match invite.kind().as_deref() {
///             Some("conversation") => invite.accept().await?,
///             _ => invite.reject("I only converse").await?,
///         };
///     }
///     Ok(())
/// }
/// # let _ = handle;
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it is accepted, or rejected, or runs out"]
pub struct Invite<'a> {
    delivery: &'a Delivery,
}

impl Invite<'_> {
    /// The type of the channel.
    #[must_use]
    pub fn kind(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Kind {
            manifest_type: String,
        }
        self.delivery.envelope().event_data.to::<Kind>().ok().map(|data| data.manifest_type)
    }

    /// Who invites.
    #[must_use]
    pub fn creator_id(&self) -> &str {
        &self.delivery.envelope().sender_id
    }

    /// Joins the channel. Gives the id of the answer. A dropped call may have joined it.
    ///
    /// # Errors
    /// [`RequestError`]; a channel that has been closed meanwhile is refused.
    pub async fn accept(&self) -> Result<String, RequestError> {
        self.answer(Envelope::INVITE_ACK, None).await
    }

    /// Stays away, which closes the channel. A dropped call may have closed it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn reject(&self, reason: &str) -> Result<String, RequestError> {
        self.answer(Envelope::INVITE_REJECT, Some(reason)).await
    }

    async fn answer(&self, event: &str, reason: Option<&str>) -> Result<String, RequestError> {
        #[derive(Serialize)]
        struct Data<'a> {
            channel_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            // data of an event: no record that Python rebuilds
            reason: Option<&'a str>,
        }
        let channel_id = &self.delivery.envelope().channel_id;
        // Texts always have a form in JSON.
        let data = Payload::of(&Data { channel_id, reason }).unwrap_or_default();
        self.delivery.reply(Post::event(event, data)).await
    }
}
