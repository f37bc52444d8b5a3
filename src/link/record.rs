//! What the hub knows of an agent: its passport, and its resume.
//!
//! Python rebuilds these with every field by name: one field more is an exception there, and one less takes its default. So
//! all of them are written, and unknown ones are read past.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{auth::Claim, json::Payload};

/// Who an agent is.
///
/// ```
/// use wscope::link::Passport;
///
/// let mut passport = Passport::new("alice");
/// passport.owner = "ops".to_owned();
/// assert_eq!(passport.agent_id, None); // stamped by the hub
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Passport {
    /// How others address it; one of its kind at a hub.
    pub name: String,
    /// Whose it is.
    #[serde(default)]
    pub owner: String,
    /// Who runs its model.
    #[serde(default)]
    pub provider: Option<String>,
    /// Its model.
    #[serde(default)]
    pub model: Option<String>,
    /// What it costs.
    #[serde(default)]
    pub cost: Option<CostProfile>,
    /// Where it runs.
    #[serde(default)]
    pub region: Option<String>,
    /// How it proves who it is.
    #[serde(default)]
    pub auth: AuthBlock,
    /// What it is; nothing means an agent.
    #[serde(default)]
    pub kind: Option<PassportKind>,
    /// The hub it comes from, when that is another one.
    #[serde(default)]
    pub hub_id: Option<String>,
    /// Of this record.
    #[serde(default = "first")]
    pub version: i64,
    /// The hub's id of it.
    #[serde(default)]
    pub agent_id: Option<String>,
    /// When it was registered.
    #[serde(default)]
    pub created_at: String,
}

impl Passport {
    /// An agent of this name, without a claim.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            owner: String::new(),
            provider: None,
            model: None,
            cost: None,
            region: None,
            auth: AuthBlock::default(),
            kind: None,
            hub_id: None,
            version: first(),
            agent_id: None,
            created_at: String::new(),
        }
    }

    /// The same, with what shows that the tenant may use the name: a claim, and the scheme of the hub's adapter that looks at it.
    ///
    /// ```
    /// use wscope::link::{Claim, Passport};
    ///
    /// let passport = Passport::new("alice").with_claim("api_key", Claim::token("s3cret"));
    /// assert!(!format!("{passport:?}").contains("s3cret"));
    /// ```
    #[must_use]
    pub fn with_claim(mut self, scheme: impl Into<String>, claim: impl Into<Claim>) -> Self {
        self.auth.scheme = scheme.into();
        self.auth.claim = claim.into();
        self
    }

    /// What it is, with nothing read as an agent.
    #[must_use]
    pub fn effective_kind(&self) -> PassportKind {
        self.kind.unwrap_or(PassportKind::Agent)
    }
}

/// What takes part in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PassportKind {
    /// A program.
    Agent,
    /// A person, behind some interface.
    Human,
    /// A participant of another hub.
    RemoteAgent,
}

impl PassportKind {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Human => "human",
            Self::RemoteAgent => "remote_agent",
        }
    }
}

/// What an agent costs, in units of its provider.
///
/// ```
/// use wscope::link::{CostProfile, Passport};
///
/// let mut cost = CostProfile::default();
/// cost.input_per_mtok = Some(0.25);
/// cost.latency_tier = Some("fast".to_owned());
/// let mut passport = Passport::new("alice");
/// passport.cost = Some(cost);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CostProfile {
    /// For a million tokens read.
    pub input_per_mtok: Option<f64>,
    /// For a million tokens written.
    pub output_per_mtok: Option<f64>,
    /// `fast`, `balanced` or `deep`.
    pub latency_tier: Option<String>,
}

