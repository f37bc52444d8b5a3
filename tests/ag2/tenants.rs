//! Our tenant on AG2's own hub, as a program.

use std::time::Duration;

use wscope::{
    Error, Nursery, blocking, fail_after,
    link::{
        ChannelState, ChannelType, Claim, CreateChannel, Envelope, ErrorCode, ErrorFrame, Frame, Hello,
        ListAgents, Operation, Passport, Payload, Post, Priority, Register, RequestError, Resume, Rule,
        Since, open_link,
    },
    nursery,
    scope::Join,
};

use crate::{
    agents::{Address, Ear, Outcome, equal, keyed, refused, unique},
    python::Python,
    table::Column,
};

/// For one case.
const LIMIT: Duration = Duration::from_secs(60);

/// Every case, with compression offered or not.
pub(crate) async fn against_ag2(python: Python, deflate: bool) -> Column {
    let title = if deflate { "us to AG2, deflate" } else { "us to AG2" };
    let started = blocking(move || python.start("hub.py", &[]).and_then(|hub| Ok((hub.port()?, hub)))).await;
    let (port, hub) = match started {
        Ok(started) => started,
        Err(why) => return Column::skipped(title, why),
    };
    let address = Address { url: format!("ws://127.0.0.1:{port}/"), deflate };
    let mut column = Column::new(title);
    macro_rules! cases {
        ($($name:literal => $case:ident),* $(,)?) => {$(
            let run = nursery(async |n: Nursery<'_, Error>| $case(&n, &address).await);
            match fail_after(LIMIT, run).await {
                Ok(Ok(())) => column.pass($name),
                Ok(Err(error)) => column.fail($name, error),
                Err(too_slow) => column.fail($name, too_slow),
            }
        )*};
    }
    cases! {
        "register" => register,
        "register: a taken name, one like an id, claims" => register_refused,
        "hello: welcome, and what is refused" => hello,
        "hello: takes an agent from another link" => takeover,
        "get_agent" => agent,
        "find_agent_id" => find_agent_id,
        "names_for" => names_for,
        "list_agents" => list_agents,
        "get_resume, set_resume" => resumes,
        "get_skill, set_skill" => skills,
        "get_rule, set_rule" => rules,
        "unregister" => unregister,
        "create_channel" => create_channel,
        "create_channel: an invite that is accepted, one that is rejected" => invites,
        "create_channel: refused" => create_refused,
        "get_channel, close_channel" => close_channel,
        "list_channels" => list_channels,
        "post_envelope" => post_envelope,
        "post_envelope: refused" => post_refused,
        "read_wal" => read_wal,
        "find_envelope_by_causation" => causation,
        "can_send, pending_turns_for, report_turn_failure" => turns,
        "turns: a consulting" => consulting,
        "turns: a discussion" => discussion,
        "what is not there: presence_for, tasks" => not_there,
        "ping" => ping,
        "connections: many agents on one, each its own deliveries" => many,
        "connections: a hundred requests at once" => pipelined,
        "receipts: an error of a handler brings it again, once" => nack,
        "receipts: handlers of two channels" => two_channels,
        "replay: what was posted while nobody was there" => offline,
        "replay: from an envelope on, or nothing" => since,
        "replay: an agent resumed on another link" => resumed,
        "messages: any character" => characters,
        "messages: one of 900 kB, and one that is too large" => large,
    }
    let told = hub.told();
    let wanted = if deflate { "connection compressed" } else { "connection plain" };
    match told.iter().find(|line| *line != wanted) {
        Some(line) => column.fail("permessage-deflate", format!("{line}, where {wanted} was wanted")),
        None if told.is_empty() => column.fail("permessage-deflate", "no connection was seen"),
        None => column.pass("permessage-deflate"),
    }
    column
}

// ---- agents

async fn register(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let tenant = hub.tenant(n).await?;
    let mut passport = keyed(Claim::token("s3cret"));
    passport.owner = "us".to_owned();
    passport.model = Some("m".to_owned());
    let mut register = Register::new(passport.clone());
    register.resume.summary = "who".to_owned();
    register.skill_md = Some("# skill".to_owned());
    let agent = tenant.register(register).await?;
    equal(agent.id().len(), 32)?;
    let told = tenant.passport_of(&passport.name).await?;
    equal(&told, agent.passport())?;
    equal((&told.owner, &told.model), (&passport.owner, &passport.model))?;
    equal(told.auth.claim, Claim::none())?;
    equal(tenant.resume_of(agent.id()).await?.summary, "who".to_owned())?;
    equal(tenant.skill_of(agent.id()).await?.as_deref(), Some("# skill"))
}

async fn register_refused(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let tenant = hub.tenant(n).await?;
    let taken = Ear::on(n, &tenant, "taken").await?;
    refused(tenant.register(taken.agent.passport().clone()).await, &ErrorCode::ProtocolError)?;
    let like_an_id = Passport::new("0".repeat(32));
    refused(tenant.register(like_an_id).await, &ErrorCode::ProtocolError)?;
    for claim in [Claim::none(), Claim::token("wrong")] {
        refused(tenant.register(keyed(claim)).await, &ErrorCode::AuthFailed)?;
    }
    tenant.register(keyed(Claim::token("s3cret"))).await?;
    Ok(())
}

async fn hello(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let tenant = hub.tenant(n).await?;
    let passport = keyed(Claim::token("s3cret"));
    let agent = tenant.register(passport.clone()).await?;
    let other = hub.tenant(n).await?;
    equal(other.endpoint_id(), None)?;
    refused(other.hello("ghost", Claim::none(), Since::Nothing).await, &ErrorCode::NotFound)?;
    let wrong = other.hello(&passport.name, Claim::token("wrong"), Since::Nothing).await;
    refused(wrong, &ErrorCode::AuthFailed)?;
    let again = other.hello(&passport.name, Claim::token("s3cret"), Since::Nothing).await?;
    equal(again.id(), agent.id())?;
    equal(other.endpoint_id().map(|id| id.len()), Some(32))?;
    // Frame by frame, the error comes as one.
    open_link(hub.link()?, async |link| {
        link.send_frame(&Frame::Hello(Hello::new("ghost"))).await?;
        match link.next_frame().await? {
            Some(Frame::Error(ErrorFrame { code: ErrorCode::NotFound, message, .. })) => {
                equal(message, "unknown name: ghost".to_owned())
            }
            other => Err(Error::other(format!("{other:?} where an error is wanted"))),
        }
    })
    .await
}

async fn takeover(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (_first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    second.next_event(Envelope::OPENED).await?;
    let tenant = hub.tenant(n).await?;
    let taken = tenant.hello(second.agent.name(), Claim::none(), Since::Nothing).await?;
    let taken = Ear::of(n, taken);
    channel.post("there").await?;
    taken.hears(&["there"]).await?;
    refused(second.agent.channel(channel.id()).post("not mine").await, &ErrorCode::AccessDenied)
}

async fn agent(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let ear = hub.agent(n, "one").await?;
    let tenant = ear.agent.tenant();
    equal(tenant.passport_of(ear.agent.name()).await?, tenant.passport_of(ear.agent.id()).await?)?;
    refused(tenant.passport_of("ghost").await, &ErrorCode::NotFound)
}

async fn find_agent_id(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let ear = hub.agent(n, "one").await?;
    let tenant = ear.agent.tenant();
    equal(tenant.find_agent_id(ear.agent.name()).await?.as_deref(), Some(ear.agent.id()))?;
    equal(tenant.find_agent_id("ghost").await?, None)
}

async fn names_for(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let ear = hub.agent(n, "one").await?;
    let names = ear.agent.tenant().names_for([ear.agent.id(), "ghost"]).await?;
    equal(names.get(ear.agent.id()).map(String::as_str), Some(ear.agent.name()))?;
    equal(names.get("ghost").map(String::as_str), Some("ghost"))
}

async fn list_agents(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (tenant, mark) = (hub.tenant(n).await?, unique("mark"));
    let mut names = Vec::new();
    for name in ["z", "a", "m"] {
        let mut register = Register::new(Passport::new(unique(name)));
        register.resume.claimed_capabilities = vec![mark.clone()];
        names.push(tenant.register(register).await?.name().to_owned());
    }
    let mut wanted = ListAgents::default();
    wanted.capability = Some(mark);
    wanted.sort_by = Some("name".to_owned());
    wanted.limit = 2;
    names.sort();
    let found = tenant.list_agents(wanted).await?;
    equal(found.into_iter().map(|passport| passport.name).collect::<Vec<_>>(), names[..2].to_vec())
}

async fn resumes(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let ear = hub.agent(n, "one").await?;
    let mut resume = Resume::default();
    resume.summary = "after".to_owned();
    resume.domains = vec!["d".to_owned()];
    ear.agent.set_resume(resume).await?;
    let told = ear.agent.tenant().resume_of(ear.agent.id()).await?;
    equal((told.summary.as_str(), told.version, told.domains.len()), ("after", 2, 1))
}

async fn skills(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let ear = hub.agent(n, "one").await?;
    for skill in [Some("# ünïcode ✓ 𝄞".to_owned()), None] {
        ear.agent.set_skill(skill.clone()).await?;
        equal(ear.agent.tenant().skill_of(ear.agent.id()).await?, skill)?;
    }
    Ok(())
}

async fn rules(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let ear = hub.agent(n, "one").await?;
    equal(ear.agent.tenant().rule_of(ear.agent.id()).await?, Rule::default())?;
    let mut rule = Rule::default();
    rule.access.inbound_from = vec!["friend-*".to_owned()];
    rule.limits.inbox.max_pending = 7;
    ear.agent.set_rule(rule.clone()).await?;
    rule.version = 2;
    equal(ear.agent.tenant().rule_of(ear.agent.id()).await?, rule)
}

async fn unregister(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (tenant, ear) = (hub.tenant(n).await?, hub.agent(n, "one").await?);
    ear.agent.unregister().await?;
    refused(tenant.passport_of(ear.agent.name()).await, &ErrorCode::NotFound)?;
    tenant.register(ear.agent.passport().clone()).await?; // the name is free
    Ok(())
}

// ---- channels

async fn create_channel(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (first, second) = (hub.agent(n, "one").await?, hub.agent(n, "two").await?);
    for kind in [ChannelType::Conversation, ChannelType::Consulting, ChannelType::Discussion] {
        let mut create = CreateChannel::inviting(kind, [second.agent.name()]);
        create.intent = Some("why".to_owned());
        let channel = first.agent.create_channel(create).await?;
        let info = channel.info().await?;
        equal((info.state, info.manifest.r#type.as_str()), (ChannelState::Active, kind.as_str()))?;
        let roles: Vec<_> =
            info.participants.iter().map(|it| (it.agent_id.as_str(), it.role.as_str())).collect();
        equal(roles, vec![(first.agent.id(), "initiator"), (second.agent.id(), "respondent")])?;
        equal(info.labels.value("intent"), Some("why"))?;
        for ear in [&first, &second] {
            let opened = ear.next_event(Envelope::OPENED).await?;
            equal(opened.channel().id(), channel.id())?;
        }
    }
    Ok(())
}

async fn invites(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (first, second) = (hub.agent(n, "one").await?, hub.choosy(n).await?);
    for accept in [true, false] {
        let answer = async {
            let delivery = second.next_event(Envelope::INVITE).await?;
            let invite = delivery.invite().ok_or_else(|| Error::other("no invite"))?;
            equal((invite.kind().as_deref(), invite.creator_id()), (Some("conversation"), first.agent.id()))?;
            if accept {
                invite.accept().await?
            } else {
                invite.reject("no").await?
            };
            Ok::<(), Error>(())
        };
        let opening = first.agent.open_channel(ChannelType::Conversation, [second.agent.id()]);
        let (opened, answered) = (opening, answer).join().await;
        answered?;
        if accept {
            opened?;
        } else {
            refused(opened, &ErrorCode::ProtocolError)?;
        }
    }
    Ok(())
}

async fn create_refused(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let ear = hub.agent(n, "one").await?;
    let ghost = ear.agent.open_channel(ChannelType::Conversation, ["ghost"]).await;
    refused(ghost, &ErrorCode::NotFound)?;
    let create = CreateChannel::new("", "nonsense", vec![ear.agent.id().to_owned()]);
    refused(ear.agent.create_channel(create).await, &ErrorCode::NotFound)
}

async fn close_channel(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    let closed = channel.close("enough").await?;
    equal((closed.state, closed.close_reason.as_deref()), (ChannelState::Closed, Some("enough")))?;
    equal(channel.info().await?.state, ChannelState::Closed)?;
    for ear in [&first, &second] {
        ear.next_event(Envelope::CLOSED).await?;
    }
    refused(channel.post("too late").await, &ErrorCode::ProtocolError)?;
    refused(first.agent.channel("ghost").info().await, &ErrorCode::NotFound)
}

async fn list_channels(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    let another = first.agent.open_channel(ChannelType::Consulting, [second.agent.id()]).await?;
    let found = second.agent.channels(10).await?;
    let ids: Vec<_> = found.iter().map(|info| info.channel_id.as_str()).collect();
    equal(ids, vec![channel.id(), another.id()])
}

// ---- envelopes

async fn post_envelope(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (_first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    let data = Payload::parse(r#"{"any": [1, 1.5, null, {"": []}], "thing": "ü"}"#).map_err(Error::other)?;
    let post = Post::event("custom.event", data.clone())
        .to([second.agent.id()])
        .causation("because")
        .priority(Priority::Urgent)
        .depth(2)
        .task("task-1")
        .trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .ttl_seconds(60);
    let id = channel.post(post).await?;
    let heard = second.next_event("custom.event").await?;
    let heard = heard.envelope();
    equal(&heard.envelope_id, &id)?;
    equal(heard.event_data.to::<serde_json::Value>().ok(), data.to().ok())?;
    equal(heard.audience.as_deref(), Some(&[second.agent.id().to_owned()][..]))?;
    equal((heard.causation_id.as_deref(), heard.task_id.as_deref()), (Some("because"), Some("task-1")))?;
    equal((heard.priority.as_str(), heard.depth, heard.ttl_seconds), ("urgent", 2, Some(60)))?;
    equal(heard.trace_id.as_deref().map(str::len), Some(55))
}

async fn post_refused(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (first, _second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    let forged = Post::event(Envelope::CLOSED, Payload::default());
    refused(channel.post(forged).await, &ErrorCode::ProtocolError)?;
    refused(channel.post(Post::text("x").to(["ghost"])).await, &ErrorCode::ProtocolError)?;
    refused(channel.post(Post::text("x").depth(99)).await, &ErrorCode::AccessDenied)?;
    refused(first.agent.channel("ghost").post("x").await, &ErrorCode::NotFound)
}

async fn read_wal(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (_first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    for text in ["a", "b", "c"] {
        channel.post(text).await?;
    }
    let whole = channel.read_wal(..).await?;
    let events: Vec<_> = whole.iter().map(|envelope| envelope.event_type.as_str()).collect();
    let text = Envelope::TEXT;
    equal(events, vec![Envelope::INVITE, Envelope::INVITE_ACK, Envelope::OPENED, text, text, text])?;
    equal(&second.agent.channel(channel.id()).read_wal(2..=3).await?[..], &whole[2..=3])?;
    equal(&channel.read_wal(..2).await?[..], &whole[..2])
}

async fn causation(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    let asked = channel.post("?").await?;
    let answer = second.next_event(Envelope::TEXT).await?.reply("!!").await?;
    let found = channel.find_by_causation(second.agent.id(), &asked).await?;
    equal(found.map(|envelope| envelope.envelope_id), Some(answer))?;
    equal(channel.find_by_causation(first.agent.id(), &asked).await?, None)
}

async fn turns(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (first, second, channel) = hub.pair(n, ChannelType::Consulting).await?;
    let other = second.agent.channel(channel.id());
    equal((channel.can_send(None).await?, other.can_send(None).await?), (true, false))?;
    let asked = channel.post("?").await?;
    equal((channel.can_send(None).await?, other.can_send(None).await?), (false, true))?;
    equal(first.agent.pending_turns().await?, Vec::new())?;
    let turns = second.agent.pending_turns().await?;
    equal(turns.len(), 1)?;
    equal(turns[0].triggering_envelope_id.as_ref(), Some(&asked))?;
    Ok(second.agent.report_turn_failure(channel.id(), &asked, "boom").await?)
}

async fn consulting(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (first, second, channel) = hub.pair(n, ChannelType::Consulting).await?;
    let asked = channel.post("the question").await?;
    second.next_event(Envelope::TEXT).await?.reply("the answer").await?;
    let answer = first.next_event(Envelope::TEXT).await?;
    equal((answer.text().as_deref(), &answer.envelope().causation_id), (Some("the answer"), &Some(asked)))?;
    first.next_event(Envelope::CLOSED).await?;
    equal(channel.info().await?.close_reason.as_deref(), Some("consulting_complete"))
}

async fn discussion(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let ears = [hub.agent(n, "a").await?, hub.agent(n, "b").await?, hub.agent(n, "c").await?];
    let invited = ears[1..].iter().map(|ear| ear.agent.id());
    let channel = ears[0].agent.open_channel(ChannelType::Discussion, invited).await?;
    for turn in 0..6 {
        let out_of_turn = ears[(turn + 1) % 3].agent.channel(channel.id()).post("me").await;
        refused(out_of_turn, &ErrorCode::ProtocolError)?;
        let text = turn.to_string();
        ears[turn % 3].agent.channel(channel.id()).post(&text).await?;
        for step in 1..3 {
            ears[(turn + step) % 3].hears(&[&text]).await?;
        }
    }
    Ok(())
}

async fn not_there(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let ear = hub.agent(n, "one").await?;
    let tenant = ear.agent.tenant();
    refused(tenant.presence_for([ear.agent.id()]).await, &ErrorCode::ProtocolError)?;
    let pings = Operation::PresenceFor { agent_ids: Vec::new() };
    refused(tenant.request(&pings).await, &ErrorCode::ProtocolError)
}

async fn ping(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    hub.tenant(n).await?.ping().await?;
    open_link(hub.link()?, async |link| {
        link.send_frame(&Frame::Ping).await?;
        equal(link.next_frame().await?, Some(Frame::Pong))
    })
    .await
}

// ---- connections and deliveries

async fn many(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let first = hub.agent(n, "one").await?;
    let tenant = hub.tenant(n).await?;
    let (left, right) = (Ear::on(n, &tenant, "left").await?, Ear::on(n, &tenant, "right").await?);
    let both = [left.agent.id(), right.agent.id()];
    let channel = first.agent.open_channel(ChannelType::Discussion, both).await?;
    channel.post("to all").await?;
    channel.post(Post::event("aside", Payload::default()).to([right.agent.id()])).await?;
    left.hears(&["to all"]).await?;
    right.hears(&["to all"]).await?;
    right.next_event("aside").await?;
    left.agent.unregister().await?;
    right.agent.channel(channel.id()).post(Post::event("still here", Payload::default())).await?;
    first.next_event("still here").await.map(drop)
}

async fn pipelined(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (_first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    let texts: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let posted: Result<Vec<String>, RequestError> =
        futures::future::try_join_all(texts.iter().map(|text| channel.post(text))).await;
    equal(posted?.is_sorted(), true)?;
    second.hears(&texts.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn nack(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let first = hub.agent(n, "one").await?;
    let tenant = hub.tenant(n).await?;
    let second = Ear::deaf_to(n, tenant.register(Passport::new(unique("two"))).await?, "b");
    let channel = first.agent.open_channel(ChannelType::Conversation, [second.agent.id()]).await?;
    for text in ["a", "b"] {
        channel.post(text).await?;
    }
    second.hears(&["a"]).await?;
    second.refused().await?;
    tenant.passport_of(second.agent.id()).await?; // its receipts were sent before this
    let tenant = hub.tenant(n).await?;
    let again = Ear::of(n, tenant.hello(second.agent.name(), Claim::none(), Since::Unacknowledged).await?);
    again.hears(&["b"]).await
}

async fn two_channels(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    let other = first.agent.open_channel(ChannelType::Conversation, [second.agent.id()]).await?;
    for (channel, text) in [(&channel, "a"), (&other, "b"), (&channel, "c"), (&other, "d")] {
        channel.post(text).await?;
    }
    let mut heard = Vec::new();
    for _ in 0..4 {
        let delivery = second.next_event(Envelope::TEXT).await?;
        heard.push((delivery.channel().id().to_owned(), delivery.text().unwrap_or_default()));
    }
    let of =
        |channel: &str| heard.iter().filter(|(id, _)| id == channel).map(|(_, text)| text.as_str()).collect();
    equal::<(Vec<_>, Vec<_>)>((of(channel.id()), of(other.id())), (vec!["a", "c"], vec!["b", "d"]))
}

async fn offline(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (_first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    second.agent.tenant().close().await;
    let texts: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    for text in &texts {
        channel.post(text).await?;
    }
    let tenant = hub.tenant(n).await?;
    let again = Ear::of(n, tenant.hello(second.agent.name(), Claim::none(), Since::default()).await?);
    again.hears(&texts.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn since(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    for first_only in [true, false] {
        let (_first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
        second.agent.tenant().close().await;
        let posted = channel.post("a").await?;
        channel.post("b").await?;
        let since = if first_only { Since::Envelope(posted) } else { Since::Nothing };
        let tenant = hub.tenant(n).await?;
        let again = Ear::of(n, tenant.hello(second.agent.name(), Claim::none(), since).await?);
        channel.post("c").await?;
        again.hears(if first_only { &["b", "c"] } else { &["c"] }).await?;
    }
    Ok(())
}

async fn resumed(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (_first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    channel.post("a").await?;
    second.hears(&["a"]).await?;
    second.agent.tenant().close().await;
    channel.post("b").await?;
    let tenant = hub.tenant(n).await?;
    let again = Ear::of(n, tenant.resume(&second.agent).await?);
    again.hears(&["b"]).await?;
    channel.post("c").await?;
    again.hears(&["c"]).await
}

// ---- messages

async fn characters(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (_first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    let text = "ünïcode ✓ 𝄞 \u{0} \u{7f} \u{2028} \" \\ / \n";
    channel.post(text).await?;
    second.hears(&[text]).await
}

async fn large(n: &Nursery<'_, Error>, hub: &Address) -> Outcome {
    let (_first, second, channel) = hub.pair(n, ChannelType::Conversation).await?;
    let text = "x".repeat(900_000);
    channel.post(&text).await?;
    second.hears(&[&text]).await?;
    match channel.post("x".repeat(1 << 20)).await {
        Err(RequestError::TooLarge { .. }) => {}
        other => return Err(Error::other(format!("{other:?} where it is too large"))),
    }
    channel.post("and on").await?;
    second.hears(&["and on"]).await
}
