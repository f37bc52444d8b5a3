//! The operations that read and change what is known of agents and channels.
//!
//! Three circles: discovery is open to anyone, an operation for an agent to the connection that holds it, one on a channel
//! to a connection that holds one of its participants. What may not be seen is refused as AG2 does, which for a channel
//! tells apart that it is not there and that it is another's.

use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use super::{
    board::{Answer, Switchboard},
    channel::Channel,
    registry::{Agent, Record, check_globs, check_kind, check_size, size_of_json, size_of_resume},
};
use crate::link::{
    channel::{ChannelState, Turn},
    envelope::Envelope,
    id::Id,
    json::{InvalidJson, to_text},
    operation::{Operation, Register},
    record::Resume,
    refusal::{Refusal, told},
    rule::Rule,
    time::Timestamp,
};

impl Switchboard {
    /// Does what a tenant asks for, as far as its agents may.
    pub(super) fn perform(
        &mut self,
        endpoint: Id,
        request_id: &str,
        operation: Operation,
    ) -> Result<Answer, Refusal> {
        use Operation as Op;
        let result = match operation {
            Op::Register(register) => self.register(endpoint, *register),
            Op::GetAgent { name_or_id } => self.agent(&name_or_id),
            Op::FindAgentId { name } => json(&self.registry.named(&name)),
            Op::NamesFor { agent_ids } => json(&self.names(&agent_ids)),
            Op::ListAgents(wanted) => self.array(self.registry.list(&wanted).into_iter().map(json)),
            Op::GetResume { agent_id } => json(&self.registry.known("resume", &agent_id)?.1.resume),
            Op::GetSkill { agent_id } => json(&self.skill(&agent_id)),
            Op::GetRule { agent_id } => json(&*self.registry.known("rule", &agent_id)?.1.rule),
            Op::SetResume { agent_id, resume } => self.set_resume(endpoint, &agent_id, resume),
            Op::SetSkill { agent_id, skill_md } => self.set_skill(endpoint, &agent_id, skill_md),
            Op::SetRule { agent_id, rule } => self.set_rule(endpoint, &agent_id, rule),
            Op::Unregister { agent_id } => self.unregister(endpoint, &agent_id),
            Op::CreateChannel(create) => return self.create_channel(endpoint, request_id, &create),
            Op::GetChannel { channel_id } => self.channel_metadata(endpoint, &channel_id),
            Op::CloseChannel { channel_id, reason } => self.close_channel(endpoint, &channel_id, &reason),
            Op::ListChannels { agent_id, limit } => self.list_channels(endpoint, agent_id.as_deref(), limit),
            Op::PostEnvelope { envelope } => json(&self.post(endpoint, *envelope)?),
            Op::ReadWal { channel_id, since, until } => self.read_wal(endpoint, &channel_id, since, until),
            Op::FindEnvelopeByCausation { channel_id, sender_id, causation_id } => {
                self.find_by_causation(endpoint, &channel_id, &sender_id, &causation_id)
            }
            Op::CanSend { channel_id, sender_id, event_type } => {
                self.can_send(endpoint, &channel_id, &sender_id, event_type.as_deref())
            }
            Op::PendingTurnsFor { agent_id } => self.pending_turns(endpoint, &agent_id),
            Op::ReportTurnFailure { channel_id, agent_id, .. } => {
                self.report_turn_failure(endpoint, &channel_id, &agent_id)
            }
            Op::PresenceFor { agent_ids } => self.presence(endpoint, &agent_ids),
        };
        result.map(Answer::Now)
    }

    // ---- agents

    /// The claim first: who may not use a name learns nothing of it, not even that it is taken.
    fn register(&mut self, endpoint: Id, register: Register) -> Result<String, Refusal> {
        check_kind(&register.passport)?;
        let auth = &register.passport.auth;
        if let Err(error) = self.auth.validate(&auth.scheme, &register.passport, &auth.claim) {
            self.count_refusal(endpoint);
            return Err(error.into());
        }
        self.registry.check(&register, &self.limits)?;
        let id = self.ids.next(self.now);
        self.check_room(endpoint, id)?;
        let passport = self.registry.add(id, register, self.now);
        self.bind(endpoint, id);
        json(&passport)
    }

    fn agent(&self, name_or_id: &str) -> Result<String, Refusal> {
        let missing = || Refusal::NotFound { what: "agent", id: told(name_or_id) };
        json(&self.registry.by_name_or_id(name_or_id).ok_or_else(missing)?.passport)
    }

    fn skill(&self, agent_id: &str) -> Option<&String> {
        self.registry.by_text(agent_id).and_then(|(_, agent)| agent.skill.as_ref())
    }

    fn set_resume(&mut self, endpoint: Id, agent_id: &str, mut resume: Resume) -> Result<String, Refusal> {
        let id = self.bound(endpoint, agent_id)?;
        let now = self.now.to_string();
        self.registry.charge(id, Record::Resume, size_of_resume(&resume), &self.limits)?;
        let agent = self.bound_agent(endpoint, agent_id)?;
        resume.version = agent.resume.version.saturating_add(1);
        resume.last_updated = now;
        agent.resume = resume;
        Ok(NULL.to_owned())
    }

