//! What a tenant can ask of a hub: the operations of `request`, with their parameters as types.
//!
//! Parameters are read as a frame is: in any order, unknown ones ignored, null the same as missing where it may be missing.

use serde::Serialize;

use super::{
    channel::{ChannelType, Labels},
    envelope::Envelope,
    json::{FieldError, Fields, Payload},
    record::{Passport, Resume},
    refusal::Refusal,
    rule::{Rule, Ttl},
};

/// One operation. What it gives back is said at each; `null` where nothing is said.
///
/// ```
/// use wscope::link::{Operation, Payload};
///
/// let operation = Operation::decode("find_agent_id", &Payload::parse(r#"{"name": "bob"}"#)?)?;
/// assert_eq!(operation, Operation::FindAgentId { name: "bob".to_owned() });
/// assert_eq!(operation.params().as_str(), r#"{"name": "bob"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Operation {
    /// Creates an agent and binds it to the connection. Gives its [`Passport`], without the claim.
    Register(Box<Register>),
    /// Gives the [`Passport`] of an agent; an id wins over a name.
    GetAgent {
        /// Its name or id.
        name_or_id: String,
    },
    /// Gives the id of a name, or null.
    FindAgentId {
        /// The name.
        name: String,
    },
    /// Gives an object of id and name; an unknown id is its own name.
    NamesFor {
        /// The ids.
        agent_ids: Vec<String>,
    },
    /// Gives the [`Passport`]s of those that fit.
    ListAgents(ListAgents),
    /// Gives the [`Resume`] of an agent.
    GetResume {
        /// Its id.
        agent_id: String,
    },
    /// Gives the skill text of an agent, or null.
    GetSkill {
        /// Its id.
        agent_id: String,
    },
    /// Gives the [`Rule`] of an agent.
    GetRule {
        /// Its id.
        agent_id: String,
    },
    /// Replaces the resume of a bound agent.
    SetResume {
        /// Its id.
        agent_id: String,
        /// The new one.
        resume: Resume,
    },
    /// Replaces the skill text of a bound agent, or removes it.
    SetSkill {
        /// Its id.
        agent_id: String,
        /// The new one.
        skill_md: Option<String>,
    },
    /// Replaces the rule of a bound agent.
    SetRule {
        /// Its id.
        agent_id: String,
        /// The new one.
        rule: Rule,
    },
    /// Ends a bound agent.
    Unregister {
        /// Its id.
        agent_id: String,
    },
    /// Invites agents to a channel, and gives its metadata once all of them have joined.
    CreateChannel(Box<CreateChannel>),
    /// Gives the metadata of a channel.
    GetChannel {
        /// Its id.
        channel_id: String,
    },
    /// Closes a channel and gives its metadata.
    CloseChannel {
        /// Its id.
        channel_id: String,
        /// Why; empty for `explicit_close`.
        reason: String,
    },
    /// Gives the metadata of channels, closed ones too.
    ListChannels {
        /// Of this agent; none for all that are bound here.
        agent_id: Option<String>,
        /// At most so many.
        limit: i64,
    },
    /// Posts an envelope, and gives its id.
    PostEnvelope {
        /// The envelope.
        envelope: Box<Envelope>,
    },
    /// Gives the envelopes of a channel, as a Python slice of its log.
    ReadWal {
        /// Its id.
        channel_id: String,
        /// From this place on.
        since: i64,
        /// To the one before this place; none for all.
        until: Option<i64>,
    },
    /// Gives the last envelope of a sender that answers another, or null.
    FindEnvelopeByCausation {
        /// The channel.
        channel_id: String,
        /// The sender.
        sender_id: String,
        /// The envelope that it answers.
        causation_id: String,
    },
    /// Gives whether an agent might post that now.
    CanSend {
        /// The channel.
        channel_id: String,
        /// The agent.
        sender_id: String,
        /// The type of the event; none for text.
        event_type: Option<String>,
    },
    /// Gives the turns that are an agent's.
    PendingTurnsFor {
        /// Its id.
        agent_id: String,
    },
    /// Tells that an agent failed at its turn.
    ReportTurnFailure {
        /// The channel.
        channel_id: String,
        /// The agent.
        agent_id: String,
        /// The envelope that put the turn on it.
        envelope_id: String,
        /// What went wrong.
        error: String,
    },
    /// Ours: gives an object of id and whether that agent is connected.
    PresenceFor {
        /// The ids.
        agent_ids: Vec<String>,
    },
}

/// Parameters of `register`.
///
/// ```
/// use wscope::link::{Register, Rule};
///
/// let mut register = Register::from("paula");
/// register.resume.summary = "reads the small print".to_owned();
/// register.rule = Some(Rule::default());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Register {
    /// Who it is, with the claim.
    pub passport: Passport,
    /// What it can do.
    pub resume: Resume,
    /// The same in prose.
    pub skill_md: Option<String>,
    /// What it may do; none for AG2's defaults.
    pub rule: Option<Rule>,
}

