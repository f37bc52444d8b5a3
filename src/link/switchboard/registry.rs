//! The agents of a hub, by id and by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use crate::link::{
    auth::Claim,
    id::Id,
    json::to_text,
    operation::{ListAgents, Register},
    rate::Bucket,
    record::{Passport, PassportKind, Resume},
    refusal::{Refusal, told},
    rule::{Rule, is_wild},
    time::Timestamp,
};

use super::limits::HubLimits;

/// One agent.
#[derive(Debug)]
pub(super) struct Agent {
    /// Bytes counted for each of its records.
    sizes: Sizes,
    pub(super) passport: Passport,
    pub(super) resume: Resume,
    pub(super) rule: Arc<Rule>,
    pub(super) skill: Option<String>,
    /// The connection that holds it.
    pub(super) endpoint: Option<Id>,
    /// All channels it is in, closed ones too, in the order in which they were created.
    pub(super) channels: BTreeSet<Id>,
    /// How many of these have not ended.
    pub(super) active: usize,
    /// How many of those it created.
    pub(super) created: u64,
    /// Content that is owed to it and not acknowledged, in all its channels.
    pub(super) inbox: u64,
    /// Bytes that it has posted and that are still kept.
    pub(super) posted: usize,
    /// For the rate of its own rule.
    pub(super) bucket: Bucket,
    /// For the hub's rate.
    pub(super) hub_bucket: Bucket,
}

/// All agents. Each name belongs to one of them, and each of them has one.
#[derive(Debug, Default)]
pub(super) struct Registry {
    /// Each in a box, since ids come in order, which leaves the leaves of a tree half empty.
    agents: BTreeMap<Id, Box<Agent>>,
    names: BTreeMap<String, Id>,
    /// In all records: the sum of the agents' `sizes`.
    bytes: usize,
    /// The rule of nearly everyone, kept once.
    common_rule: Arc<Rule>,
}

/// Bytes counted for each of an agent's records, in the order of [`Record`].
type Sizes = [usize; 4];

/// One of an agent's records.
#[derive(Clone, Copy, Debug)]
pub(super) enum Record {
    Passport,
    Resume,
    Rule,
    Skill,
}

impl Record {
    const ALL: [Self; 4] = [Self::Passport, Self::Resume, Self::Rule, Self::Skill];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Passport => "passport",
            Self::Resume => "resume",
            Self::Rule => "rule",
            Self::Skill => "skill",
        }
    }
}

impl Registry {
    pub(super) fn len(&self) -> usize {
        self.agents.len()
    }

    pub(super) fn online(&self) -> usize {
        self.agents.values().filter(|agent| agent.endpoint.is_some()).count()
    }

    pub(super) fn agent(&self, id: Id) -> Option<&Agent> {
        self.agents.get(&id).map(AsRef::as_ref)
    }

    pub(super) fn agent_mut(&mut self, id: Id) -> Option<&mut Agent> {
        self.agents.get_mut(&id).map(AsMut::as_mut)
    }

    /// The agent of this name.
    pub(super) fn named(&self, name: &str) -> Option<Id> {
        self.names.get(name).copied()
    }

    /// The agent of this id, written as on the wire.
    pub(super) fn by_text(&self, id: &str) -> Option<(Id, &Agent)> {
        let id = id.parse().ok()?;
        Some((id, self.agent(id)?))
    }

    /// The same, or a refusal that names what was looked for.
    pub(super) fn known(&self, what: &'static str, id: &str) -> Result<(Id, &Agent), Refusal> {
        self.by_text(id).ok_or_else(|| Refusal::NotFound { what, id: told(id) })
    }

    /// An id wins over a name.
    pub(super) fn by_name_or_id(&self, text: &str) -> Option<&Agent> {
        let named = || self.agent(self.named(text)?);
        self.by_text(text).map(|(_, agent)| agent).or_else(named)
    }

    /// Whether there is room for the agent, and its name is free.
    pub(super) fn check(&self, register: &Register, limits: &HubLimits) -> Result<(), Refusal> {
        let name = &register.passport.name;
        if self.agents.len() >= limits.max_agents {
            return Err(Refusal::LimitExceeded { what: "agents", limit: limits.max_agents });
        }
        if name.parse::<Id>().is_ok() {
            return Err(Refusal::NameIsId { name: name.clone() });
        }
        if let Some(agent) = self.named(name) {
            return Err(Refusal::NameTaken { name: name.clone(), agent });
        }
        check_size("name", name.len(), MAX_NAME)?;
        register.rule.as_ref().map_or(Ok(()), check_globs)?;
        let sizes = sizes(register);
        for (record, size) in Record::ALL.into_iter().zip(sizes) {
            check_size(record.as_str(), size, limits.max_record_size)?;
        }
        if self.bytes + sizes.iter().sum::<usize>() > limits.max_records_size {
            return Err(Refusal::LimitExceeded { what: "bytes of records", limit: limits.max_records_size });
        }
        Ok(())
    }

    /// Counts a record in place of the one that it replaces, if there is room.
    pub(super) fn charge(
        &mut self,
        id: Id,
        record: Record,
        size: usize,
        limits: &HubLimits,
    ) -> Result<(), Refusal> {
        check_size(record.as_str(), size, limits.max_record_size)?;
        let Some(agent) = self.agents.get_mut(&id) else { return Ok(()) };
        let counted = &mut agent.sizes[record as usize];
        let (others, limit) = (self.bytes - *counted, limits.max_records_size);
        if size > *counted && others + size > limit {
            return Err(Refusal::LimitExceeded { what: "bytes of records", limit });
        }
        *counted = size;
        self.bytes = others + size;
        Ok(())
    }

