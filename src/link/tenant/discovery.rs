//! What a tenant can ask about agents; none of it needs an agent of one's own.

use std::collections::BTreeMap;

use super::{error::RequestError, handle::Tenant};
use crate::link::{
    operation::{ListAgents, Operation},
    record::{Passport, Resume},
    rule::Rule,
};

/// ```no_run
/// use wscope::link::{ListAgents, Tenant};
///
/// async fn who_knows_policy(tenant: &Tenant) -> Result<Vec<String>, wscope::link::RequestError> {
///     let mut wanted = ListAgents::default();
///     wanted.capability = Some("policy".to_owned());
///     Ok(tenant.list_agents(wanted).await?.into_iter().map(|passport| passport.name).collect())
/// }
/// # let _ = who_knows_policy;
/// ```
impl Tenant {
    /// The passport of an agent; an id wins over a name. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`]; an unknown agent is [`NotFound`](crate::link::ErrorCode::NotFound).
    pub async fn passport_of(&self, name_or_id: &str) -> Result<Passport, RequestError> {
        self.ask(&Operation::GetAgent { name_or_id: name_or_id.to_owned() }).await
    }

    /// The id of a name, if there is one. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn find_agent_id(&self, name: &str) -> Result<Option<String>, RequestError> {
        self.ask(&Operation::FindAgentId { name: name.to_owned() }).await
    }

    /// The names of ids; an unknown id is its own name. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn names_for<I: Into<String>>(
        &self,
        agent_ids: impl IntoIterator<Item = I>,
    ) -> Result<BTreeMap<String, String>, RequestError> {
        let agent_ids = agent_ids.into_iter().map(Into::into).collect();
        self.ask(&Operation::NamesFor { agent_ids }).await
    }

    /// The passports of those that fit, fifty of them unless another limit is set. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn list_agents(&self, wanted: ListAgents) -> Result<Vec<Passport>, RequestError> {
        self.ask(&Operation::ListAgents(wanted)).await
    }

    /// What an agent says that it can do. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn resume_of(&self, agent_id: &str) -> Result<Resume, RequestError> {
        self.ask(&Operation::GetResume { agent_id: agent_id.to_owned() }).await
    }

    /// The same in prose, if there is any. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn skill_of(&self, agent_id: &str) -> Result<Option<String>, RequestError> {
        self.ask(&Operation::GetSkill { agent_id: agent_id.to_owned() }).await
    }

    /// What an agent may do, and lets others do. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn rule_of(&self, agent_id: &str) -> Result<Rule, RequestError> {
        self.ask(&Operation::GetRule { agent_id: agent_id.to_owned() }).await
    }

    /// Which of these agents are connected. AG2's own hub does not know this operation, and refuses it. Cancel-safe.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn presence_for<I: Into<String>>(
        &self,
        agent_ids: impl IntoIterator<Item = I>,
    ) -> Result<BTreeMap<String, bool>, RequestError> {
        let agent_ids = agent_ids.into_iter().map(Into::into).collect();
        self.ask(&Operation::PresenceFor { agent_ids }).await
    }
}
