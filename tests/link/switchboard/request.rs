//! Discovery, records, logs.

use serde_json::{Value, json};

use crate::support::{Hub, code, text};
use wscope::link::{
    HubConfig, HubLimits, ListAgents, Operation, Passport, PassportKind, Register, Resume, Rule,
};

fn agent(name: &str, summary: &str, capability: &str) -> Register {
    let mut register = Register::new(Passport::new(name));
    register.resume.summary = summary.to_owned();
    register.resume.claimed_capabilities = vec![capability.to_owned()];
    register
}

#[test]
fn agents_are_found_by_name_id_capability_summary_and_kind() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    let zoe = hub.register_as(connection, agent("zoe", "Policy agent", "policy"));
    let adam = hub.register_as(
        connection,
        agent("adam", &format!("writes CODE {} end of it", "é".repeat(Resume::SEARCHED)), "code"),
    );
    let mut human = Register::new(Passport::new("eve"));
    human.passport.kind = Some(PassportKind::Human);
    hub.register_as(connection, human);

    let mut names = |change: fn(&mut ListAgents)| {
        let mut wanted = ListAgents::default();
        change(&mut wanted);
        let list = hub.request(connection, &Operation::ListAgents(wanted)).unwrap();
        let names: Vec<String> =
            list.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        names.join(" ")
    };
    assert_eq!(names(|_| {}), "zoe adam eve");
    assert_eq!(names(|it| it.sort_by = Some("name".into())), "adam eve zoe");
    assert_eq!(names(|it| it.limit = 2), "zoe adam");
    assert_eq!(names(|it| it.limit = -1), "");
    assert_eq!(names(|it| it.capability = Some("code".into())), "adam");
    assert_eq!(names(|it| it.query = Some("Code".into())), "adam");
    assert_eq!(names(|it| it.query = Some(String::new())), "zoe adam eve");
    assert_eq!(names(|it| it.query = Some("end of it".into())), "");
    assert_eq!(names(|it| it.kind = Some("agent".into())), "zoe adam");
    assert_eq!(names(|it| it.kind = Some("human".into())), "eve");

    let get = |text: &str| Operation::GetAgent { name_or_id: text.to_owned() };
    assert_eq!(hub.request(connection, &get("zoe")).unwrap()["agent_id"], zoe.id.as_str());
    assert_eq!(hub.request(connection, &get(&adam.id)).unwrap()["name"], "adam");
    let ids = vec![zoe.id.clone(), "ghost".to_owned()];
    let named = hub.request(connection, &Operation::NamesFor { agent_ids: ids }).unwrap();
    assert_eq!(named, json!({zoe.id.as_str(): "zoe", "ghost": "ghost"}));
    let find = |name: &str| Operation::FindAgentId { name: name.to_owned() };
    assert_eq!(hub.request(connection, &find("adam")).unwrap(), adam.id.as_str());
    assert_eq!(hub.request(connection, &find("ghost")).unwrap(), Value::Null);
}

#[test]
fn a_name_is_free_not_an_id_and_free_again_when_its_agent_is_gone() {
    let mut hub = Hub::new();
    let alice = hub.join("alice");
    let register = |name: &str| Operation::Register(Box::new(Register::new(Passport::new(name))));
    let (refused, message) = hub.request(alice.connection, &register("alice")).unwrap_err();
    assert_eq!(refused, "protocol_error");
    assert_eq!(
        message,
        format!(
            "name 'alice' already registered (agent_id={}); unregister it before re-registering.",
            alice.id
        )
    );
    assert_eq!(code(hub.request(alice.connection, &register(&alice.id))), "protocol_error");
    let mut remote = Register::new(Passport::new("far"));
    remote.passport.kind = Some(PassportKind::RemoteAgent);
    assert_eq!(code(hub.request(alice.connection, &Operation::Register(Box::new(remote)))), "access_denied");
    hub.request(alice.connection, &Operation::Unregister { agent_id: alice.id.clone() }).unwrap();
    assert_eq!(
        code(hub.request(alice.connection, &Operation::Unregister { agent_id: alice.id })),
        "access_denied"
    );
    assert!(hub.request(alice.connection, &register("alice")).is_ok());
}