/// How an agent proves who it is.
///
/// ```
/// use wscope::link::{Claim, Passport};
///
/// let mut passport = Passport::new("alice");
/// passport.auth.scheme = "api_key".to_owned();
/// passport.auth.claim = Claim::token("s3cret");
/// assert!(!format!("{passport:?}").contains("s3cret"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AuthBlock {
    /// The scheme; the hub keeps it, and compares it at each hello.
    pub scheme: String,
    /// Who vouches for it.
    pub issuer: Option<String>,
    /// For whom.
    pub audience: Option<String>,
    /// Of the key.
    pub key_fingerprint: Option<String>,
    /// The proof; the hub looks at it once and forgets it.
    pub claim: Claim,
}

impl Default for AuthBlock {
    fn default() -> Self {
        Self {
            scheme: "none".to_owned(),
            issuer: None,
            audience: None,
            key_fingerprint: None,
            claim: Claim::none(),
        }
    }
}

impl<'de> Deserialize<'de> for Claim {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Payload::deserialize(deserializer).map(Self::from)
    }
}

/// What an agent says that it can do, and what was seen of it.
///
/// ```
/// use wscope::link::{Resume, ResumeExample};
///
/// let mut done = ResumeExample::default();
/// done.title = "the contract of March".to_owned();
/// let mut resume = Resume::default();
/// resume.claimed_capabilities = vec!["policy".to_owned()];
/// resume.examples.push(done);
/// assert!(resume.has("policy"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Resume {
    /// What it says that it can do.
    pub claimed_capabilities: Vec<String>,
    /// What it knows about.
    pub domains: Vec<String>,
    /// One line, in which `list_agents` searches; in a longer one, in the first [`SEARCHED`](Self::SEARCHED) characters.
    pub summary: String,
    /// Work that it has done.
    pub examples: Vec<ResumeExample>,
    /// What was seen of it, by capability.
    pub observed: BTreeMap<String, ObservedStat>,
    /// Raised by the hub at each change.
    pub version: i64,
    /// When it was changed.
    pub last_updated: String,
}

impl Default for Resume {
    fn default() -> Self {
        Self {
            claimed_capabilities: Vec::new(),
            domains: Vec::new(),
            summary: String::new(),
            examples: Vec::new(),
            observed: BTreeMap::new(),
            version: first(),
            last_updated: String::new(),
        }
    }
}

impl Resume {
    /// How many characters of a summary are searched: 1,024.
    pub const SEARCHED: usize = 1_024;

    /// Whether it claims a capability, or has been seen to have it.
    #[must_use]
    pub fn has(&self, capability: &str) -> bool {
        self.claimed_capabilities.iter().any(|claimed| claimed == capability)
            || self.observed.contains_key(capability)
    }
}

/// One piece of work.
///
/// ```
/// use wscope::link::{Resume, ResumeExample};
///
/// let mut example = ResumeExample::default();
/// example.title = "the contract of 2025".to_owned();
/// let mut resume = Resume::default();
/// resume.examples.push(example);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResumeExample {
    /// What it was.
    pub title: String,
    /// How it ended.
    #[serde(default)]
    pub outcome: String,
    /// Its task.
    #[serde(default)]
    pub task_id: Option<String>,
    /// Its channel.
    #[serde(default)]
    pub channel_id: Option<String>,
    /// When it was done.
    #[serde(default)]
    pub when: Option<String>,
    /// Anything else.
    #[serde(default)]
    pub note: String,
}

/// How tasks of one capability have ended.
///
/// ```
/// use wscope::link::{ObservedStat, Resume};
///
/// let mut seen = ObservedStat::default();
/// (seen.n, seen.completed) = (10, 9);
/// let mut resume = Resume::default();
/// resume.observed.insert("policy".to_owned(), seen);
/// assert!(resume.has("policy"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ObservedStat {
    /// All of them.
    pub n: i64,
    /// Those that were completed.
    pub completed: i64,
    /// Those that failed.
    pub failed: i64,
    /// Those that came too late.
    pub expired: i64,
    /// The median of their durations, in milliseconds.
    pub p50_latency_ms: Option<i64>,
}

const fn first() -> i64 {
    1
}
