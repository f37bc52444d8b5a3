//! Errors of links, requests and serving, as a tenant meets them.

use std::time::Duration;

use serde_json::json;
use wscope::{
    CloseCode, CloseReason, Error, Nursery, WebSocketServer,
    link::{
        Agent, Frame, Hub, Id, LinkEndpoint, NextFrameError, Operation, Passport, Payload, Request,
        RequestError, ServeError, Tenant, TenantLink, Timestamp, connect_tenant,
    },
    nursery, run,
    scope::{Join, Race},
};

use crate::{
    refusals::weeks,
    texts::{Texts, text},
    town::{answer, next_frame, next_request, refuse, scripted, simulated},
};

pub(crate) fn texts(texts: &mut Texts) {
    links(texts);
    requests(texts);
    serving(texts);
    hubs(texts);
}

fn links(texts: &mut Texts) {
    let no_url = TenantLink::new("https://user:s3cret@example.com/").unwrap_err();
    text!(texts, no_url, link::LinkError::Handshake);
    simulated(async |n| {
        let (tenant, hub) = scripted();
        let link = TenantLink::from(tenant);
        text!(texts, link.send_frame(&Frame::Ping).await.unwrap_err(), link::SendFrameError::NotOpen);
        text!(texts, link.next_frame().await.unwrap_err(), link::NextFrameError::NotOpen);
        text!(texts, link.ping().await.unwrap_err(), link::LinkPingError::NotOpen);
        link.open(n).await?;
        text!(texts, link.open(n).await.unwrap_err(), link::LinkError::AlreadyOpened);
        let params = Payload::of(&"s3cret".repeat(TenantLink::MAX_FRAME / 6))?;
        let large = Frame::Request(Request::new("r1", "get_agent", params));
        text!(texts, link.send_frame(&large).await.unwrap_err(), link::SendFrameError::TooLarge);
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        let many =
            format!("{{{}\"kind\": 1}}", (0..3000).map(|i| format!("\"k{i}\": 1,")).collect::<String>());
        let unreadable = [
            "nonsense",
            "[]",
            r#"{"kind": "\u001b[2Jnovel"}"#,
            r#"{"kind": "error"}"#,
            r#"{"kind": "error", "code": 5}"#,
            "{}",
            &deep,
            &many,
        ];
        for frame in unreadable {
            hub.send(frame.to_owned()).await?;
            let error = link.next_frame().await.unwrap_err();
            if let NextFrameError::Unreadable(error) = &error {
                texts.variant("link::FrameError", error);
            }
            text!(texts, error, link::NextFrameError::Unreadable);
        }
        // Only a socket has binary messages: `tests/link/tenant_link.rs`.
        text!(texts, NextFrameError::NotUtf8, link::NextFrameError::NotUtf8);
        hub.close(CloseReason::new(CloseCode::POLICY_VIOLATION, "closed by the operator")?).await;
        text!(texts, link.send_frame(&Frame::Ping).await.unwrap_err(), link::SendFrameError::Closed);
        text!(texts, link.next_frame().await.unwrap_err(), link::NextFrameError::Closed);
        text!(texts, link.ping().await.unwrap_err(), link::LinkPingError::Ping);
        Ok(())
    });
}

fn find(name: &str) -> Operation {
    Operation::FindAgentId { name: name.to_owned() }
}