#[test]
fn records_are_changed_by_who_holds_the_agent_and_count_their_versions() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let agent_id = || alice.id.clone();
    let mut resume = Resume::default();
    resume.summary = "new".to_owned();
    let mut rule = Rule::default();
    rule.limits.delegation_depth = 1;
    let changes = [
        Operation::SetResume { agent_id: agent_id(), resume },
        Operation::SetRule { agent_id: agent_id(), rule },
        Operation::SetSkill { agent_id: agent_id(), skill_md: Some("# skill".to_owned()) },
    ];
    for change in &changes {
        assert_eq!(code(hub.request(bob.connection, change)), "access_denied");
        assert_eq!(hub.request(alice.connection, change).unwrap(), Value::Null);
    }
    let resume = hub.request(bob.connection, &Operation::GetResume { agent_id: agent_id() }).unwrap();
    assert_eq!((&resume["summary"], &resume["version"]), (&json!("new"), &json!(2)));
    assert_eq!(resume["last_updated"], "2026-11-21T06:35:41+00:00");
    let rule = hub.request(bob.connection, &Operation::GetRule { agent_id: agent_id() }).unwrap();
    assert_eq!((&rule["limits"]["delegation_depth"], &rule["version"]), (&json!(1), &json!(2)));
    let skill = |id: &str| Operation::GetSkill { agent_id: id.to_owned() };
    assert_eq!(hub.request(bob.connection, &skill(&alice.id)).unwrap(), "# skill");
    assert_eq!(hub.request(bob.connection, &skill("ghost")).unwrap(), Value::Null);
    assert_eq!(
        code(hub.request(bob.connection, &Operation::GetRule { agent_id: "ghost".to_owned() })),
        "not_found"
    );
}

#[test]
fn agents_and_their_records_have_limits() {
    let mut limits = HubLimits::new();
    (limits.max_agents, limits.max_agents_per_endpoint, limits.max_record_size) = (3, 2, 1_000);
    let mut hub = Hub::with(HubConfig::new().limits(limits));
    let connection = hub.attach();
    let register = |register: Register| Operation::Register(Box::new(register));
    let named = |name: &str| register(Register::new(Passport::new(name)));
    let mut fat = Register::new(Passport::new("fat"));
    fat.skill_md = Some("x".repeat(1_001));
    assert_eq!(code(hub.request(connection, &register(fat))), "too_large");
    assert!(hub.request(connection, &named("a")).is_ok());
    assert!(hub.request(connection, &named("b")).is_ok());
    assert_eq!(code(hub.request(connection, &named("c"))), "limit_exceeded");
    hub.join("c");
    let other = hub.attach();
    assert_eq!(code(hub.request(other, &named("d"))), "limit_exceeded");
}

#[test]
fn records_of_all_agents_together_have_a_limit_and_names_and_globs_too() {
    let mut limits = HubLimits::new();
    limits.max_records_size = 4_000;
    let mut hub = Hub::with(HubConfig::new().limits(limits));
    let alice = hub.join("alice");
    let skill =
        |length| Operation::SetSkill { agent_id: alice.id.clone(), skill_md: Some("x".repeat(length)) };
    hub.request(alice.connection, &skill(3_000)).unwrap();
    let bob = Operation::Register(Box::new(agent("bob", &"x".repeat(500), "x")));
    assert_eq!(code(hub.request(alice.connection, &bob)), "limit_exceeded");
    assert_eq!(code(hub.request(alice.connection, &skill(4_000))), "limit_exceeded");
    hub.request(alice.connection, &skill(10)).unwrap();
    hub.request(alice.connection, &bob).unwrap();
    let mut rule = Rule::default();
    rule.access.inbound_from = vec!["*a".repeat(2_049)];
    let rule = Operation::SetRule { agent_id: alice.id.clone(), rule };
    assert_eq!(code(hub.request(alice.connection, &rule)), "too_large");
    let long = Operation::Register(Box::new(Register::new(Passport::new("n".repeat(257)))));
    assert_eq!(code(hub.request(alice.connection, &long)), "too_large");
    hub.request(alice.connection, &Operation::Unregister { agent_id: alice.id.clone() }).unwrap();
    let names: Vec<(&str, bool)> =
        hub.board.agents().map(|(it, online)| (it.name.as_str(), online)).collect();
    assert_eq!(names, [("bob", true)]);
}

