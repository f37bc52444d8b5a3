//! The agents of a hub, by id and by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use crate::link::{
    auth::Claim,
    error::Refusal,
    id::Id,
    json::to_text,
    operation::{ListAgents, Register},
    rate::Bucket,
    record::{Passport, PassportKind, Resume},
    rule::Rule,
    time::Timestamp,
};

use super::{config::HubLimits, room::told};

/// One agent.
#[derive(Debug)]
pub(crate) struct Agent {
    /// Bytes in its records.
    size: usize,
    pub(crate) passport: Passport,
    pub(crate) resume: Resume,
    pub(crate) rule: Arc<Rule>,
    pub(crate) skill: Option<String>,
    /// The connection that holds it.
    pub(crate) endpoint: Option<Id>,
    /// All channels it is in, closed ones too, in the order in which they were created.
    pub(crate) channels: BTreeSet<Id>,
    /// How many of these have not ended.
    pub(crate) active: usize,
    /// How many of those it created.
    pub(crate) created: u64,
    /// Content that is owed to it and not acknowledged, in all its channels.
    pub(crate) inbox: u64,
    /// Bytes that it has posted and that are still kept.
    pub(crate) posted: usize,
    /// For the rate of its own rule.
    pub(crate) bucket: Bucket,
    /// For the hub's rate.
    pub(crate) hub_bucket: Bucket,
}

/// All agents. Each name belongs to one of them, and each of them has one.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// Each in a box, since ids come in order, which leaves the leaves of a tree half empty.
    agents: BTreeMap<Id, Box<Agent>>,
    names: BTreeMap<String, Id>,
    /// In all records: the sum of the agents' `size`.
    bytes: usize,
    /// The rule of nearly everyone, kept once.
    common_rule: Arc<Rule>,
}

impl Registry {
    pub(crate) fn len(&self) -> usize {
        self.agents.len()
    }

    pub(crate) fn online(&self) -> usize {
        self.agents.values().filter(|agent| agent.endpoint.is_some()).count()
    }

    pub(crate) fn agent(&self, id: Id) -> Option<&Agent> {
        self.agents.get(&id).map(AsRef::as_ref)
    }

    pub(crate) fn agent_mut(&mut self, id: Id) -> Option<&mut Agent> {
        self.agents.get_mut(&id).map(AsMut::as_mut)
    }

    /// The agent of this name.
    pub(crate) fn named(&self, name: &str) -> Option<Id> {
        self.names.get(name).copied()
    }

    /// The agent of this id, written as on the wire.
    pub(crate) fn by_text(&self, id: &str) -> Option<(Id, &Agent)> {
        let id = id.parse().ok()?;
        Some((id, self.agent(id)?))
    }

    /// The same, or a refusal that names what was looked for.
    pub(crate) fn known(&self, what: &'static str, id: &str) -> Result<(Id, &Agent), Refusal> {
        self.by_text(id).ok_or_else(|| Refusal::NotFound { what, id: told(id) })
    }

    /// An id wins over a name.
    pub(crate) fn by_name_or_id(&self, text: &str) -> Option<&Agent> {
        let named = || self.agent(self.named(text)?);
        self.by_text(text).map(|(_, agent)| agent).or_else(named)
    }