impl Register {
    /// An agent without a resume, under the default rule.
    #[must_use]
    pub fn new(passport: Passport) -> Self {
        Self { passport, resume: Resume::default(), skill_md: None, rule: None }
    }
}

/// An agent of this name, of which nothing else is said.
impl From<&str> for Register {
    fn from(name: &str) -> Self {
        Self::new(Passport::new(name))
    }
}

/// An agent of this name, of which nothing else is said.
impl From<String> for Register {
    fn from(name: String) -> Self {
        Self::new(Passport::new(name))
    }
}

/// An agent of this name, of which nothing else is said.
impl From<&String> for Register {
    fn from(name: &String) -> Self {
        Self::new(Passport::new(name))
    }
}

impl From<Passport> for Register {
    fn from(passport: Passport) -> Self {
        Self::new(passport)
    }
}

/// Parameters of `list_agents`.
///
/// ```
/// use wscope::link::ListAgents;
///
/// let mut wanted = ListAgents::default();
/// wanted.capability = Some("policy".to_owned());
/// wanted.sort_by = Some("name".to_owned());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListAgents {
    /// Those that have this capability.
    pub capability: Option<String>,
    /// Those whose summary holds this text, in upper or lower case.
    pub query: Option<String>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// `name`, or nothing for the order in which they were registered.
    pub sort_by: Option<String>,
    /// At most so many.
    pub limit: i64,
}

impl Default for ListAgents {
    fn default() -> Self {
        Self { capability: None, query: None, kind: None, sort_by: None, limit: LIMIT }
    }
}

/// Parameters of `create_channel`.
///
/// ```
/// use wscope::link::{ChannelType, CreateChannel, Ttl};
///
/// let mut create = CreateChannel::inviting(ChannelType::Discussion, ["bob", "carol"]);
/// create.ttl = Some(Ttl::Text("10m".to_owned()));
/// create.intent = Some("lunch".to_owned());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CreateChannel {
    /// The agent that creates it.
    pub creator_id: String,
    /// The type of the channel.
    pub manifest_type: String,
    /// The version of the type.
    pub manifest_version: i64,
    /// Who is invited, by id; names are for [`Agent::create_channel`](super::Agent::create_channel), which looks them up. The creator is
    /// added in front when it is not listed.
    pub participants: Vec<String>,
    /// Kept, and without effect: all have to join.
    pub required_acks: Option<i64>,
    /// How long it lives; none for what the creator's rule says.
    pub ttl: Option<Ttl>,
    /// Settings of the type.
    pub knobs: Option<Payload>,
    /// Becomes the label `intent`.
    pub intent: Option<String>,
    /// Anything else.
    pub labels: Option<Labels>,
}

impl CreateChannel {
    /// A channel of this type between these and the agent that [asks for it](super::Agent::create_channel).
    #[must_use]
    pub fn inviting<I: Into<String>>(kind: ChannelType, invited: impl IntoIterator<Item = I>) -> Self {
        Self::new("", kind.as_str(), invited.into_iter().map(Into::into).collect())
    }

    /// A channel of this type, between the creator and these, with the words of the wire.
    #[must_use]
    pub fn new(
        creator_id: impl Into<String>,
        manifest_type: impl Into<String>,
        participants: Vec<String>,
    ) -> Self {
        Self {
            creator_id: creator_id.into(),
            manifest_type: manifest_type.into(),
            manifest_version: 1,
            participants,
            required_acks: None,
            ttl: None,
            knobs: None,
            intent: None,
            labels: None,
        }
    }
}

