//! The handle of a channel, as one agent sees it.

use std::ops::{Bound, RangeBounds};

use serde_json::value::RawValue;

use super::{
    agent::Agent,
    error::{RequestError, misshapen, unreadable},
    info::ChannelInfo,
    post::Post,
};
use crate::link::{
    envelope::Envelope,
    json::{Fields, InvalidJson, Payload},
    operation::Operation,
};

/// A channel, in the name of one of its agents. Cheap to clone.
///
/// ```no_run
/// use wscope::link::{Channel, Post};
///
/// async fn talk(channel: &Channel) -> Result<(), wscope::link::RequestError> {
///     let asked = channel.post("how are you?").await?;
///     channel.post(Post::text("never mind").causation(asked)).await?;
///     for envelope in channel.read_wal(..).await? {
///         println!("{} {}", envelope.created_at, envelope.event_type);
///     }
///     channel.close("said all").await?;
///     Ok(())
/// }
/// # let _ = talk;
/// ```
#[derive(Clone, Debug)]
pub struct Channel {
    pub(super) agent: Agent,
    pub(super) id: String,
}

impl Channel {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The agent in whose name it is used.
    #[must_use]
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Posts a text, or any other [`Post`], and gives the hub's id of it. Whoever is there has been sent it by then.
    ///
    /// Posts of futures that are polled together are on their way together. A dropped call may have posted; one whose outcome is
    /// unknown can be repeated with an [idempotency key](Post::idempotency_key).
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn post(&self, post: impl Into<Post>) -> Result<String, RequestError> {
        let envelope = post.into().envelope(&self.id, self.agent.id());
        self.agent.ask(&Operation::PostEnvelope { envelope: Box::new(envelope) }).await
    }

    /// What the hub tells of it. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn info(&self) -> Result<ChannelInfo, RequestError> {
        self.agent.ask(&Operation::GetChannel { channel_id: self.id.clone() }).await
    }

    /// Closes it, for everyone. Without a reason the hub has one. A dropped call may have closed it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn close(&self, reason: &str) -> Result<ChannelInfo, RequestError> {
        let operation = Operation::CloseChannel { channel_id: self.id.clone(), reason: reason.to_owned() };
        self.agent.ask(&operation).await
    }

    /// Whether this agent might post an event of this type now; text, when none is given. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn can_send(&self, event_type: Option<&str>) -> Result<bool, RequestError> {
        let operation = Operation::CanSend {
            channel_id: self.id.clone(),
            sender_id: self.agent.id().to_owned(),
            event_type: event_type.map(str::to_owned),
        };
        self.agent.ask(&operation).await
    }

    /// The envelopes of its log, by their places in it: all of them with `..`. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`]; when they are more than a message can hold, the hub refuses with
    /// [`TooLarge`](crate::link::ErrorCode::TooLarge), and AG2's own closes the link: read a part.
    pub async fn read_wal(&self, range: impl RangeBounds<u32>) -> Result<Vec<Envelope>, RequestError> {
        let since = match range.start_bound() {
            Bound::Included(first) => i64::from(*first),
            Bound::Excluded(before) => i64::from(*before) + 1,
            Bound::Unbounded => 0,
        };
        let until = match range.end_bound() {
            Bound::Included(last) => Some(i64::from(*last) + 1),
            Bound::Excluded(behind) => Some(i64::from(*behind)),
            Bound::Unbounded => None,
        };
        let operation = Operation::ReadWal { channel_id: self.id.clone(), since, until };
        envelopes(operation.op(), &self.agent.request(&operation).await?)
    }

    /// The last envelope of a sender that answers another, if there is one. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn find_by_causation(
        &self,
        sender_id: &str,
        envelope_id: &str,
    ) -> Result<Option<Envelope>, RequestError> {
        let operation = Operation::FindEnvelopeByCausation {
            channel_id: self.id.clone(),
            sender_id: sender_id.to_owned(),
            causation_id: envelope_id.to_owned(),
        };
        let found = self.agent.request(&operation).await?;
        if found.as_str() == "null" {
            return Ok(None);
        }
        envelope(operation.op(), found.as_str()).map(Some)
    }
}

fn envelopes(op: &'static str, result: &Payload) -> Result<Vec<Envelope>, RequestError> {
    let texts: Vec<&RawValue> =
        serde_json::from_str(result.as_str()).map_err(|error| unreadable(op, InvalidJson::from(error)))?;
    texts.into_iter().map(|text| envelope(op, text.get())).collect()
}

fn envelope(op: &'static str, text: &str) -> Result<Envelope, RequestError> {
    let fields = Fields::cut(text).map_err(|error| unreadable(op, error))?;
    Envelope::read(&fields).map_err(|error| misshapen(op, error))
}
