//! What an agent does in its own name: channels, posts, logs.

use std::time::Duration;

use futures::{StreamExt, stream::FuturesUnordered};
use wscope::{
    Error, Nursery,
    link::{
        Agent, Channel, ChannelState, ChannelType, CreateChannel, Envelope, ErrorCode, InvitePolicy,
        Passport, Payload, Post, Priority, RequestError, TenantConfig, connect_tenant,
    },
};

use crate::town::{Town, in_town};

/// An agent on a link of its own, which is served and says yes to everything.
async fn resident(n: &Nursery<'_, Error>, town: &Town, name: &str) -> Result<Agent, Error> {
    let agent = connect_tenant(n, town.connect(n)).await?.register(Passport::new(name)).await?;
    let served = agent.clone();
    n.start_service(async move { Ok(served.serve(async |_| Ok(())).await?) });
    Ok(agent)
}

async fn conversation(n: &Nursery<'_, Error>, town: &Town) -> Result<(Channel, Agent), Error> {
    let alice = connect_tenant(n, town.connect(n)).await?.register(Passport::new("alice")).await?;
    let bob = resident(n, town, "bob").await?;
    Ok((alice.open_channel(ChannelType::Conversation, [bob.id()]).await?, bob))
}

#[test]
fn a_channel_is_opened_used_and_closed() {
    in_town(async |n, town| {
        let (channel, bob) = conversation(n, town).await?;
        let alice = channel.agent().clone();
        assert!(channel.can_send(None).await? && channel.can_send(Some("note")).await?);
        let first = channel.post("hello").await?;
        let answer = bob.channel(channel.id()).post(Post::text("hello yourself").causation(&first)).await?;
        let found = channel.find_by_causation(bob.id(), &first).await?.unwrap();
        assert_eq!((found.envelope_id, found.causation_id), (answer.clone(), Some(first.clone())));
        assert_eq!(channel.find_by_causation(alice.id(), &first).await?, None);

        let log = channel.read_wal(..).await?;
        let types: Vec<&str> = log.iter().map(|it| it.event_type.as_str()).collect();
        let expected =
            [Envelope::INVITE, Envelope::INVITE_ACK, Envelope::OPENED, Envelope::TEXT, Envelope::TEXT];
        assert_eq!(types, expected);
        assert_eq!(channel.read_wal(3..).await?[0].envelope_id, first);
        assert_eq!(channel.read_wal(3..=3).await?.len(), 1);
        assert_eq!(channel.read_wal(..2).await?.len(), 2);

        let info = channel.info().await?;
        assert_eq!((info.state, info.manifest.r#type.as_str()), (ChannelState::Active, "conversation"));
        assert_eq!(alice.channels(10).await?.len(), 1);
        let closed = channel.close("said all").await?;
        assert_eq!((closed.state, closed.close_reason.as_deref()), (ChannelState::Closed, Some("said all")));
        assert_eq!(channel.post("more").await.unwrap_err().code(), Some(&ErrorCode::ProtocolError));
        Ok(())
    });
}

#[test]
fn all_that_goes_with_a_post_arrives() {
    in_town(async |n, town| {
        let (channel, bob) = conversation(n, town).await?;
        let post = Post::event("note", Payload::parse(r#"{"odd": "\ud800"}"#)?)
            .to([bob.id()])
            .causation("c1")
            .idempotency_key("k1")
            .ttl_seconds(60)
            .priority(Priority::Urgent)
            .depth(2)
            .task("t1")
            .trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let id = channel.post(post.clone()).await?;
        assert_eq!(channel.post(post).await?, id, "posted twice with one key, it is posted once");
        let envelope = channel.read_wal(3..).await?.pop().unwrap();
        assert_eq!(envelope.envelope_id, id);
        assert_eq!(envelope.sender_id, channel.agent().id());
        assert_eq!(envelope.audience.as_deref(), Some(&[bob.id().to_owned()][..]));
        assert_eq!(envelope.event_data.as_str(), r#"{"odd": "\ud800"}"#);
        assert_eq!((envelope.causation_id.as_deref(), envelope.task_id.as_deref()), (Some("c1"), Some("t1")));
        assert_eq!((envelope.ttl_seconds, envelope.depth), (Some(60), 2));
        assert_eq!(envelope.priority, Priority::Urgent);
        let raw = Envelope::new(channel.id(), "somebody else", "note", Payload::empty_object());
        channel.agent().post_envelope(raw).await?;
        assert_eq!(channel.read_wal(4..).await?[0].sender_id, channel.agent().id());
        Ok(())
    });
}

#[test]
fn posts_of_several_futures_are_on_their_way_together_and_in_order() {
    in_town(async |n, town| {
        let (channel, _bob) = conversation(n, town).await?;
        let channel = &channel;
        let posts: FuturesUnordered<_> =
            (0..500).map(|number| async move { (number, channel.post(number.to_string()).await) }).collect();
        let ids: Vec<(u32, String)> =
            posts.map(|(number, id)| (number, id.unwrap())).collect::<Vec<_>>().await;
        let mut by_number = ids.clone();
        by_number.sort();
        let mut by_id = ids;
        by_id.sort_by(|a, b| a.1.cmp(&b.1));
        assert_eq!(by_number, by_id);
        Ok(())
    });
}

#[test]
fn an_invite_that_is_rejected_or_ignored_opens_no_channel() {
    in_town(async |n, town| {
        let alice = connect_tenant(n, town.connect(n)).await?.register(Passport::new("alice")).await?;
        let asks = TenantConfig::new(town.connect(n))?.invites(InvitePolicy::Ask);
        let bob = connect_tenant(n, asks).await?.register(Passport::new("bob")).await?;
        let served = bob.clone();
        n.start_service(async move {
            let handler = async |delivery: wscope::link::Delivery| {
                if let Some(invite) = delivery.invite() {
                    match invite.kind().as_deref() {
                        Some("consulting") => drop(invite.reject("I only converse").await?),
                        Some("conversation") => drop(invite.accept().await?),
                        _ => {}
                    }
                }
                Ok(())
            };
            Ok(served.serve(handler).await?)
        });
        let rejected = alice.open_channel(ChannelType::Consulting, [bob.id()]).await.unwrap_err();
        assert!(rejected.to_string().contains("invite_rejected"), "{rejected}");
        assert!(alice.open_channel(ChannelType::Conversation, [bob.id()]).await.is_ok());
        // The hub's answer comes before our own deadline.
        let began = wscope::runtime::now();
        let ignored = alice.open_channel(ChannelType::Discussion, [bob.id()]).await.unwrap_err();
        assert!(ignored.to_string().contains("ack timeout"), "{ignored}");
        assert!(wscope::runtime::now() - began >= Duration::from_secs(30));
        let create = CreateChannel::new("whoever", "workflow", vec![bob.id().to_owned()]);
        let unknown = alice.create_channel(create).await.unwrap_err();
        assert_eq!(unknown.code(), Some(&ErrorCode::NotFound));
        Ok(())
    });
}

#[test]
fn agents_are_invited_by_name_or_by_id() {
    in_town(async |n, town| {
        let (channel, bob) = conversation(n, town).await?;
        let (alice, carol) = (channel.agent(), resident(n, town, "carol").await?);
        let among_three = alice.open_channel(ChannelType::Discussion, ["bob", carol.id()]).await?;
        let ids: Vec<String> =
            among_three.info().await?.participants.into_iter().map(|it| it.agent_id).collect();
        assert_eq!(ids, [alice.id(), bob.id(), carol.id()]);

        let nobody = alice.open_channel(ChannelType::Discussion, ["bob", "nobody"]).await.unwrap_err();
        assert_eq!(nobody.code(), Some(&ErrorCode::NotFound));
        assert!(nobody.to_string().contains("nobody"), "{nobody}");
        let twice = alice.open_channel(ChannelType::Discussion, ["bob", bob.id()]).await.unwrap_err();
        assert!(twice.to_string().contains("twice"), "{twice}");
        let id = "0".repeat(32);
        let unknown = alice.open_channel(ChannelType::Discussion, [id]).await.unwrap_err();
        assert!(unknown.to_string().contains("create_channel"), "an id is not looked up: {unknown}");
        Ok(())
    });
}

#[test]
fn turns_are_told_and_failures_reported() {
    in_town(async |n, town| {
        let alice = connect_tenant(n, town.connect(n)).await?.register(Passport::new("alice")).await?;
        let bob = resident(n, town, "bob").await?;
        let channel = alice.open_channel(ChannelType::Consulting, [bob.id()]).await?;
        let asked = channel.post("what is the answer?").await?;
        let turns = bob.pending_turns().await?;
        assert_eq!(turns.len(), 1);
        assert_eq!(turns[0].triggering_envelope_id.as_deref(), Some(asked.as_str()));
        bob.report_turn_failure(channel.id(), &asked, "I do not know").await?;
        assert_eq!(town.stats().failed_turns, 1);
        assert!(!channel.can_send(None).await?);
        assert!(matches!(channel.post("well?").await, Err(RequestError::Refused { .. })));
        Ok(())
    });
}
