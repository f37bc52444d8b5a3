//! Requests: answered, refused, too late, too large, dropped, and ended with their link.

use std::time::Duration;

use futures::FutureExt;
use serde_json::json;
use wscope::{
    CloseCode,
    link::{
        Claim, ErrorCode, FrameError, Operation, Passport, RequestError, Since, TenantConfig, TenantLink,
        connect_tenant,
    },
    scope::Join,
    testing::polled,
};

use crate::town::{answer, frames_so_far, next_frame, next_request, refuse, scripted, simulated};

fn find(name: &str) -> Operation {
    Operation::FindAgentId { name: name.to_owned() }
}

#[test]
fn answers_find_their_requests_in_any_order() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        let requests = (tenant.find_agent_id("a"), tenant.find_agent_id("b"), tenant.find_agent_id("c"));
        let backwards = async {
            let mut asked = Vec::new();
            for _ in 0..3 {
                asked.push(next_request(&hub).await);
            }
            assert_eq!(tenant.stats().waiting, 3, "all are on their way together");
            for (id, op, params) in asked.into_iter().rev() {
                assert_eq!(op, "find_agent_id");
                answer(&hub, &id, json!(format!("id of {}", params["name"].as_str().unwrap()))).await;
            }
        };
        let ((a, b, c), ()) = (requests.join(), backwards).join().await;
        let ids = [a?, b?, c?].map(Option::unwrap);
        assert_eq!(ids, ["id of a", "id of b", "id of c"]);
        assert_eq!(tenant.stats().waiting, 0);
        Ok(())
    });
}

#[test]
fn a_refusal_names_operation_code_and_message() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        let refusing = async {
            let (id, ..) = next_request(&hub).await;
            refuse(&hub, &id, "not_found", "agent not found: gh\u{1b}ost").await;
        };
        let (refused, ()) = (tenant.passport_of("ghost"), refusing).join().await;
        let error = refused.unwrap_err();
        assert_eq!(error.code(), Some(&ErrorCode::NotFound));
        assert!(!error.may_have_happened());
        assert_eq!(error.to_string(), "get_agent refused: not_found: agent not found: gh\\u{1b}ost");
        Ok(())
    });
}

#[test]
fn a_request_has_a_deadline_and_an_answer_behind_it_is_counted() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        let before = wscope::runtime::now();
        let error = tenant.request(&find("a")).await.unwrap_err();
        assert_eq!(wscope::runtime::now() - before, TenantConfig::REQUEST_TIMEOUT);
        let RequestError::TimedOut { op: "find_agent_id", sent: true, limit, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(limit, Duration::from_secs(30));
        assert!(error.may_have_happened());
        assert_eq!(
            error.to_string(),
            "find_agent_id sent to the other end of a local link, but not answered within 30s (request_timeout)"
        );
        let (id, ..) = next_request(&hub).await;
        for (id, late) in [(id.as_str(), 1), ("77", 2), ("not ours", 3)] {
            answer(&hub, id, json!(null)).await;
            wscope::sleep(Duration::from_secs(1)).await;
            assert_eq!(tenant.stats().late, late);
        }
        assert_eq!(tenant.stats().waiting, 0);
        Ok(())
    });
}

#[test]
fn each_request_has_its_own_deadline() {
    simulated(async |n| {
        let (link, _hub) = scripted();
        let config = TenantConfig::new(link)?.request_timeout(Duration::from_secs(7));
        let tenant = connect_tenant(n, config).await?;
        let began = wscope::runtime::now();
        let at = |after: u64| {
            let tenant = tenant.clone();
            async move {
                wscope::sleep(Duration::from_secs(after)).await;
                tenant.request(&find("a")).await.unwrap_err();
                (wscope::runtime::now() - began).as_secs()
            }
        };
        assert_eq!((at(0), at(3), at(20)).join().await, (7, 10, 27));
        Ok(())
    });
}

#[test]
fn without_a_deadline_a_request_waits_for_the_link() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, TenantConfig::new(link)?.request_timeout(None)).await?;
        let closing = async {
            wscope::sleep(Duration::from_secs(3_600)).await;
            hub.close(CloseCode::GOING_AWAY).await;
        };
        let (outcome, ()) = (tenant.request(&find("a")), closing).join().await;
        assert!(matches!(outcome, Err(RequestError::Closed { sent: true, .. })));
        Ok(())
    });
}

#[test]
fn a_link_that_ends_fails_all_waiting_requests_at_once() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        let began = wscope::runtime::now();
        let closing = async {
            for _ in 0..2 {
                next_request(&hub).await;
            }
            hub.close(CloseCode::POLICY_VIOLATION).await;
        };
        let (one, two, ()) = (tenant.passport_of("a"), tenant.find_agent_id("b"), closing).join().await;
        for error in [one.unwrap_err(), two.unwrap_err()] {
            let RequestError::Closed { sent: true, closed: Some(closed), .. } = &error else {
                panic!("{error}")
            };
            assert_eq!(closed.code(), 1008);
            assert!(error.may_have_happened());
        }
        assert_eq!(wscope::runtime::now(), began);
        Ok(())
    });
}

