//! Serving: order, acknowledgements, what comes twice, what does not fit, and how it ends.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::FutureExt;
use serde_json::{Value, json};
use wscope::{
    CloseCode, CloseReason, Error, Nursery,
    link::{
        Agent, Claim, Delivery, LinkEndpoint, LocalLink, Passport, Post, ServeError, Tenant, TenantConfig,
        connect_tenant,
    },
    move_on_after,
    scope::Join,
    websocket::BoxError,
};

use crate::town::{
    answer, delivery, frames_so_far, next_frame, next_request, number_of, scripted, simulated,
};

const WELCOME: &str = r#"{"kind": "welcome", "endpoint_id": "e1", "hub_time": "now"}"#;

/// A tenant with an agent `a1`, and its hub, which says what the test wants.
async fn settled(
    n: &Nursery<'_, Error>,
    config: impl FnOnce(TenantConfig) -> TenantConfig,
) -> Result<(Tenant, Agent, LinkEndpoint), Error> {
    let (link, hub) = scripted();
    let tenant = connect_tenant(n, config(TenantConfig::new(link)?)).await?;
    let alice = register(&tenant, &hub).await?;
    Ok((tenant, alice, hub))
}

async fn register(tenant: &Tenant, hub: &LinkEndpoint) -> Result<Agent, Error> {
    let registering = async {
        let (id, ..) = next_request(hub).await;
        answer(hub, &id, json!({"name": "alice", "agent_id": "a1"})).await;
    };
    let mut passport = Passport::new("alice");
    passport.auth.claim = Claim::token("s3cret");
    Ok((tenant.register(passport), registering).join().await.0?)
}

/// Numbers of deliveries by channel, in the order in which they were handled.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeMap<String, Vec<u64>>>>);

impl Seen {
    fn add(&self, delivery: &Delivery) {
        let envelope = delivery.envelope();
        let mut seen = self.0.lock().unwrap();
        seen.entry(envelope.channel_id.clone()).or_default().push(number_of(&envelope.envelope_id));
    }

    fn of(&self, channel: &str) -> Vec<u64> {
        self.0.lock().unwrap().get(channel).cloned().unwrap_or_default()
    }
}

/// Status and number of a receipt.
fn receipt(frame: &Value) -> (String, u64) {
    assert_eq!((frame["kind"].as_str(), frame["recipient_id"].as_str()), (Some("receipt"), Some("a1")));
    (frame["status"].as_str().unwrap().to_owned(), number_of(frame["envelope_id"].as_str().unwrap()))
}

fn acks(frames: &[Value]) -> Vec<u64> {
    let receipts = frames.iter().map(receipt);
    receipts.inspect(|(status, _)| assert_eq!(status, "ack")).map(|(_, number)| number).collect()
}

#[test]
fn acks_leave_in_the_order_of_the_channel() {
    simulated(async |n| {
        let (_tenant, alice, hub) = settled(n, |it| it).await?;
        for number in 1..=20 {
            hub.send(delivery("a1", "c1", number, "hello")).await?;
        }
        let seen = Seen::default();
        // The later ones are quicker: what takes a turn takes its time, and holds the next ones up.
        let serving = alice.serve(async |delivery| {
            let number = number_of(&delivery.envelope().envelope_id);
            wscope::sleep(Duration::from_millis(100 - number)).await;
            seen.add(&delivery);
            Ok(())
        });
        assert!(move_on_after(Duration::from_secs(10), serving).await.is_none());
        let all: Vec<u64> = (1..=20).collect();
        assert_eq!(seen.of("c1"), all);
        assert_eq!(acks(&frames_so_far(&hub)), all);
        Ok(())
    });
}

