//! How agents come onto a link: registered, by a hello, resumed, taken over.

use std::time::Duration;

use serde_json::json;
use wscope::{
    link::{
        ApiKeys, ChannelType, Claim, ErrorCode, HubConfig, ListAgents, Passport, Register, RequestError,
        Resume, Rule, ServeError, Since, connect_tenant,
    },
    scope::Join,
};

use crate::town::{answer, in_town, in_town_with, next_frame, next_request, scripted, simulated};

const WELCOME: &str = r#"{"kind": "welcome", "endpoint_id": "e1", "hub_time": "now"}"#;

#[test]
fn agents_are_found_in_every_way() {
    in_town(async |n, town| {
        let tenant = connect_tenant(n, town.connect(n)).await?;
        let mut register = Register::new(Passport::new("alice"));
        register.resume.claimed_capabilities = vec!["policy".to_owned()];
        register.skill_md = Some("# Policy".to_owned());
        let alice = tenant.register(register).await?;
        let name = String::from("bob");
        let bob = tenant.register(&name).await?;
        assert_eq!((alice.name(), alice.passport().agent_id.as_deref()), ("alice", Some(alice.id())));
        assert_eq!(tenant.passport_of("bob").await?.agent_id.as_deref(), Some(bob.id()));
        assert_eq!(tenant.passport_of(bob.id()).await?.name, "bob");
        assert_eq!(tenant.find_agent_id("bob").await?.as_deref(), Some(bob.id()));
        assert_eq!(tenant.find_agent_id("ghost").await?, None);
        let names = tenant.names_for([alice.id(), "ghost"]).await?;
        assert_eq!((names[alice.id()].as_str(), names["ghost"].as_str()), ("alice", "ghost"));
        let mut wanted = ListAgents::default();
        wanted.capability = Some("policy".to_owned());
        let found: Vec<String> = tenant.list_agents(wanted).await?.into_iter().map(|it| it.name).collect();
        assert_eq!(found, ["alice"]);
        assert!(tenant.resume_of(alice.id()).await?.has("policy"));
        assert_eq!(tenant.skill_of(alice.id()).await?.as_deref(), Some("# Policy"));
        assert_eq!(tenant.rule_of(alice.id()).await?.version, 1);
        assert!(tenant.presence_for([alice.id()]).await?[alice.id()]);

        let mut resume = Resume::default();
        resume.summary = "knows it all".to_owned();
        alice.set_resume(resume).await?;
        alice.set_skill(None).await?;
        alice.set_rule(Rule::default()).await?;
        assert_eq!(tenant.resume_of(alice.id()).await?.summary, "knows it all");
        assert_eq!(tenant.skill_of(alice.id()).await?, None);
        assert_eq!(tenant.stats().agents, 2);
        alice.unregister().await?;
        assert_eq!(tenant.stats().agents, 1);
        assert_eq!(tenant.passport_of("alice").await.unwrap_err().code(), Some(&ErrorCode::NotFound));
        let served = alice.serve(async |_| Ok(())).await;
        assert!(matches!(served, Err(ServeError::NotHere { .. })));
        let taken = tenant.register(Passport::new("bob")).await.unwrap_err();
        assert_eq!(taken.code(), Some(&ErrorCode::ProtocolError));
        Ok(())
    });
}

#[test]
fn a_hello_takes_an_agent_with_the_scheme_it_was_registered_with() {
    let config = HubConfig::new().auth(ApiKeys::new().key("alice", "s3cret"));
    in_town_with(config, async |n, town| {
        let first = connect_tenant(n, town.connect(n)).await?;
        let passport = |token| Passport::new("alice").with_claim("api_key", Claim::token(token));
        let refused = first.register(passport("wrong")).await.unwrap_err();
        assert_eq!(refused.code(), Some(&ErrorCode::AuthFailed));
        let alice = first.register(passport("s3cret")).await?;
        assert!(!format!("{alice:?} {first:?} {:?}", alice.passport()).contains("s3cret"));

        let second = connect_tenant(n, town.connect(n)).await?;
        let refused = second.hello("alice", Claim::token("wrong"), Since::Unacknowledged).await.unwrap_err();
        assert_eq!(refused.code(), Some(&ErrorCode::AuthFailed));
        assert!(refused.to_string().starts_with("hello refused: auth_failed: "), "{refused}");
        let refused = second.hello("ghost", Claim::none(), Since::Unacknowledged).await.unwrap_err();
        assert_eq!(refused.code(), Some(&ErrorCode::NotFound));
        assert_eq!(second.stats().agents, 0);
        let again = second.hello("alice", Claim::token("s3cret"), Since::Unacknowledged).await?;
        assert_eq!(again.id(), alice.id());
        assert!(
            second.endpoint_id().is_some() && first.endpoint_id().is_none(),
            "only a welcome names the link"
        );
        // Said again on the same link it is the same agent.
        let twice = second.hello("alice", Claim::token("s3cret"), Since::Nothing).await?;
        assert_eq!((twice.id(), second.stats().agents), (alice.id(), 1));
        Ok(())
    });
}

