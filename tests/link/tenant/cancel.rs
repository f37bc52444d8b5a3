//! Cancel everywhere: each public asynchronous operation of a tenant is polled k times and dropped, for every k up to its
//! end. Afterwards tenant and hub work on, and nothing is left waiting. The list of operations is made from the source.

use std::{fs, path::Path, time::Duration};

use wscope::{
    Error, Nursery,
    link::{
        Agent, Channel, ChannelType, Claim, CreateChannel, Envelope, HubConfig, ListAgents, Operation,
        Passport, Payload, Resume, Rule, Since, Tenant, connect_tenant, open_tenant,
    },
    move_on_after, nursery,
    testing::{Simulation, polled},
};

use crate::town::Town;

const OPERATIONS: &[&str] = &[
    "register",
    "hello",
    "resume",
    "request",
    "ping",
    "close",
    "passport_of",
    "find_agent_id",
    "names_for",
    "list_agents",
    "resume_of",
    "skill_of",
    "rule_of",
    "presence_for",
    "serve",
    "create_channel",
    "open_channel",
    "channels",
    "post_envelope",
    "pending_turns",
    "report_turn_failure",
    "set_resume",
    "set_skill",
    "set_rule",
    "unregister",
    "post",
    "info",
    "close of a channel",
    "can_send",
    "read_wal",
    "find_by_causation",
    "reply",
    "accept",
    "reject",
    "open_tenant",
    "connect_tenant",
];

#[test]
fn every_public_asynchronous_operation_is_in_the_list() {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/link/tenant")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines() {
            if let Some(rest) = line.trim_start().strip_prefix("pub async fn ") {
                found.push(rest.split(['(', '<']).next().unwrap().to_owned());
            }
        }
    }
    for name in &found {
        assert!(
            OPERATIONS.contains(&name.as_str()),
            "`{name}` is in no list of what is cancelled everywhere"
        );
    }
    for name in OPERATIONS {
        let first = name.split(' ').next().unwrap();
        assert!(found.iter().any(|found| found == first), "`{name}` is gone");
    }
}

/// Two agents on links of their own, in a conversation.
struct Stage {
    tenant: Tenant,
    alice: Agent,
    bob: Agent,
    channel: Channel,
}

async fn stage(n: &Nursery<'_, Error>, town: &Town) -> Result<Stage, Error> {
    let tenant = connect_tenant(n, town.connect(n)).await?;
    let alice = tenant.register(Passport::new("alice")).await?;
    let bob = connect_tenant(n, town.connect(n)).await?.register(Passport::new("bob")).await?;
    let served = bob.clone();
    n.start_service(async move {
        drop(served.serve(async |_| Ok(())).await); // in the end somebody takes bob away
        Ok(())
    });
    let channel = alice.open_channel(ChannelType::Conversation, [bob.id()]).await?;
    bob.channel(channel.id()).post("to be handled").await?;
    Ok(Stage { tenant, alice, bob, channel })
}