#[test]
fn a_slow_handler_of_one_channel_does_not_hold_up_another() {
    simulated(async |n| {
        let (tenant, alice, hub) = settled(n, |it| it).await?;
        hub.send(delivery("a1", "slow", 1, "take your time")).await?;
        for number in 2..200 {
            let channel = if number % 2 == 0 { "slow" } else { "quick" };
            hub.send(delivery("a1", channel, number, "hello")).await?;
        }
        let seen = Seen::default();
        let serving = alice.serve(async |delivery| {
            if delivery.channel().id() == "slow" {
                wscope::sleep(Duration::from_secs(3_600)).await;
            }
            seen.add(&delivery);
            Ok(())
        });
        let meanwhile = async {
            wscope::sleep(Duration::from_secs(1)).await;
            assert_eq!(seen.of("quick").len(), 99);
            assert!(seen.of("slow").is_empty());
            // Nor a request, nor what comes now.
            let answering = async {
                loop {
                    let frame = next_frame(&hub).await;
                    if frame["kind"] == "request" {
                        return answer(&hub, frame["request_id"].as_str().unwrap(), json!(null)).await;
                    }
                }
            };
            (tenant.find_agent_id("bob"), answering).join().await.0.unwrap();
            hub.send(delivery("a1", "late", 5_000, "hello")).await.unwrap();
            wscope::sleep(Duration::from_secs(1)).await;
            assert_eq!(seen.of("late"), [5_000]);
        };
        let both = async { (serving, meanwhile).join().await };
        assert!(move_on_after(Duration::from_secs(60), both).await.is_none());
        Ok(())
    });
}

#[test]
fn no_more_handlers_run_than_are_wanted() {
    simulated(async |n| {
        let (_tenant, alice, hub) = settled(n, |it| it.max_handlers(3)).await?;
        for number in 0..30 {
            hub.send(delivery("a1", &format!("c{}", number % 10), number, "hello")).await?;
        }
        let (running, most) = (Mutex::new(0), Mutex::new(0));
        let serving = alice.serve(async |_| {
            *running.lock().unwrap() += 1;
            let now = *running.lock().unwrap();
            let before = *most.lock().unwrap();
            *most.lock().unwrap() = now.max(before);
            wscope::sleep(Duration::from_secs(1)).await;
            *running.lock().unwrap() -= 1;
            Ok(())
        });
        assert!(move_on_after(Duration::from_secs(60), serving).await.is_none());
        assert_eq!(*most.lock().unwrap(), 3);
        assert_eq!(frames_so_far(&hub).len(), 30);
        Ok(())
    });
}

#[test]
fn a_handler_that_fails_refuses_with_its_reason() {
    simulated(async |n| {
        let (_tenant, alice, hub) = settled(n, |it| it).await?;
        for number in 1..=3 {
            hub.send(delivery("a1", "c1", number, &format!("{number}"))).await?;
        }
        let handler = async |delivery: Delivery| match delivery.text().as_deref() {
            Some("2") => Err("I \u{1f} cannot ".repeat(1_000).into()),
            _ => Ok(()),
        };
        assert!(move_on_after(Duration::from_secs(1), alice.serve(handler)).await.is_none());
        let frames = frames_so_far(&hub);
        let receipts: Vec<(String, u64)> = frames.iter().map(receipt).collect();
        assert_eq!(receipts, [("ack".into(), 1), ("nack".into(), 2), ("ack".into(), 3)]);
        let reason = frames[1]["reason"].as_str().unwrap();
        assert!(reason.starts_with("I \u{1f} cannot") && reason.chars().count() == 1_024);
        // Delivered again, it is handled again; the others are not.
        for number in 1..=3 {
            hub.send(delivery("a1", "c1", number, "again")).await?;
        }
        let seen = Seen::default();
        let serving = alice.serve(async |delivery| {
            seen.add(&delivery);
            Ok(())
        });
        assert!(move_on_after(Duration::from_secs(1), serving).await.is_none());
        assert_eq!(seen.of("c1"), [2]);
        assert_eq!(acks(&frames_so_far(&hub)), [1, 2, 3]);
        Ok(())
    });
}