    /// Each passport, and whether its agent is bound.
    pub(super) fn passports(&self) -> impl Iterator<Item = (&Passport, bool)> {
        self.agents.values().map(|agent| (&agent.passport, agent.endpoint.is_some()))
    }

    /// Adds a checked agent under `id`.
    pub(super) fn add(&mut self, id: Id, register: Register, now: Timestamp) -> Passport {
        let sizes = sizes(&register);
        self.bytes += sizes.iter().sum::<usize>();
        let mut passport = register.passport;
        passport.agent_id = Some(id.to_string());
        passport.created_at = now.to_string();
        passport.auth.claim = Claim::none(); // it has proved what it had to
        self.names.insert(passport.name.clone(), id);
        let rule = register.rule.filter(|rule| *rule != *self.common_rule);
        let agent = Agent {
            sizes,
            passport: passport.clone(),
            resume: register.resume,
            rule: rule.map_or_else(|| self.common_rule.clone(), Arc::new),
            skill: register.skill_md,
            endpoint: None,
            channels: BTreeSet::new(),
            active: 0,
            created: 0,
            inbox: 0,
            posted: 0,
            bucket: Bucket::default(),
            hub_bucket: Bucket::default(),
        };
        self.agents.insert(id, Box::new(agent));
        passport
    }

    pub(super) fn remove(&mut self, id: Id) -> Option<Box<Agent>> {
        let agent = self.agents.remove(&id)?;
        self.names.remove(&agent.passport.name);
        self.bytes -= agent.sizes.iter().sum::<usize>();
        Some(agent)
    }

    /// The passports that fit, in the order of registration or of names.
    pub(super) fn list(&self, wanted: &ListAgents) -> Vec<&Passport> {
        let query = wanted.query.as_ref().filter(|query| !query.is_empty()).map(|query| query.to_lowercase());
        let fits = |agent: &&Agent| {
            let kind = agent.passport.effective_kind();
            wanted.kind.as_ref().is_none_or(|wanted| wanted == kind.as_str())
                && wanted.capability.as_ref().is_none_or(|capability| agent.resume.has(capability))
                && query.as_ref().is_none_or(|query| searched(&agent.resume).to_lowercase().contains(query))
        };
        let limit = usize::try_from(wanted.limit).unwrap_or(0);
        if wanted.sort_by.as_deref() == Some("name") {
            let by_name = self.names.values().filter_map(|id| self.agent(*id));
            return by_name.filter(fits).take(limit).map(|agent| &agent.passport).collect();
        }
        self.agents
            .values()
            .map(AsRef::as_ref)
            .filter(fits)
            .take(limit)
            .map(|agent| &agent.passport)
            .collect()
    }
}

/// As much of a summary as is searched: each search goes through those of all agents.
fn searched(resume: &Resume) -> &str {
    let summary = resume.summary.as_str();
    let end = summary.char_indices().nth(Resume::SEARCHED).map_or(summary.len(), |(at, _)| at);
    &summary[..end]
}

/// Participants of other hubs would need a link between hubs.
pub(super) fn check_kind(passport: &Passport) -> Result<(), Refusal> {
    match passport.effective_kind() {
        PassportKind::Agent | PassportKind::Human => Ok(()),
        PassportKind::RemoteAgent => Err(Refusal::RemoteAgent),
    }
}

/// Globs are matched at each post, for each recipient. One that is wild costs its length times that of a name; another is compared.
pub(super) fn check_globs(rule: &Rule) -> Result<(), Refusal> {
    let access = &rule.access;
    let types = &access.channel_types;
    for globs in [&access.inbound_from, &access.outbound_to, &types.initiate, &types.accept] {
        check_size("globs", globs.iter().map(|glob| glob_cost(glob)).sum(), MAX_GLOBS)?;
    }
    Ok(())
}

fn sizes(register: &Register) -> Sizes {
    [
        size_of_json(&register.passport),
        size_of_resume(&register.resume),
        size_of_json(&register.rule),
        register.skill_md.as_ref().map_or(0, String::len),
    ]
}

/// How many bytes a record has in JSON.
pub(super) fn size_of_json<T: Serialize>(record: &T) -> usize {
    to_text(record).map_or(usize::MAX, |text| text.len())
}

/// The same of a resume, in which a text that is hardly anything in JSON still takes its place in memory.
pub(super) fn size_of_resume(resume: &Resume) -> usize {
    let texts = resume.claimed_capabilities.len() + resume.domains.len();
    size_of_json(resume).saturating_add(texts * size_of::<String>())
}

pub(super) fn check_size(what: &'static str, size: usize, limit: usize) -> Result<(), Refusal> {
    if size > limit { Err(Refusal::TooLarge { what, size, limit }) } else { Ok(()) }
}

fn glob_cost(glob: &str) -> usize {
    (glob.len() + LEAST_GLOB) * if is_wild(glob) && glob != "*" { WILD } else { 1 }
}

/// How long a name may be, in bytes.
const MAX_NAME: usize = 256;

/// How much the globs of one list may cost together: in bytes, were none of them wild.
const MAX_GLOBS: usize = 4_096;

/// What a glob costs beside its text, be it empty.
const LEAST_GLOB: usize = 8;

/// How many times as much a wild one counts.
const WILD: usize = 16;