fn requests(texts: &mut Texts) {
    simulated(async |n| {
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        for (code, message) in [("not_found", "agent not found: gh\u{1b}ost"), ("no\nvel", "x")] {
            let refusing = async {
                let (id, ..) = next_request(&hub).await;
                refuse(&hub, &id, code, message).await;
            };
            let (refused, ()) = (tenant.passport_of("ghost"), refusing).join().await;
            text!(texts, refused.unwrap_err(), link::RequestError::Refused);
        }
        let answering = async {
            let (id, ..) = next_request(&hub).await;
            answer(&hub, &id, json!({"name": 5})).await;
        };
        let (unreadable, ()) = (tenant.passport_of("ghost"), answering).join().await;
        text!(texts, unreadable.unwrap_err(), link::RequestError::Unreadable);
        text!(texts, tenant.request(&find("a")).await.unwrap_err(), link::RequestError::TimedOut);
        let large = "x".repeat(TenantLink::MAX_FRAME);
        text!(texts, tenant.request(&find(&large)).await.unwrap_err(), link::RequestError::TooLarge);
        let closing = async {
            next_request(&hub).await;
            hub.close(CloseReason::new(CloseCode::POLICY_VIOLATION, "closed by the operator").unwrap()).await;
        };
        let (lost, ()) = (tenant.request(&find("a")), closing).join().await;
        text!(texts, lost.unwrap_err(), link::RequestError::Closed);
        text!(texts, tenant.request(&find("a")).await.unwrap_err(), link::RequestError::Closed);
        Ok(())
    });
    simulated(async |n| {
        let (tenant, alice, hub) = settled(n).await?;
        let hellos = (0..2000).map(|_| tenant.resume(&alice)).collect::<Vec<_>>(); // read, and not answered
        let reading = async {
            loop {
                next_frame(&hub).await;
            }
        };
        let outcomes = (async { hellos.join().await }, reading).race().await;
        let mut refused = outcomes.into_iter().filter_map(Result::err);
        let too_many = refused.find(|error| matches!(error, RequestError::TooMany { .. })).unwrap();
        text!(texts, too_many, link::RequestError::TooMany);
        Ok(())
    });
}

/// A tenant with an agent `a1`, and its hub, which says what the test wants.
async fn settled(n: &Nursery<'_, Error>) -> Result<(Tenant, Agent, LinkEndpoint), Error> {
    let (link, hub) = scripted();
    let tenant = connect_tenant(n, link).await?;
    let registering = async {
        let (id, ..) = next_request(&hub).await;
        answer(&hub, &id, json!({"name": "alice", "agent_id": "a1"})).await;
    };
    let alice = (tenant.register(Passport::new("alice")), registering).join().await.0?;
    Ok((tenant, alice, hub))
}

fn serving(texts: &mut Texts) {
    simulated(async |n| {
        let (tenant, alice, hub) = settled(n).await?;
        let meanwhile = async {
            wscope::sleep(Duration::from_secs(1)).await;
            let twice = alice.serve(async |_| Ok(())).await.unwrap_err();
            hub.send(r#"{"kind": "error", "code": "superseded", "message": "a1"}"#).await.unwrap();
            twice
        };
        let (served, twice) = (alice.serve(async |_| Ok(())), meanwhile).join().await;
        text!(texts, twice, link::ServeError::AlreadyServed);
        text!(texts, served.unwrap_err(), link::ServeError::Superseded);
        text!(texts, alice.pending_turns().await.unwrap_err(), link::RequestError::Superseded);
        let behind = tenant.request(&find("a")).await.unwrap_err();
        text!(texts, ServeError::from(behind), link::ServeError::Behind);
        let (_tenant, alice, hub) = settled(n).await?;
        let gone = async {
            let (id, ..) = next_request(&hub).await;
            answer(&hub, &id, json!(null)).await;
        };
        let _ = (alice.unregister(), gone).join().await;
        text!(texts, alice.serve(async |_| Ok(())).await.unwrap_err(), link::ServeError::NotHere);
        let (_tenant, alice, hub) = settled(n).await?;
        hub.close(CloseReason::new(CloseCode::POLICY_VIOLATION, "closed by the operator")?).await;
        text!(texts, alice.serve(async |_| Ok(())).await.unwrap_err(), link::ServeError::Closed);
        let (_tenant, alice, _hub) = nursery(async |n: Nursery<'_, Error>| settled(&n).await).await?;
        text!(texts, alice.pending_turns().await.unwrap_err(), link::RequestError::Closed);
        Ok(())
    });
}

/// What a hub says at once to whoever runs it, and texts that are no ids and times.
fn hubs(texts: &mut Texts) {
    let exposed = run(async {
        let server = WebSocketServer::bind("0.0.0.0:0").await.unwrap();
        Hub::builder().build().serve(server).map(drop).unwrap_err()
    });
    text!(texts, exposed, link::Exposed);
    text!(texts, "s3cret".parse::<Id>().unwrap_err(), link::InvalidId);
    text!(texts, "yesterday".parse::<Timestamp>().unwrap_err(), link::InvalidTimestamp);
    text!(texts, weeks().duration().unwrap_err(), link::InvalidTtl);
}