    /// Whether there is room for the agent, and its name is free.
    pub(crate) fn check(&self, register: &Register, limits: &HubLimits) -> Result<(), Refusal> {
        let name = &register.passport.name;
        if self.agents.len() >= limits.agents {
            return Err(Refusal::LimitExceeded { what: "agents", limit: limits.agents });
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
        for (what, size) in sizes {
            check_size(what, size, limits.record)?;
        }
        let size: usize = sizes.iter().map(|(_, size)| size).sum();
        if self.bytes + size > limits.records {
            return Err(Refusal::LimitExceeded { what: "bytes of records", limit: limits.records });
        }
        Ok(())
    }

    /// Counts a record in place of an old one, if there is room.
    pub(crate) fn charge(
        &mut self,
        id: Id,
        freed: impl FnOnce(&Agent) -> usize,
        added: usize,
        limit: usize,
    ) -> Result<(), Refusal> {
        let Some(agent) = self.agents.get_mut(&id) else { return Ok(()) };
        let freed = freed(agent).min(agent.size);
        if added > freed && self.bytes - freed + added > limit {
            return Err(Refusal::LimitExceeded { what: "bytes of records", limit });
        }
        agent.size = agent.size - freed + added;
        self.bytes = self.bytes - freed + added;
        Ok(())
    }

    /// Each passport, and whether its agent is bound.
    pub(crate) fn passports(&self) -> impl Iterator<Item = (&Passport, bool)> {
        self.agents.values().map(|agent| (&agent.passport, agent.endpoint.is_some()))
    }

    /// Adds a checked agent under `id`.
    pub(crate) fn add(&mut self, id: Id, register: Register, now: Timestamp) -> Passport {
        let size = sizes(&register).iter().map(|(_, size)| size).sum();
        self.bytes += size;
        let mut passport = register.passport;
        passport.agent_id = Some(id.to_string());
        passport.created_at = now.to_string();
        passport.auth.claim = Claim::none(); // it has proved what it had to
        self.names.insert(passport.name.clone(), id);
        let rule = register.rule.filter(|rule| *rule != *self.common_rule);
        let agent = Agent {
            size,
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

    pub(crate) fn remove(&mut self, id: Id) -> Option<Box<Agent>> {
        let agent = self.agents.remove(&id)?;
        self.names.remove(&agent.passport.name);
        self.bytes = self.bytes.saturating_sub(agent.size);
        Some(agent)
    }

    /// The passports that fit, in the order of registration or of names.
    pub(crate) fn list(&self, wanted: &ListAgents) -> Vec<&Passport> {
        let query = wanted.query.as_ref().filter(|query| !query.is_empty()).map(|query| query.to_lowercase());
        let fits = |agent: &&Agent| {
            let kind = agent.passport.effective_kind();
            wanted.kind.as_ref().is_none_or(|wanted| wanted == kind.as_str())
                && wanted.capability.as_ref().is_none_or(|capability| agent.resume.has(capability))
                && query.as_ref().is_none_or(|query| agent.resume.summary.to_lowercase().contains(query))
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

/// Participants of other hubs would need a link between hubs.
pub(crate) fn check_kind(passport: &Passport) -> Result<(), Refusal> {
    match passport.effective_kind() {
        PassportKind::Agent | PassportKind::Human => Ok(()),
        PassportKind::RemoteAgent => Err(Refusal::RemoteAgent),
    }
}

/// Globs are matched at each post, which costs their length times that of a name.
pub(crate) fn check_globs(rule: &Rule) -> Result<(), Refusal> {
    let access = &rule.access;
    let types = &access.channel_types;
    for globs in [&access.inbound_from, &access.outbound_to, &types.initiate, &types.accept] {
        check_size("globs", globs.iter().map(String::len).sum(), MAX_GLOBS)?;
    }
    Ok(())
}

fn sizes(register: &Register) -> [(&'static str, usize); 4] {
    [
        ("passport", size_of_json(&register.passport)),
        ("resume", size_of_json(&register.resume)),
        ("rule", size_of_json(&register.rule)),
        ("skill", register.skill_md.as_ref().map_or(0, String::len)),
    ]
}

/// How many bytes a record has in JSON.
pub(crate) fn size_of_json<T: Serialize>(record: &T) -> usize {
    to_text(record).map_or(usize::MAX, |text| text.len())
}

pub(crate) fn check_size(what: &'static str, size: usize, limit: usize) -> Result<(), Refusal> {
    if size > limit { Err(Refusal::TooLarge { what, size, limit }) } else { Ok(()) }
}

/// How long a name may be, in bytes.
const MAX_NAME: usize = 256;

/// How long the globs of one list may be together, in bytes.
const MAX_GLOBS: usize = 4_096;