impl Operation {
    /// Its name, as in `op`.
    #[must_use]
    pub const fn op(&self) -> &'static str {
        match self {
            Self::Register(_) => "register",
            Self::GetAgent { .. } => "get_agent",
            Self::FindAgentId { .. } => "find_agent_id",
            Self::NamesFor { .. } => "names_for",
            Self::ListAgents(_) => "list_agents",
            Self::GetResume { .. } => "get_resume",
            Self::GetSkill { .. } => "get_skill",
            Self::GetRule { .. } => "get_rule",
            Self::SetResume { .. } => "set_resume",
            Self::SetSkill { .. } => "set_skill",
            Self::SetRule { .. } => "set_rule",
            Self::Unregister { .. } => "unregister",
            Self::CreateChannel(_) => "create_channel",
            Self::GetChannel { .. } => "get_channel",
            Self::CloseChannel { .. } => "close_channel",
            Self::ListChannels { .. } => "list_channels",
            Self::PostEnvelope { .. } => "post_envelope",
            Self::ReadWal { .. } => "read_wal",
            Self::FindEnvelopeByCausation { .. } => "find_envelope_by_causation",
            Self::CanSend { .. } => "can_send",
            Self::PendingTurnsFor { .. } => "pending_turns_for",
            Self::ReportTurnFailure { .. } => "report_turn_failure",
            Self::PresenceFor { .. } => "presence_for",
        }
    }

    /// Its parameters, as in `params`.
    #[must_use]
    pub fn params(&self) -> Payload {
        // Every parameter has a form in JSON.
        Payload::of(self).unwrap_or_default()
    }

    /// Reads an operation.
    ///
    /// # Errors
    /// An operation that is not known, and the first parameter that is missing or of a wrong type.
    pub fn decode(op: &str, params: &Payload) -> Result<Self, Refusal> {
        let params = Fields::cut(params.as_str())?;
        let agent_id = || params.text("agent_id");
        let channel_id = || params.text("channel_id");
        Ok(match op {
            "register" => Self::Register(Box::new(register(&params)?)),
            "get_agent" => Self::GetAgent { name_or_id: params.text("name_or_id")? },
            "find_agent_id" => Self::FindAgentId { name: params.text("name")? },
            "names_for" => Self::NamesFor { agent_ids: params.required("agent_ids")? },
            "list_agents" => Self::ListAgents(list_agents(&params)?),
            "get_resume" => Self::GetResume { agent_id: agent_id()? },
            "get_skill" => Self::GetSkill { agent_id: agent_id()? },
            "get_rule" => Self::GetRule { agent_id: agent_id()? },
            "set_resume" => Self::SetResume { agent_id: agent_id()?, resume: params.required("resume")? },
            "set_skill" => Self::SetSkill { agent_id: agent_id()?, skill_md: params.optional("skill_md")? },
            "set_rule" => Self::SetRule { agent_id: agent_id()?, rule: params.required("rule")? },
            "unregister" => Self::Unregister { agent_id: agent_id()? },
            "create_channel" => Self::CreateChannel(Box::new(create_channel(&params)?)),
            "get_channel" => Self::GetChannel { channel_id: channel_id()? },
            "close_channel" => {
                Self::CloseChannel { channel_id: channel_id()?, reason: params.text_or("reason", "")? }
            }
            "list_channels" => {
                Self::ListChannels { agent_id: params.optional("agent_id")?, limit: limit(&params)? }
            }
            "post_envelope" => Self::PostEnvelope { envelope: Box::new(envelope(&params)?) },
            "read_wal" => Self::ReadWal {
                channel_id: channel_id()?,
                since: params.optional("since")?.unwrap_or(0),
                until: params.optional("until")?,
            },
            "find_envelope_by_causation" => Self::FindEnvelopeByCausation {
                channel_id: channel_id()?,
                sender_id: params.text("sender_id")?,
                causation_id: params.text("causation_id")?,
            },
            "can_send" => Self::CanSend {
                channel_id: channel_id()?,
                sender_id: params.text("sender_id")?,
                event_type: params.optional("event_type")?,
            },
            "pending_turns_for" => Self::PendingTurnsFor { agent_id: agent_id()? },
            "report_turn_failure" => Self::ReportTurnFailure {
                channel_id: channel_id()?,
                agent_id: agent_id()?,
                envelope_id: params.text("envelope_id")?,
                error: params.text_or("error", "")?,
            },
            "presence_for" => Self::PresenceFor { agent_ids: params.required("agent_ids")? },
            _ => return Err(Refusal::UnknownOperation { op: op.chars().take(MAX_OP).collect() }),
        })
    }
}

fn register(params: &Fields<'_>) -> Result<Register, Refusal> {
    Ok(Register {
        passport: params.required("passport")?,
        resume: params.required("resume")?,
        skill_md: params.optional("skill_md")?,
        rule: params.optional("rule")?,
    })
}

fn list_agents(params: &Fields<'_>) -> Result<ListAgents, Refusal> {
    Ok(ListAgents {
        capability: params.optional("capability")?,
        query: params.optional("query")?,
        kind: params.optional("kind")?,
        sort_by: params.optional("sort_by")?,
        limit: limit(params)?,
    })
}

fn create_channel(params: &Fields<'_>) -> Result<CreateChannel, Refusal> {
    Ok(CreateChannel {
        creator_id: params.text("creator_id")?,
        manifest_type: params.text("manifest_type")?,
        manifest_version: params.optional("manifest_version")?.unwrap_or(1),
        participants: params.required("participants")?,
        required_acks: params.optional("required_acks")?,
        ttl: params.optional("ttl")?,
        knobs: match params.optional::<Payload>("knobs")? {
            Some(_) => Some(params.object_or_empty("knobs")?),
            None => None,
        },
        intent: params.optional("intent")?,
        labels: params.optional("labels")?,
    })
}

fn envelope(params: &Fields<'_>) -> Result<Envelope, Refusal> {
    let envelope = params.raw("envelope").ok_or(FieldError::Missing { name: "envelope" })?;
    Ok(Envelope::read(&Fields::cut(envelope.get())?)?)
}

fn limit(params: &Fields<'_>) -> Result<i64, Refusal> {
    Ok(params.optional("limit")?.unwrap_or(LIMIT))
}

/// How many agents or channels a list has when nothing is said.
const LIMIT: i64 = 50;

/// How much of an unknown operation is told back.
const MAX_OP: usize = 64;
