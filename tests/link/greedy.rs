//! Greedy tenants: what a few small frames can make the hub keep, read or write, is bounded whoever sends them.

use std::time::Duration;

use serde_json::{Value, json};
use wscope::link::{
    CreateChannel, Envelope, HubConfig, HubLimits, ListAgents, MemoryStore, Operation, Overflow, Passport,
    Payload, Register, Resume, Rule, Ttl,
};

use crate::support::{Bound, Hub, code};

const MIB: usize = 1 << 20;

fn limited(change: impl FnOnce(&mut HubLimits)) -> Hub {
    let mut limits = HubLimits::new();
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
    let mut hub = limited(|limits| limits.max_records_size = 200_000);
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
fn globs_that_are_dear_to_match_are_few() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    let mut register_with = |name: &str, globs: Vec<String>| {
        let mut register = register(name);
        let mut rule = Rule::default();
        rule.access.inbound_from = globs;
        register.rule = Some(rule);
        hub.request(connection, &Operation::Register(Box::new(register)))
    };
    for dear in ["*[aaaaaaaa]", "*aaaaaaaaab", "?*aaaaaaaab"] {
        let globs = vec![dear.to_owned(); 30];
        assert_eq!(code(register_with("mallory", globs)), "too_large", "{dear}");
    }
    let names = (0..100).map(|number| format!("an-agent-of-the-team-{number}")).collect();
    register_with("alice", names).unwrap();
    let teams = (0..10).map(|number| format!("team-{number}-*")).chain(["*".to_owned()]).collect();
    register_with("bob", teams).unwrap();
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

#[test]
fn invites_count_as_posted_by_who_creates_the_channel() {
    let mut hub = limited(|limits| limits.max_posted_size = MIB);
    let connection = hub.attach();
    let agents: Vec<Bound> =
        (0..9).map(|number| hub.register(connection, &format!("agent{number}"))).collect();
    let others: Vec<&Bound> = agents[1..].iter().collect();
    // Eight invites of 60 kB each: the third creation begins below the budget, the fourth above it.
    for _ in 0..3 {
        let create = heavy(&agents[0], "discussion", &others);
        ask(&mut hub, &agents[0], create).unwrap();
    }
    let create = heavy(&agents[0], "discussion", &others);
    assert_eq!(code(ask(&mut hub, &agents[0], create)), "limit_exceeded");
}

#[test]
fn a_full_store_forgets_what_has_ended_before_it_refuses() {
    let store = MemoryStore::new().max_bytes(2 * MIB);
    let mut hub = Hub::with(HubConfig::new().store(store));
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let (mallory, accomplice) = (hub.join("mallory"), hub.join("accomplice"));
    for _ in 0..100 {
        let create = heavy(&mallory, "conversation", &[&accomplice]);
        ask(&mut hub, &mallory, create).unwrap();
        let mut invited = hub.notifies(accomplice.connection).into_iter();
        let invite = invited.rfind(|it| it.envelope.event_type == Envelope::INVITE).unwrap();
        let channel_id = invite.envelope.channel_id;
        let close = Operation::CloseChannel { channel_id, reason: String::new() };
        hub.request(mallory.connection, &close).unwrap();
    }
    for number in 0..100 {
        hub.post_text(&alice, &channel, &format!("{number} {}", "x".repeat(1_000))).unwrap();
        assert_eq!(hub.ack_all(&bob).len(), 1);
    }
}

#[test]
fn a_channel_in_which_nobody_is_left_is_gone() {
    let mut hub = limited(|limits| limits.max_closed_channels = 0);
    let connection = hub.attach();
    for round in 0..20 {
        let (alice, bob) =
            (hub.register(connection, &format!("a{round}")), hub.register(connection, &format!("b{round}")));
        let mut create = CreateChannel::new(&alice.id, "conversation", vec![bob.id.clone()]);
        create.ttl = Some(Ttl::Seconds(0));
        ask(&mut hub, &alice, create).unwrap();
        for agent in [alice, bob] {
            let unregister = Operation::Unregister { agent_id: agent.id };
            hub.request(connection, &unregister).unwrap();
        }
    }
    assert_eq!(hub.board.stats().channels, 0);
}

#[test]
fn what_counts_in_no_inbox_has_a_bound_too() {
    let mut hub = limited(|limits| limits.max_inbox = 50);
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let event = |hub: &mut Hub| {
        let event = Envelope::new(&channel, &alice.id, "ag2.task.cancel_request", Payload::empty_object());
        hub.post(&alice, event)
    };
    let taken = (0..1_000).take_while(|_| event(&mut hub).is_ok()).count();
    assert!((40..=50).contains(&taken), "{taken}");
    hub.ack_all(&bob);
    event(&mut hub).unwrap();

    // Nor does one that is never acknowledged let those behind it pile up.
    let mut first = hub.notifies(bob.connection);
    hub.ack(&bob, &first.remove(0));
    hub.post_text(&alice, &channel, "kept").unwrap();
    hub.notifies(bob.connection);
    let mut taken = 0;
    while hub.post_text(&alice, &channel, "acknowledged").is_ok() && taken < 1_000 {
        hub.ack_all(&bob);
        taken += 1;
    }
    assert!((40..=50).contains(&taken), "{taken}");
}

#[test]
fn the_oldest_makes_room_however_far_ahead_others_are_acknowledged() {
    let mut hub = limited(|limits| limits.max_inbox = 20);
    let mut rule = Rule::default();
    rule.limits.inbox.overflow = Overflow::DropOldest;
    let alice = hub.join("alice");
    let connection = hub.attach();
    let mut listener = register("bob");
    listener.rule = Some(rule);
    let bob = hub.register_as(connection, listener);
    let channel = hub.open("conversation", &alice, &[&bob]);
    hub.post_text(&alice, &channel, "kept").unwrap();
    hub.notifies(bob.connection);
    for number in 0..100 {
        hub.post_text(&alice, &channel, &number.to_string()).unwrap();
        assert_eq!(hub.ack_all(&bob), [number.to_string()]);
    }
}

#[test]
fn alarms_that_go_off_together_are_seen_to_a_few_at_a_time() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    let (alice, bob) = (hub.register(connection, "alice"), hub.register(connection, "bob"));
    for _ in 0..1_000 {
        let mut create = CreateChannel::new(&alice.id, "conversation", vec![bob.id.clone()]);
        create.ttl = Some(Ttl::Seconds(10));
        ask(&mut hub, &alice, create).unwrap();
        hub.heard(connection);
    }
    hub.detach(connection);
    hub.now = hub.now.after(Duration::from_secs(11));
    let mut turns = 0;
    while hub.board.deadline().is_some_and(|at| at <= hub.now) {
        hub.board.wake(hub.now);
        turns += 1;
    }
    assert!((4..=100).contains(&turns), "{turns}");
}
