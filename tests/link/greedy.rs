//! Greedy tenants: what a few small frames can make the hub keep, read or write, is bounded whoever sends them.

use serde_json::{Value, json};
use wscope::link::{
    CreateChannel, Envelope, HubConfig, HubLimits, ListAgents, Operation, Passport, Payload, Register,
    Resume, Rule, Ttl,
};

use crate::support::{Bound, Hub, code};

const MIB: usize = 1 << 20;

fn limited(change: impl FnOnce(&mut HubLimits)) -> Hub {
    let mut limits = HubLimits::default();
    change(&mut limits);
    Hub::with(HubConfig::new().limits(limits))
}

/// The size that a refusal names.
fn size_of(refused: &(String, String)) -> usize {
    assert_eq!(refused.0, "too_large");
    refused.1.split(" of ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
}

fn register(name: &str) -> Register {
    Register::new(Passport::new(name))
}

/// Everything that a channel of the creator's has to carry is large.
fn heavy(creator: &Bound, kind: &str, others: &[&Bound]) -> CreateChannel {
    let mut create =
        CreateChannel::new(&creator.id, kind, others.iter().map(|other| other.id.clone()).collect());
    create.knobs = Some(Payload::of(&json!({"ballast": "x".repeat(60_000)})).unwrap());
    create.ttl = Some(Ttl::Seconds(0)); // for ever
    create
}

fn ask(hub: &mut Hub, creator: &Bound, create: CreateChannel) -> Result<Value, (String, String)> {
    let id = hub.ask(creator.connection, &Operation::CreateChannel(Box::new(create)));
    hub.answer(creator.connection, &id).unwrap_or(Ok(Value::Null))
}

#[test]
fn a_list_that_no_answer_can_hold_is_not_written_to_its_end() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    let mut agents = Vec::new();
    for number in 0..60 {
        let mut heavy = register(&format!("agent{number}"));
        heavy.passport.owner = "x".repeat(60_000);
        agents.push(hub.register_as(connection, heavy));
    }
    let all = ListAgents::default();
    let refused = hub.request(connection, &Operation::ListAgents(all)).unwrap_err();
    assert!(size_of(&refused) < MIB + 130_000, "{refused:?}");

    for _ in 0..30 {
        let create = heavy(&agents[0], "conversation", &[&agents[1]]);
        ask(&mut hub, &agents[0], create).unwrap();
    }
    let list = Operation::ListChannels { agent_id: None, limit: i64::MAX };
    let refused = hub.request(connection, &list).unwrap_err();
    assert!(size_of(&refused) < MIB + 130_000, "{refused:?}");
}

#[test]
fn records_that_are_set_again_and_again_still_count() {
    let mut hub = limited(|limits| limits.records = 200_000);
    let alice = hub.join("alice");
    let skill = Some("x".repeat(60_000));
    let set = Operation::SetSkill { agent_id: alice.id.clone(), skill_md: skill.clone() };
    hub.request(alice.connection, &set).unwrap();
    let resume = Operation::SetResume { agent_id: alice.id.clone(), resume: Resume::default() };
    for _ in 0..3_000 {
        hub.request(alice.connection, &resume).unwrap();
    }
    let with_skill = |name: &str| {
        let mut register = register(name);
        register.skill_md.clone_from(&skill);
        Operation::Register(Box::new(register))
    };
    hub.request(alice.connection, &with_skill("bob")).unwrap();
    hub.request(alice.connection, &with_skill("carol")).unwrap();
    assert_eq!(code(hub.request(alice.connection, &with_skill("dave"))), "limit_exceeded");
}

#[test]
fn many_empty_texts_are_not_nothing() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    let mut lists = register("lists");
    lists.resume.claimed_capabilities = vec![String::new(); 10_000];
    assert_eq!(code(hub.request(connection, &Operation::Register(Box::new(lists)))), "too_large");
    let mut globs = register("globs");
    let mut rule = Rule::default();
    rule.access.inbound_from = vec![String::new(); 10_000];
    globs.rule = Some(rule);
    assert_eq!(code(hub.request(connection, &Operation::Register(Box::new(globs)))), "too_large");
}

#[test]
fn a_refusal_tells_back_no_more_than_a_little() {
    let mut hub = Hub::new();
    let alice = hub.join("alice");
    let long = "\u{e9}".repeat(100_000);
    let data = Payload::empty_object();
    let envelope = Envelope::new(&long, &alice.id, Envelope::TEXT, data);
    let post = Operation::PostEnvelope { envelope: Box::new(envelope) };
    let mut claimed = Passport::new(&long);
    claimed.auth.scheme = "api_key".to_owned();
    for asked in [post, Operation::Register(Box::new(Register::new(claimed)))] {
        let (_, message) = hub.request(alice.connection, &asked).unwrap_err();
        assert!(message.len() < 4_096, "{} bytes", message.len());
    }
}