/// Runs `operation` for at most `polls` polls. Says whether it came to its end.
async fn operate(operation: &str, polls: usize, n: &Nursery<'_, Error>, town: &Town, on: &Stage) -> bool {
    let Stage { tenant, alice, bob, channel } = on;
    let find = Operation::FindAgentId { name: "bob".to_owned() };
    macro_rules! try_it {
        ($future:expr) => {
            polled(polls, $future).await.is_some()
        };
    }
    match operation {
        "register" => try_it!(tenant.register(Passport::new("carol"))),
        "hello" => try_it!(tenant.hello("alice", Claim::none(), Since::Unacknowledged)),
        "resume" => try_it!(tenant.resume(bob)),
        "request" => try_it!(tenant.request(&find)),
        "ping" => try_it!(tenant.ping()),
        "close" => try_it!(tenant.close()),
        "passport_of" => try_it!(tenant.passport_of("bob")),
        "find_agent_id" => try_it!(tenant.find_agent_id("bob")),
        "names_for" => try_it!(tenant.names_for(["bob"])),
        "list_agents" => try_it!(tenant.list_agents(ListAgents::default())),
        "resume_of" => try_it!(tenant.resume_of(bob.id())),
        "skill_of" => try_it!(tenant.skill_of(bob.id())),
        "rule_of" => try_it!(tenant.rule_of(bob.id())),
        "presence_for" => try_it!(tenant.presence_for([bob.id()])),
        "serve" => {
            let long_enough = move_on_after(Duration::from_secs(1), alice.serve(async |_| Ok(())));
            try_it!(long_enough)
        }
        "create_channel" => {
            let create = CreateChannel::inviting(ChannelType::Conversation, ["bob"]);
            try_it!(alice.create_channel(create))
        }
        "open_channel" => try_it!(alice.open_channel(ChannelType::Conversation, [bob.id()])),
        "channels" => try_it!(alice.channels(10)),
        "post_envelope" => {
            let envelope = Envelope::new(channel.id(), "", "note", Payload::empty_object());
            try_it!(alice.post_envelope(envelope))
        }
        "pending_turns" => try_it!(alice.pending_turns()),
        "report_turn_failure" => try_it!(alice.report_turn_failure(channel.id(), "e1", "why")),
        "set_resume" => try_it!(alice.set_resume(Resume::default())),
        "set_skill" => try_it!(alice.set_skill(None)),
        "set_rule" => try_it!(alice.set_rule(Rule::default())),
        "unregister" => try_it!(alice.unregister()),
        "post" => try_it!(channel.post("posted")),
        "info" => try_it!(channel.info()),
        "close of a channel" => try_it!(channel.close("enough")),
        "can_send" => try_it!(channel.can_send(None)),
        "read_wal" => try_it!(channel.read_wal(..)),
        "find_by_causation" => try_it!(channel.find_by_causation(bob.id(), "e1")),
        // In a handler: serving is dropped in the midst of it.
        "reply" | "accept" | "reject" => {
            let inviting = bob.open_channel(ChannelType::Conversation, [alice.id()]);
            let handler = async |delivery: wscope::link::Delivery| {
                match delivery.invite() {
                    Some(invite) if operation == "accept" => drop(invite.accept().await?),
                    Some(invite) if operation == "reject" => drop(invite.reject("no").await?),
                    _ => drop(delivery.reply("an answer").await?),
                }
                Ok(())
            };
            let serving = move_on_after(Duration::from_secs(1), async {
                use wscope::scope::Join;
                drop((alice.serve(handler), inviting).join().await);
            });
            try_it!(serving)
        }
        "open_tenant" => {
            let block = open_tenant(town.connect(n), async |tenant| {
                tenant.find_agent_id("bob").await?;
                Ok::<_, Error>(())
            });
            try_it!(block)
        }
        "connect_tenant" => try_it!(connect_tenant(n, town.connect(n))),
        other => panic!("{other} is not tried"),
    }
}

#[test]
fn an_operation_that_is_dropped_leaves_a_tenant_that_works() {
    for operation in OPERATIONS {
        for polls in 0.. {
            let ended = Simulation::new().run(nursery(async |n: Nursery<'_, Error>| {
                let town = Town::new(HubConfig::new());
                let on = stage(&n, &town).await?;
                let limit = Duration::from_secs(120);
                let ended = move_on_after(limit, operate(operation, polls, &n, &town, &on)).await;
                wscope::sleep(Duration::from_secs(1)).await;
                assert_eq!(on.tenant.stats().waiting, 0);
                // What comes afterwards is as if nothing had been.
                let again = connect_tenant(&n, town.connect(&n)).await?;
                again.hello("bob", Claim::none(), Since::Unacknowledged).await?;
                if on.tenant.is_open() {
                    assert!(on.tenant.find_agent_id("bob").await?.is_some());
                }
                Ok(ended.unwrap_or(true))
            }));
            if ended.unwrap_or_else(|error| panic!("{operation}, {polls} polls: {error}")) {
                println!("{operation} x {polls}");
                break;
            }
            assert!(polls < 1_000, "{operation} never ends");
        }
    }
}