#[test]
fn a_log_is_read_as_a_python_slice() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    for said in ["a", "b", "c"] {
        hub.post_text(&alice, &channel, said).unwrap();
    }
    let mut read = |since, until| {
        let read = Operation::ReadWal { channel_id: channel.clone(), since, until };
        let list = hub.request(bob.connection, &read).unwrap();
        let short = |it: &Value| it["event_data"]["text"].as_str().unwrap_or("-").to_owned();
        list.as_array().unwrap().iter().map(short).collect::<String>()
    };
    assert_eq!(read(0, None), "---abc", "invite, ack, opened, and what was said");
    assert_eq!(read(3, Some(5)), "ab");
    assert_eq!(read(-2, None), "bc");
    assert_eq!(read(3, Some(-1)), "ab");
    assert_eq!(read(-100, Some(100)), "---abc");
    assert_eq!(read(5, Some(3)), "");
    assert_eq!(read(i64::MIN, Some(i64::MAX)), "---abc");
    let carol = hub.join("carol");
    let read = Operation::ReadWal { channel_id: channel.clone(), since: 0, until: None };
    assert_eq!(code(hub.request(carol.connection, &read)), "access_denied");
    let ghost = Operation::ReadWal { channel_id: "ghost".to_owned(), since: 0, until: None };
    assert_eq!(code(hub.request(carol.connection, &ghost)), "not_found");
}

#[test]
fn the_last_answer_to_an_envelope_is_found_until_the_channel_ends() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    for said in ["first", "second"] {
        let mut answer = text(&channel, &bob, said);
        answer.causation_id = Some("cause".to_owned());
        hub.post(&bob, answer).unwrap();
    }
    let find = |sender: &str, causation: &str| Operation::FindEnvelopeByCausation {
        channel_id: channel.clone(),
        sender_id: sender.to_owned(),
        causation_id: causation.to_owned(),
    };
    let found = hub.request(alice.connection, &find(&bob.id, "cause")).unwrap();
    assert_eq!(found["event_data"]["text"], "second");
    for none in [find(&alice.id, "cause"), find(&bob.id, "other"), find("ghost", "cause")] {
        assert_eq!(hub.request(alice.connection, &none).unwrap(), Value::Null);
    }
    let close = Operation::CloseChannel { channel_id: channel.clone(), reason: String::new() };
    hub.request(alice.connection, &close).unwrap();
    assert_eq!(hub.request(alice.connection, &find(&bob.id, "cause")).unwrap(), Value::Null);
}

#[test]
fn channels_are_listed_for_one_agent_or_for_all_of_the_connection() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    let (alice, bob) = (hub.register(connection, "alice"), hub.register(connection, "bob"));
    let carol = hub.join("carol");
    let first = hub.open("conversation", &alice, &[&carol]);
    let second = hub.open("conversation", &bob, &[&carol]);
    let close = Operation::CloseChannel { channel_id: first.clone(), reason: String::new() };
    hub.request(connection, &close).unwrap();
    let mut list = |agent_id: Option<&str>, limit| {
        let list = Operation::ListChannels { agent_id: agent_id.map(str::to_owned), limit };
        let found = hub.request(connection, &list).map_err(|(code, _)| code)?;
        Ok(found
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["channel_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>())
    };
    assert_eq!(list(None, 50), Ok(vec![first.clone(), second.clone()]), "the closed one too");
    assert_eq!(list(None, 1), Ok(vec![first.clone()]));
    assert_eq!(list(Some(&bob.id), 50), Ok(vec![second]));
    assert_eq!(list(Some(&carol.id), 50), Err("access_denied".to_owned()));
}

#[test]
fn a_failed_turn_is_counted_for_a_participant() {
    let mut hub = Hub::new();
    let (alice, bob, carol) = (hub.join("alice"), hub.join("bob"), hub.join("carol"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let report = |agent: &str| Operation::ReportTurnFailure {
        channel_id: channel.clone(),
        agent_id: agent.to_owned(),
        envelope_id: String::new(),
        error: "boom".to_owned(),
    };
    assert_eq!(hub.request(bob.connection, &report(&bob.id)).unwrap(), Value::Null);
    assert_eq!(code(hub.request(carol.connection, &report(&carol.id))), "access_denied");
    assert_eq!(code(hub.request(carol.connection, &report(&bob.id))), "access_denied");
    assert_eq!(hub.board.stats().failed_turns, 1);
}