    fn set_skill(&mut self, endpoint: Id, agent_id: &str, skill: Option<String>) -> Result<String, Refusal> {
        let id = self.bound(endpoint, agent_id)?;
        let size = skill.as_ref().map_or(0, String::len);
        self.registry.charge(id, Record::Skill, size, &self.limits)?;
        self.bound_agent(endpoint, agent_id)?.skill = skill;
        Ok(NULL.to_owned())
    }

    fn set_rule(&mut self, endpoint: Id, agent_id: &str, mut rule: Rule) -> Result<String, Refusal> {
        let id = self.bound(endpoint, agent_id)?;
        check_globs(&rule)?;
        self.registry.charge(id, Record::Rule, size_of_json(&rule), &self.limits)?;
        let agent = self.bound_agent(endpoint, agent_id)?;
        rule.version = agent.rule.version.saturating_add(1);
        agent.rule = Arc::new(rule);
        Ok(NULL.to_owned())
    }

    /// The agent goes; the channels it is in stay, without it, until nobody is left in them.
    fn unregister(&mut self, endpoint: Id, agent_id: &str) -> Result<String, Refusal> {
        let id = self.bound(endpoint, agent_id)?;
        let Some(agent) = self.registry.remove(id) else { return Ok(NULL.to_owned()) };
        if let Some(connection) = self.endpoints.get_mut(&endpoint) {
            connection.agents.remove(&id);
        }
        for channel in agent.channels {
            if let Some(cursor) = self.cursor(id, channel) {
                cursor.clear();
            }
            self.end_if_deserted(channel);
        }
        Ok(NULL.to_owned())
    }

    /// An unknown id is its own name, so that a tenant can print what it gets.
    fn names(&self, ids: &[String]) -> BTreeMap<String, String> {
        let name = |id: &String| {
            let known = self.registry.by_text(id).map(|(_, agent)| agent.passport.name.clone());
            (id.clone(), known.unwrap_or_else(|| id.clone()))
        };
        ids.iter().map(name).collect()
    }

    fn presence(&self, endpoint: Id, ids: &[String]) -> Result<String, Refusal> {
        if self.endpoints.get(&endpoint).is_none_or(|connection| connection.agents.is_empty()) {
            return Err(Refusal::NoAgent);
        }
        let online = |id: &String| {
            let agent = self.registry.by_text(id);
            (id.clone(), agent.is_some_and(|(_, agent)| agent.endpoint.is_some()))
        };
        json(&ids.iter().map(online).collect::<BTreeMap<_, _>>())
    }

    // ---- channels

    fn channel_metadata(&self, endpoint: Id, channel_id: &str) -> Result<String, Refusal> {
        json(&self.shared_channel(endpoint, channel_id)?.record.metadata())
    }

    fn close_channel(&mut self, endpoint: Id, channel_id: &str, reason: &str) -> Result<String, Refusal> {
        let channel = self.shared_channel(endpoint, channel_id)?.record.id;
        check_size("reason", reason.len(), self.limits.max_record_size)?;
        self.end(channel, ChannelState::Closed, if reason.is_empty() { "explicit_close" } else { reason });
        // With no closed channel kept, it may be gone by now.
        json(&self.channel(channel)?.record.metadata())
    }

    /// In the order of their creation, which is that of their ids.
    fn list_channels(&self, endpoint: Id, agent: Option<&str>, limit: i64) -> Result<String, Refusal> {
        let agents = match agent {
            Some(agent) => vec![self.bound(endpoint, agent)?],
            None => {
                self.endpoints.get(&endpoint).map_or_else(Vec::new, |it| it.agents.iter().copied().collect())
            }
        };
        let channels = agents.iter().filter_map(|agent| self.registry.agent(*agent));
        let ids: BTreeSet<Id> = channels.flat_map(|agent| agent.channels.iter().copied()).collect();
        let found = ids.iter().filter_map(|id| self.channels.get(id));
        let found = found.take(usize::try_from(limit).unwrap_or(0));
        self.array(found.map(|channel| json(&channel.record.metadata())))
    }

    /// Counted, and no more: whoever operates the hub sees it in its statistics.
    fn report_turn_failure(
        &mut self,
        endpoint: Id,
        channel_id: &str,
        agent_id: &str,
    ) -> Result<String, Refusal> {
        let agent = self.bound(endpoint, agent_id)?;
        let place = self.known_channel(channel_id).and_then(|channel| channel.record.place(agent));
        if place.is_none() {
            return Err(Refusal::NotInChannel { channel: told(channel_id) });
        }
        self.stats.failed_turns += 1;
        Ok(NULL.to_owned())
    }

    /// The slice of the log, envelopes spliced as they stand there. O(answer).
    fn read_wal(
        &self,
        endpoint: Id,
        channel_id: &str,
        since: i64,
        until: Option<i64>,
    ) -> Result<String, Refusal> {
        let channel = self.shared_channel(endpoint, channel_id)?.record.id;
        let places = slice(since, until, self.store.len(channel));
        let entries = places.map_while(|place| self.store.entry(channel, place));
        self.array(entries.map(|entry| Ok(entry.json)))
    }

