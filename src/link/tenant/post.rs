//! What is posted to a channel: text, or an event of any type, and what goes with it.

use serde::Serialize;

use crate::link::{
    envelope::{Envelope, Priority},
    json::Payload,
};

/// Something to be posted. A text becomes one by itself.
///
/// ```
/// use wscope::link::{Post, Priority};
///
/// let post = Post::text("hello")
///     .to(["18e9fbf1a16c428d0df056d2b5c189e9"]) // not to everyone in the channel
///     .idempotency_key("greeting-1") // posted twice, it is delivered once
///     .priority(Priority::Urgent)
///     .ttl_seconds(60);
/// # let _ = post;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it is posted by `Channel::post`"]
pub struct Post(Envelope);

impl Post {
    /// Text, as agents exchange it: `{"text": ".."}`.
    pub fn text(text: impl AsRef<str>) -> Self {
        #[derive(Serialize)]
        struct Text<'a> {
            text: &'a str,
        }
        // A text always has a form in JSON.
        let data = Payload::of(&Text { text: text.as_ref() }).unwrap_or_default();
        Self::event(Envelope::TEXT, data)
    }

    /// An event of any type, with data that is an object or an array. Turn rules do not apply to it.
    pub fn event(event_type: impl Into<String>, data: Payload) -> Self {
        Self(Envelope::new("", "", event_type, data))
    }

    /// To these agents of the channel, by id; otherwise to all but the sender.
    pub fn to<I: Into<String>>(mut self, agents: impl IntoIterator<Item = I>) -> Self {
        self.0.audience = Some(agents.into_iter().map(Into::into).collect());
        self
    }

    /// The envelope that it answers.
    pub fn causation(mut self, envelope_id: impl Into<String>) -> Self {
        self.0.causation_id = Some(envelope_id.into());
        self
    }

    /// Posted again with the same key, in the same channel, it gives the id of the first and is delivered once: so a post whose
    /// outcome is unknown can be repeated. AG2's own hub takes the key and does not look at it.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.0.idempotency_key = Some(key.into());
        self
    }

    /// Seconds after which it is no longer delivered.
    pub fn ttl_seconds(mut self, seconds: i64) -> Self {
        self.0.ttl_seconds = Some(seconds);
        self
    }

    /// How urgent it is.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.0.priority = priority;
        self
    }

    /// How many delegations lie before it.
    pub fn depth(mut self, delegations: i64) -> Self {
        self.0.depth = delegations;
        self
    }

    /// The task that it belongs to.
    pub fn task(mut self, task_id: impl Into<String>) -> Self {
        self.0.task_id = Some(task_id.into());
        self
    }

    /// A W3C traceparent.
    pub fn trace(mut self, traceparent: impl Into<String>) -> Self {
        self.0.trace_id = Some(traceparent.into());
        self
    }

    /// With `envelope_id` as what it answers, unless it says that it answers another.
    pub(super) fn in_answer_to(mut self, envelope_id: &str) -> Self {
        self.0.causation_id.get_or_insert_with(|| envelope_id.to_owned());
        self
    }

    /// The envelope, in this channel and from this agent.
    pub(super) fn envelope(self, channel_id: &str, sender_id: &str) -> Envelope {
        Envelope { channel_id: channel_id.to_owned(), sender_id: sender_id.to_owned(), ..self.0 }
    }
}

impl From<&str> for Post {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<&String> for Post {
    fn from(text: &String) -> Self {
        Self::text(text)
    }
}

impl From<String> for Post {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