#[test]
fn a_request_on_a_dead_link_fails_at_once() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        hub.close(CloseCode::GOING_AWAY).await;
        wscope::sleep(Duration::from_secs(1)).await;
        let began = wscope::runtime::now();
        assert!(!tenant.is_open());
        for _ in 0..2 {
            let error = tenant.passport_of("a").await.unwrap_err();
            assert!(matches!(&error, RequestError::Closed { op: "get_agent", sent: false, closed: Some(_) }));
            assert!(!error.may_have_happened());
        }
        let hello = tenant.hello("a", Claim::none(), Since::Unacknowledged).await;
        assert!(matches!(hello, Err(RequestError::Closed { sent: false, .. })));
        assert_eq!(wscope::runtime::now(), began);
        Ok(())
    });
}

#[test]
fn a_request_that_waits_for_room_ends_in_time_and_was_not_sent() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        // Nobody reads at the other end: the way there fills up.
        let long = "x".repeat(60_000);
        let mut filling = Vec::new();
        for _ in 0..4 {
            let mut request = Box::pin(tenant.passport_of(&long));
            assert!((&mut request).now_or_never().is_none());
            filling.push(request);
        }
        let error = tenant.passport_of("behind them").await.unwrap_err();
        assert!(matches!(error, RequestError::TimedOut { sent: false, .. }), "{error}");
        let mut sent = 0;
        for request in filling {
            sent += usize::from(request.await.unwrap_err().may_have_happened());
        }
        assert_eq!(frames_so_far(&hub).len(), sent);
        assert!((1..4).contains(&sent), "{sent}");
        Ok(())
    });
}

#[test]
fn what_no_hub_would_take_is_not_sent() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        let error = tenant.passport_of(&"x".repeat(TenantLink::MAX_FRAME)).await.unwrap_err();
        assert!(
            matches!(error, RequestError::TooLarge { op: "get_agent", size, limit } if size > limit),
            "{error}"
        );
        assert!(frames_so_far(&hub).is_empty());
        assert_eq!(tenant.stats().waiting, 0);
        Ok(())
    });
}

#[test]
fn an_answer_that_cannot_be_read_is_told_to_who_asked() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        let wrong = async {
            let (id, ..) = next_request(&hub).await;
            answer(&hub, &id, json!({"not": "a passport"})).await;
            let (id, ..) = next_request(&hub).await;
            hub.send(format!(r#"{{"kind": "response", "request_id": "{id}", "ok": "yes"}}"#)).await.unwrap();
            let (id, ..) = next_request(&hub).await;
            answer(&hub, &id, json!({"name": "alice"})).await; // registered, and no id
        };
        let asking = async {
            let error = tenant.passport_of("a").await.unwrap_err();
            assert!(matches!(&error, RequestError::Unreadable { error: FrameError::Json(_), .. }), "{error}");
            let error = tenant.passport_of("a").await.unwrap_err();
            assert!(
                matches!(
                    &error,
                    RequestError::Unreadable { op: "get_agent", error: FrameError::Field { .. } }
                ),
                "{error}"
            );
            assert!(error.may_have_happened());
            let error = tenant.register(Passport::new("alice")).await.unwrap_err();
            assert!(matches!(&error, RequestError::Unreadable { op: "register", .. }), "{error}");
        };
        (asking, wrong).join().await;
        assert_eq!(tenant.stats().unreadable, 1);
        for text in ["nonsense", "", r#"{"kind": "novel"}"#] {
            hub.send(text).await?;
        }
        wscope::sleep(Duration::from_secs(1)).await;
        assert_eq!(tenant.stats().unreadable, 4);
        assert!(tenant.is_open());
        Ok(())
    });
}

#[test]
fn a_request_that_is_dropped_leaves_nothing_behind() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        for polls in 0..2 {
            assert!(polled(polls, tenant.passport_of("a")).await.is_none());
            assert!(polled(polls, tenant.register(Passport::new("alice"))).await.is_none());
            assert!(polled(polls, tenant.hello("alice", Claim::none(), Since::Nothing)).await.is_none());
            assert_eq!(tenant.stats().waiting, 0);
        }
        for frame in frames_so_far(&hub) {
            answer(&hub, frame["request_id"].as_str().unwrap(), json!({"name": "alice", "agent_id": "a1"}))
                .await;
        }
        wscope::sleep(Duration::from_secs(1)).await;
        let stats = tenant.stats();
        assert_eq!((stats.late, stats.agents), (3, 0), "answers come, and nobody takes them");
        Ok(())
    });
}

#[test]
fn a_ping_of_the_hub_is_answered() {
    simulated(async |n| {
        let (link, hub) = scripted();
        let _tenant = connect_tenant(n, link).await?;
        for _ in 0..2 {
            hub.send(r#"{"kind": "ping"}"#).await?;
            assert_eq!(next_frame(&hub).await["kind"], "pong");
        }
        Ok(())
    });
}