#[test]
fn what_comes_twice_is_handled_once_and_acknowledged_each_time() {
    simulated(async |n| {
        let (tenant, alice, hub) = settled(n, |it| it).await?;
        for _ in 0..2 {
            hub.send(delivery("a1", "c1", 1, "hello")).await?; // the second while the first waits: one ack is enough
        }
        let seen = Seen::default();
        let serve = async || {
            let serving = alice.serve(async |delivery| {
                seen.add(&delivery);
                Ok(())
            });
            assert!(move_on_after(Duration::from_secs(1), serving).await.is_none());
        };
        serve().await;
        assert_eq!(acks(&frames_so_far(&hub)), [1]);
        hub.send(delivery("a1", "c1", 1, "hello")).await?;
        serve().await;
        assert_eq!(acks(&frames_so_far(&hub)), [1]);
        assert_eq!(seen.of("c1"), [1]);
        assert_eq!((tenant.stats().notified, tenant.stats().duplicates), (3, 2));
        Ok(())
    });
}

#[test]
fn what_was_handled_is_remembered_up_to_a_number() {
    simulated(async |n| {
        let (_tenant, alice, hub) = settled(n, |it| it.remembered(2)).await?;
        let seen = Seen::default();
        for number in [1, 2, 3, 3, 2, 1] {
            hub.send(delivery("a1", "c1", number, "hello")).await?;
            let serving = alice.serve(async |delivery| {
                seen.add(&delivery);
                Ok(())
            });
            assert!(move_on_after(Duration::from_secs(1), serving).await.is_none());
        }
        assert_eq!(seen.of("c1"), [1, 2, 3, 1], "rather twice than never");
        Ok(())
    });
}

#[test]
fn what_has_no_room_is_put_down_and_asked_for_again() {
    simulated(async |n| {
        // Room for some sixteen deliveries, and eight of one channel: it leaves as much to the others.
        let (tenant, alice, hub) = settled(n, |it| it.inbox(16 * 530)).await?;
        let send = async |hub: &LinkEndpoint, numbers: std::ops::RangeInclusive<u64>| {
            for number in numbers {
                hub.send(delivery("a1", "c1", number, "hello")).await.unwrap();
            }
        };
        send(&hub, 1..=10).await;
        hub.send(delivery("a1", "c2", 11, "hello")).await?;
        wscope::sleep(Duration::from_secs(1)).await;
        let stats = tenant.stats();
        assert_eq!((stats.notified, stats.put_down), (11, 2));
        assert!(stats.queued <= 16 * 530);
        let seen = Seen::default();
        let serving = alice.serve(async |delivery| {
            seen.add(&delivery);
            Ok(())
        });
        let serving_hub = async {
            let mut acked = Vec::new();
            while acked.len() < 11 {
                let frame = next_frame(&hub).await;
                if frame["kind"] == "receipt" {
                    acked.push(receipt(&frame).1);
                    continue;
                }
                // The same agent with its claim, from what the hub knows to be acknowledged.
                assert_eq!(
                    (frame["name"].as_str(), frame["since_envelope_id"].as_str()),
                    (Some("alice"), Some(""))
                );
                assert_eq!(frame["auth_claim"]["token"], "s3cret");
                hub.send(WELCOME).await.unwrap();
                let next = acked.iter().filter(|it| **it != 11).max().unwrap() + 1;
                send(&hub, next..=10).await;
            }
        };
        // Serving does not end by itself.
        assert!(
            move_on_after(Duration::from_secs(60), async { (serving, serving_hub).join().await })
                .await
                .is_none()
        );
        assert_eq!(seen.of("c1"), (1..=10).collect::<Vec<_>>());
        assert_eq!(seen.of("c2"), [11]);
        assert_eq!(tenant.stats().queued, 0);
        Ok(())
    });
}

#[test]
fn one_delivery_of_any_size_has_room() {
    simulated(async |n| {
        let (tenant, alice, hub) = settled(n, |it| it.inbox(0)).await?;
        hub.send(delivery("a1", "c1", 1, &"x".repeat(10_000))).await?;
        let serving = alice.serve(async |_| Ok(()));
        assert!(move_on_after(Duration::from_secs(1), serving).await.is_none());
        assert_eq!(acks(&frames_so_far(&hub)), [1]);
        assert_eq!(tenant.stats().put_down, 0);
        Ok(())
    });
}