#[test]
fn hellos_get_their_answers_in_their_order() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        let hello = |name: &'static str| tenant.hello(name, Claim::none(), Since::Nothing);
        let answering = async {
            for name in ["a", "b", "c"] {
                let (id, _, params) = next_request(&hub).await;
                assert_eq!(params["name_or_id"], name);
                answer(&hub, &id, json!({"name": name, "agent_id": format!("id-{name}")})).await;
            }
            for name in ["a", "b", "c"] {
                let frame = next_frame(&hub).await;
                assert_eq!((frame["kind"].as_str(), frame["name"].as_str()), (Some("hello"), Some(name)));
            }
            // An error names no request; that of a takeover answers no hello.
            let error =
                r#"{"kind": "error", "code": "superseded", "message": "agent 'x' is bound elsewhere"}"#;
            hub.send(error).await.unwrap();
            hub.send(WELCOME).await.unwrap();
            hub.send(r#"{"kind": "error", "code": "auth_failed", "message": "no"}"#).await.unwrap();
            hub.send(WELCOME).await.unwrap();
        };
        let (hellos, ()) = ((hello("a"), hello("b"), hello("c")).join(), answering).join().await;
        assert_eq!((hellos.0?.id(), hellos.2?.id()), ("id-a", "id-c"));
        assert_eq!(hellos.1.unwrap_err().code(), Some(&ErrorCode::AuthFailed));
        assert_eq!(tenant.stats().errors, 1);
        assert_eq!(tenant.last_error().unwrap().code, ErrorCode::Superseded);
        // What nobody asked for changes nothing.
        hub.send(WELCOME).await?;
        hub.send(r#"{"kind": "error", "code": "protocol_error", "message": "what?"}"#).await?;
        wscope::sleep(Duration::from_secs(1)).await;
        assert_eq!((tenant.stats().errors, tenant.stats().agents), (2, 2));
        Ok(())
    });
}

#[test]
fn a_hello_that_was_given_up_keeps_its_place_in_the_row() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        let passports = async |names: &[&str]| {
            for name in names {
                let (id, ..) = next_request(&hub).await;
                answer(&hub, &id, json!({"name": name, "agent_id": format!("id-{name}")})).await;
            }
        };
        let late = async {
            let error = tenant.hello("a", Claim::none(), Since::Nothing).await.unwrap_err();
            assert!(matches!(error, RequestError::TimedOut { op: "hello", sent: true, .. }), "{error}");
        };
        (late, passports(&["a"])).join().await;
        assert_eq!(next_frame(&hub).await["name"], "a");
        let answering = async {
            passports(&["b"]).await;
            assert_eq!(next_frame(&hub).await["name"], "b");
            hub.send(r#"{"kind": "error", "code": "auth_failed", "message": "that was a"}"#).await.unwrap();
            hub.send(WELCOME).await.unwrap();
        };
        let (b, ()) = (tenant.hello("b", Claim::none(), Since::Nothing), answering).join().await;
        assert_eq!(b?.id(), "id-b");
        assert_eq!((tenant.stats().late, tenant.stats().agents), (1, 1));
        Ok(())
    });
}

#[test]
fn who_loses_an_agent_is_told_so() {
    in_town(async |n, town| {
        let first = connect_tenant(n, town.connect(n)).await?;
        let alice = first.register(Passport::new("alice")).await?;
        let bob = first.register(Passport::new("bob")).await?;
        let second = connect_tenant(n, town.connect(n)).await?;
        let taking = async {
            wscope::sleep(Duration::from_secs(1)).await;
            second.resume(&alice).await
        };
        let (served, taken) = (alice.serve(async |_| Ok(())), taking).join().await;
        assert!(matches!(served, Err(ServeError::Superseded { agent }) if agent == alice.id()));
        assert_eq!(first.last_error().unwrap().code, ErrorCode::Superseded);
        let error = alice.pending_turns().await.unwrap_err();
        assert!(matches!(&error, RequestError::Superseded { op: "pending_turns_for", .. }), "{error}");
        assert_eq!(error.code(), Some(&ErrorCode::Superseded));
        assert!(bob.pending_turns().await?.is_empty(), "the other one of the link is still there");
        assert!(taken?.pending_turns().await?.is_empty());
        // And back again.
        let alice = first.resume(&alice).await?;
        assert!(alice.pending_turns().await?.is_empty());
        Ok(())
    });
}

#[test]
fn two_agents_of_one_link_can_open_a_channel_with_each_other() {
    in_town(async |n, town| {
        let tenant = connect_tenant(n, town.connect(n)).await?;
        let alice = tenant.register(Passport::new("alice")).await?;
        let bob = tenant.register(Passport::new("bob")).await?;
        let listener = bob.clone();
        n.start_service(async move { Ok(listener.serve(async |_| Ok(())).await?) });
        let channel = alice.open_channel(ChannelType::Conversation, [bob.id()]).await?;
        channel.post("hello").await?;
        assert_eq!(channel.info().await?.participants.len(), 2);
        Ok(())
    });
}