    /// An array of these texts, in JSON, up to the first with which it is more than an answer can hold: it is refused whole, since
    /// a part of it would look like the whole.
    fn array<T: AsRef<str>>(
        &self,
        texts: impl Iterator<Item = Result<T, Refusal>>,
    ) -> Result<String, Refusal> {
        let limit = self.limits.max_message_size;
        let mut answer = String::from("[");
        for text in texts {
            if answer.len() > 1 {
                answer.push_str(", ");
            }
            answer.push_str(text?.as_ref());
            if answer.len() > limit {
                return Err(Refusal::TooLarge { what: "answer", size: answer.len(), limit });
            }
        }
        answer.push(']');
        Ok(answer)
    }

    /// With this a tenant knows whether it has answered already. Another agent, channel or cause is simply not found.
    fn find_by_causation(
        &self,
        endpoint: Id,
        channel_id: &str,
        sender_id: &str,
        causation_id: &str,
    ) -> Result<String, Refusal> {
        let channel = self.shared_channel(endpoint, channel_id)?;
        let place = sender_id.parse().ok().and_then(|sender| channel.record.place(sender));
        let position = place.and_then(|place| channel.causes.get(&(place, causation_id.to_owned())));
        let entry = position.and_then(|position| self.store.entry(channel.record.id, *position));
        Ok(entry.map_or_else(|| NULL.to_owned(), |entry| entry.json.as_ref().to_owned()))
    }

    fn can_send(
        &self,
        endpoint: Id,
        channel_id: &str,
        sender_id: &str,
        event: Option<&str>,
    ) -> Result<String, Refusal> {
        let sender = self.bound(endpoint, sender_id)?;
        let may = self.known_channel(channel_id).is_some_and(|channel| {
            let is_text = event.is_none_or(|event| event.is_empty() || event == Envelope::TEXT);
            let place = channel.record.place(sender);
            !channel.record.state.is_terminal()
                && place.is_some_and(|place| !is_text || channel.turn.allows(place))
        });
        json(&may)
    }

    fn pending_turns(&self, endpoint: Id, agent_id: &str) -> Result<String, Refusal> {
        let id = self.bound(endpoint, agent_id)?;
        let channels = self.registry.agent(id).into_iter().flat_map(|agent| &agent.channels);
        let pending = channels.filter_map(|channel| self.pending_turn(self.channels.get(channel)?, id));
        self.array(pending.map(|turn| json(&turn)))
    }

    fn pending_turn(&self, channel: &Channel, agent: Id) -> Option<PendingTurn> {
        let Turn::Of { place, since } = channel.turn else { return None };
        if channel.record.state.is_terminal() || channel.record.participants[place] != agent {
            return None;
        }
        // An id carries the time at which it was made, unless the clock stood still then: the log is not searched for it.
        let expected_at = since.map_or(self.now, |id| Timestamp::from_nanos(id.nanos()));
        Some(PendingTurn { channel_id: channel.record.id, triggering_envelope_id: since, expected_at })
    }

    // ---- who may

    /// The agent of this id, if the connection holds it.
    pub(super) fn bound(&self, endpoint: Id, agent: &str) -> Result<Id, Refusal> {
        let held = agent.parse().ok().filter(|id| self.holds(endpoint, *id));
        held.ok_or_else(|| Refusal::NotBound { agent: told(agent) })
    }

    fn bound_agent(&mut self, endpoint: Id, agent: &str) -> Result<&mut Agent, Refusal> {
        let id = self.bound(endpoint, agent)?;
        let unknown = || Refusal::NotRegistered { what: "agent", id: id.to_string() };
        self.registry.agent_mut(id).ok_or_else(unknown)
    }

    /// The channel of this id, if one of the connection's agents is in it.
    fn shared_channel(&self, endpoint: Id, channel_id: &str) -> Result<&Channel, Refusal> {
        let missing = || Refusal::NotFound { what: "channel", id: told(channel_id) };
        let channel = self.known_channel(channel_id).ok_or_else(missing)?;
        let shared = channel.record.participants.iter().any(|agent| self.holds(endpoint, *agent));
        if shared { Ok(channel) } else { Err(Refusal::NoParticipant { channel: told(channel_id) }) }
    }
}

#[derive(Serialize)]
struct PendingTurn {
    channel_id: Id,
    triggering_envelope_id: Option<Id>,
    expected_at: Timestamp,
}

fn json<T: Serialize>(value: &T) -> Result<String, Refusal> {
    Ok(to_text(value).map_err(InvalidJson::from)?)
}

/// `[since:until]` of Python: a place below zero counts from the end.
fn slice(since: i64, until: Option<i64>, len: u64) -> Range<u64> {
    let place = |at: i64| match u64::try_from(at) {
        Ok(at) => at.min(len),
        Err(_) => len.saturating_sub(at.unsigned_abs()),
    };
    place(since)..until.map_or(len, place)
}

const NULL: &str = "null";