#[test]
fn an_agent_has_one_server_at_a_time() {
    simulated(async |n| {
        let (_tenant, alice, hub) = settled(n, |it| it).await?;
        let first = alice.serve(async |_| Ok(()));
        let second = async {
            wscope::sleep(Duration::from_secs(1)).await;
            let refused = alice.serve(async |_| Ok(())).await;
            assert!(matches!(refused, Err(ServeError::AlreadyServed { agent }) if agent == "a1"));
        };
        let both = async { (first, second).join().await };
        assert!(move_on_after(Duration::from_secs(2), both).await.is_none());
        hub.send(delivery("a1", "c1", 1, "hello")).await?;
        assert!(move_on_after(Duration::from_secs(1), alice.serve(async |_| Ok(()))).await.is_none());
        assert_eq!(acks(&frames_so_far(&hub)), [1], "the seat is free again");
        Ok(())
    });
}

#[test]
fn handlers_that_run_when_the_link_ends_run_to_their_end_and_are_remembered() {
    simulated(async |n| {
        for (code, is_ok) in [(CloseCode::NORMAL_CLOSURE, true), (CloseCode::POLICY_VIOLATION, false)] {
            let (_tenant, alice, hub) = settled(n, |it| it).await?;
            for number in 1..=2 {
                hub.send(delivery("a1", "c1", number, "hello")).await?;
            }
            let seen = Seen::default();
            let handler = async |delivery: Delivery| {
                wscope::sleep(Duration::from_secs(10)).await;
                seen.add(&delivery);
                Ok(())
            };
            let closing = async {
                wscope::sleep(Duration::from_secs(1)).await;
                hub.close(CloseReason::new(code, "enough").unwrap()).await;
            };
            let (served, ()) = (alice.serve(handler), closing).join().await;
            match served {
                Ok(()) => assert!(is_ok),
                Err(ServeError::Closed { closed: Some(closed) }) => {
                    assert_eq!((closed.code(), is_ok), (1008, false))
                }
                Err(error) => panic!("{error}"),
            }
            assert_eq!(seen.of("c1"), [1], "the second stays owed");
            let served = alice.serve(handler).await;
            assert_eq!(served.is_ok(), is_ok, "served again, it says the same, at once");

            // On another link: what was handled is acknowledged, and what was not is handled.
            let (link, hub) = scripted();
            let tenant = connect_tenant(n, link).await?;
            let welcoming = async {
                let hello = next_frame(&hub).await;
                assert_eq!(
                    (hello["name"].as_str(), hello["since_envelope_id"].as_str()),
                    (Some("alice"), Some(""))
                );
                assert_eq!(hello["auth_claim"]["token"], "s3cret");
                hub.send(WELCOME).await.unwrap();
                for number in 1..=2 {
                    hub.send(delivery("a1", "c1", number, "hello")).await.unwrap();
                }
            };
            let (resumed, ()) = (tenant.resume(&alice), welcoming).join().await;
            let resumed = resumed?;
            assert!(move_on_after(Duration::from_secs(60), resumed.serve(handler)).await.is_none());
            assert_eq!(seen.of("c1"), [1, 2]);
            assert_eq!(acks(&frames_so_far(&hub)), [1, 2]);
        }
        Ok(())
    });
}

#[test]
fn a_handler_that_panics_is_the_callers_affair_and_its_delivery_is_handled_again() {
    simulated(async |n| {
        let (_tenant, alice, hub) = settled(n, |it| it).await?;
        hub.send(delivery("a1", "c1", 1, "hello")).await?;
        let panicking = async |_: Delivery| -> Result<(), BoxError> { panic!("on purpose") };
        let panicked = AssertUnwindSafe(alice.serve(panicking)).catch_unwind().await;
        assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "on purpose");
        assert!(frames_so_far(&hub).is_empty());
        assert!(move_on_after(Duration::from_secs(1), alice.serve(async |_| Ok(()))).await.is_none());
        assert_eq!(acks(&frames_so_far(&hub)), [1]);
        Ok(())
    });
}

#[test]
fn a_handler_may_ask_the_hub_and_answer_in_the_channel() {
    simulated(async |n| {
        let (_tenant, alice, hub) = settled(n, |it| it).await?;
        hub.send(delivery("a1", "c1", 1, "hello")).await?;
        let serving = alice.serve(async |delivery| {
            delivery.reply(format!("{} yourself", delivery.text().unwrap())).await?;
            delivery.reply(Post::text("more").causation("another")).await?;
            Ok(())
        });
        let hearing = async {
            for (text, causation) in [("hello yourself", 1), ("more", 0)] {
                let (id, op, params) = next_request(&hub).await;
                assert_eq!(
                    (op.as_str(), params["envelope"]["event_data"]["text"].as_str()),
                    ("post_envelope", Some(text))
                );
                let cause = params["envelope"]["causation_id"].as_str().unwrap();
                assert_eq!(
                    if causation == 1 { number_of(cause) } else { u64::from(cause != "another") },
                    causation
                );
                answer(&hub, &id, json!("e9")).await;
            }
            assert_eq!(receipt(&next_frame(&hub).await), ("ack".to_owned(), 1));
        };
        let both = async { (serving, hearing).join().await };
        assert!(move_on_after(Duration::from_secs(1), both).await.is_none());
        Ok(())
    });
}

#[test]
fn a_delivery_without_a_recipient_finds_the_one_it_is_for() {
    simulated(async |n| {
        let (tenant, alice, hub) = settled(n, |it| it).await?;
        hub.send(delivery("", "c1", 1, "to the only one")).await?;
        hub.send(delivery("stranger", "c1", 2, "to nobody here")).await?;
        assert!(move_on_after(Duration::from_secs(1), alice.serve(async |_| Ok(()))).await.is_none());
        assert_eq!(acks(&frames_so_far(&hub)), [1]);
        assert_eq!(tenant.stats().unattributed, 1);
        Ok(())
    });
}

#[test]
fn a_link_within_the_process_needs_no_default() {
    let (tenant, _hub) = LocalLink::pair();
    assert!(TenantConfig::new(tenant).is_ok());
}

#[test]
fn what_an_older_link_is_at_is_waited_for_and_not_handled_beside_it() {
    simulated(async |n| {
        let (_old, alice, old_hub) = settled(n, |it| it).await?;
        let (link, hub) = scripted();
        let tenant = connect_tenant(n, link).await?;
        old_hub.send(delivery("a1", "c1", 1, "take your time")).await?;
        old_hub.send(delivery("a1", "c2", 2, "this fails there")).await?;
        let seen = Seen::default();
        let older = alice.serve(async |delivery| {
            wscope::sleep(Duration::from_secs(60)).await;
            if number_of(&delivery.envelope().envelope_id) == 2 {
                return Err("boom".into());
            }
            seen.add(&delivery);
            Ok(())
        });
        let newer = async {
            wscope::sleep(Duration::from_secs(1)).await;
            let welcoming = async {
                assert_eq!(next_frame(&hub).await["kind"], "hello");
                hub.send(WELCOME).await.unwrap();
            };
            let alice = (tenant.resume(&alice), welcoming).join().await.0.unwrap();
            // Nothing of it has been acknowledged: all of it comes again, and more.
            for (channel, number) in [("c1", 1), ("c2", 2), ("c1", 3), ("c3", 4)] {
                hub.send(delivery("a1", channel, number, "again")).await.unwrap();
            }
            let serving = alice.serve(async |delivery| {
                seen.add(&delivery);
                Ok(())
            });
            let looking = async {
                wscope::sleep(Duration::from_secs(1)).await;
                assert_eq!((seen.of("c1"), seen.of("c2"), seen.of("c3")), (vec![], vec![], vec![4]));
                wscope::sleep(Duration::from_secs(100)).await;
                assert_eq!((seen.of("c1"), seen.of("c2")), (vec![1, 3], vec![2]));
                let mut acked = acks(&frames_so_far(&hub));
                acked.sort_unstable();
                assert_eq!(acked, [1, 2, 3, 4]);
            };
            let both = async { (serving, looking).join().await };
            assert!(move_on_after(Duration::from_secs(200), both).await.is_none());
        };
        let both = async { (older, newer).join().await };
        assert!(move_on_after(Duration::from_secs(1_000), both).await.is_none());
        Ok(())
    });
}
