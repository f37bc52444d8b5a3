//! A large message is compressed outside of the lock, in steps: what comes is received meanwhile, the order of messages stays, and a
//! call that is dropped has sent nothing. It is inflated in steps, too.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use futures::{FutureExt, SinkExt};
use wscope::{
    CloseCode, Error, Message, Text, broadcast, fail_after, nursery,
    proto::{
        ExtensionItem,
        extension::{BrokenStream, Extension, InboundTransform, OutboundTransform, Rsv, Step, Transforms},
    },
    run,
    scope::Join,
    testing::polled,
    websocket::{Accept, Compression},
};

use crate::{
    compression::pair,
    payloads::{json, noise},
    support::{Pair, simulated},
};

const LARGE: usize = 1 << 20;

async fn both(n: &wscope::Nursery<'_, Error>, compression: Compression) -> Result<[Pair; 2], Error> {
    let one = pair(n, compression.clone(), compression.clone(), Accept::new()).await?;
    let other = Pair { client: one.server.clone(), server: one.client.clone() };
    Ok([one, other])
}

fn modes() -> [Compression; 2] {
    [Compression::shared(), Compression::dedicated()]
}

// ---- outside of the lock

/// Halves what is long by leaving every other byte out. The thread that does it first stands in the gate until it is let through.
#[derive(Debug)]
struct Gated(Arc<Mutex<Option<Gate>>>);

#[derive(Debug)]
struct Gate {
    entered: Sender<()>,
    opened: Receiver<()>,
}

impl OutboundTransform for Gated {
    fn transform(&mut self, payload: &[u8], _: bool, _: bool, output: &mut Vec<u8>) -> bool {
        if payload.len() < 1000 {
            return false;
        }
        let gate = self.0.lock().unwrap().take();
        if let Some(gate) = gate {
            gate.entered.send(()).unwrap();
            gate.opened.recv_timeout(Duration::from_secs(10)).expect("others went on, and opened the gate");
        }
        output.extend(payload.iter().step_by(2));
        true
    }
}

impl InboundTransform for Gated {
    fn transform(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<Step, BrokenStream> {
        let (now, later) = input.split_at(input.len().min(room));
        output.extend(now);
        *input = later;
        Ok(if later.is_empty() { Step::Done } else { Step::Full })
    }

    fn finish(&mut self, _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> {
        Ok(Step::Done)
    }
}

impl Extension for Gated {
    fn name(&self) -> &'static str {
        "x-gated"
    }

    fn offers(&self) -> Vec<ExtensionItem> {
        vec!["x-gated".parse().unwrap()]
    }

    fn accept(&self, offer: &ExtensionItem) -> Option<(ExtensionItem, Transforms)> {
        Some((offer.clone(), self.confirm(offer)?))
    }

    fn confirm(&self, _: &ExtensionItem) -> Option<Transforms> {
        let half = || Self(self.0.clone());
        Some(Transforms::new(Rsv::Rsv2, Box::new(half()), Box::new(half())))
    }
}

#[test]
fn while_a_thread_compresses_others_receive_ping_and_broadcast() {
    for from_client in [true, false] {
        let place = Arc::new(Mutex::new(None));
        let gated = Compression::other(Arc::new(Gated(place.clone())));
        run(fail_after(
            Duration::from_secs(60),
            nursery(async |n| {
                let [one, other] = both(&n, gated).await?;
                let Pair { client: ws, server: peer } = if from_client { one } else { other };
                let (entered, in_the_gate) = mpsc::channel();
                let (open, opened) = mpsc::channel();
                *place.lock().unwrap() = Some(Gate { entered, opened });
                let sender = thread::spawn({
                    let ws = ws.clone();
                    move || wscope::runtime::block_on(ws.send_message(json(20_000)))
                });
                in_the_gate.recv_timeout(Duration::from_secs(10)).unwrap();

                peer.send_message("meanwhile").await?;
                assert_eq!(ws.get_message().await?.as_text(), Some("meanwhile"));
                peer.ping(None).await?; // its pong is ours
                ws.ping(None).await?;
                assert_eq!(ws.stats().messages_sent, 0);
                let broadcast = broadcast([&ws], "to all").is_empty();
                assert_eq!(broadcast, ws.is_server(), "who compresses is not skipped");

                open.send(()).unwrap();
                sender.join().unwrap()?;
                if broadcast {
                    assert_eq!(peer.get_message().await?.as_text(), Some("to all"));
                }
                let halved: Vec<u8> = json(20_000).into_bytes().into_iter().step_by(2).collect();
                assert_eq!(peer.get_message().await?.as_bytes(), halved);
                Ok::<(), Error>(())
            }),
        ))
        .unwrap()
        .unwrap();
    }
}

// ---- in steps

#[test]
fn between_two_steps_the_task_receives() {
    for mode in modes() {
        simulated(async |n| {
            for Pair { client: ws, server: peer } in both(&n, mode).await? {
                peer.send_message("meanwhile").await?;
                let before = ws.stats();
                let mut sending = pin!(ws.send_message(json(LARGE)));
                assert!(polled(1, sending.as_mut()).await.is_none(), "1 MiB is many steps");
                assert_eq!(ws.get_message().await?.as_text(), Some("meanwhile"));
                assert_eq!(ws.stats().messages_sent, before.messages_sent);
                let (sent, got) = (sending, peer.get_message()).join().await;
                sent?;
                assert_eq!(got?, Message::from(json(LARGE)));
                let stats = ws.stats();
                assert_eq!(stats.messages_sent, before.messages_sent + 1);
                assert_eq!(stats.bytes_sent, before.bytes_sent + LARGE as u64);
                assert!(stats.wire_bytes_sent < stats.bytes_sent / 3, "{stats:?}");
            }
            Ok(())
        });
    }
}

#[test]
fn messages_arrive_in_the_order_in_which_they_were_sent() {
    simulated(async |n| {
        for Pair { client: ws, server: peer } in both(&n, Compression::dedicated()).await? {
            let received = n.child(async move {
                let mut received = Vec::new();
                for _ in 0..6 {
                    received.push(peer.get_message().await?);
                }
                Ok(received)
            });
            let sending = (0..6).map(|number| {
                let ws = ws.clone();
                async move { ws.send_message(json([900_000, 10, 100_000][number % 3] + number)).await }
            });
            futures::future::try_join_all(sending).await?;
            let lengths = [900_000, 11, 100_002, 900_003, 14, 100_005].map(json).map(Message::from);
            assert_eq!(received.await?, lengths);
        }
        Ok(())
    });
}

#[test]
fn a_call_that_is_dropped_between_two_steps_has_sent_nothing() {
    for mode in modes() {
        for pieces in [false, true] {
            simulated(async |n| {
                for Pair { client: ws, server: peer } in both(&n, mode.clone()).await? {
                    let mut polls = 0;
                    let received = n.child(async move {
                        let mut last = peer.get_message().await?;
                        while last.len() < 300_000 {
                            assert_eq!(last, Message::from(json(20_000)), "the windows of both ends agree");
                            last = peer.get_message().await?;
                        }
                        Ok(last)
                    });
                    loop {
                        let sent = if pieces {
                            let writer = ws.send_pieces::<Text>().await?;
                            polled(polls, writer.finish(json(300_000))).await.map(|sent| sent.unwrap())
                        } else {
                            polled(polls, ws.send_message(json(300_000))).await.map(|sent| sent.unwrap())
                        };
                        if sent.is_some() {
                            break;
                        }
                        ws.send_message(json(20_000)).await?;
                        polls += 1;
                    }
                    assert!(polls >= 4, "{polls} of 5 steps of 64 KiB");
                    assert_eq!(received.await?, Message::from(json(300_000)));
                }
                Ok(())
            });
        }
    }
}

#[test]
fn a_message_that_was_not_sent_because_of_closing_is_given_back() {
    simulated(async |n| {
        for Pair { client: ws, .. } in both(&n, Compression::shared()).await?.into_iter().take(1) {
            let mut sending = pin!(ws.send_message(json(LARGE)));
            assert!(polled(1, sending.as_mut()).await.is_none());
            ws.close(CloseCode::NORMAL_CLOSURE);
            assert_eq!(sending.await.unwrap_err().message, Message::from(json(LARGE)));
            assert!(ws.wait_closed().await.is_clean());
        }
        Ok(())
    });
}

#[test]
fn pieces_and_sinks_bring_large_messages_too() {
    for mode in modes() {
        simulated(async |n| {
            for Pair { client: ws, server: peer } in both(&n, mode).await? {
                let received =
                    n.child(async move { Ok([peer.get_message().await?, peer.get_message().await?]) });
                let mut writer = ws.send_pieces::<bytes::Bytes>().await?;
                writer.send(json(200_000)).await?;
                writer.send(noise(100_000)).await?;
                writer.finish(json(100_000)).await?;
                let mut sink = ws.sink();
                assert!(
                    sink.send(json(LARGE).into()).now_or_never().is_none(),
                    "it waits to be flushed, not compressed"
                );
                let whole = [json(200_000).into_bytes(), noise(100_000), json(100_000).into_bytes()].concat();
                assert_eq!(received.await?, [Message::from(whole), Message::from(json(LARGE))]);
                assert_eq!(ws.stats().messages_sent, 2);
            }
            Ok(())
        });
    }
}

#[test]
fn what_does_not_shrink_goes_out_plain() {
    for mode in modes() {
        simulated(async |n| {
            for Pair { client: ws, server: peer } in both(&n, mode).await? {
                let (sent, got) = (ws.send_message(noise(LARGE)), peer.get_message()).join().await;
                sent?;
                assert_eq!(got?, Message::from(noise(LARGE)));
                assert_eq!(ws.stats().wire_bytes_sent, LARGE as u64);
            }
            Ok(())
        });
    }
}

// ---- inflating

#[test]
fn a_message_that_inflates_to_much_leaves_others_their_turn() {
    simulated(async |n| {
        for Pair { client: ws, server: peer } in both(&n, Compression::shared()).await? {
            ws.pause_reading(); // so that all of it is there at once
            let payload = [noise(1000), vec![0; 100_000]].concat().repeat(9);
            peer.send_message(payload.clone()).await?;
            peer.flush().await?;
            let wire = peer.stats().wire_bytes_sent;
            assert!(wire < 32 * 1024, "one read: {wire}");
            ws.resume_reading();
            let mut receiving = pin!(ws.get_message());
            assert!(polled(1, receiving.as_mut()).await.is_none());
            assert!(ws.stats().wire_bytes_received < wire, "it is inflated in part, and the lock is free");
            assert_eq!(receiving.await?, Message::from(payload));
            assert_eq!(ws.stats().wire_bytes_received, wire);
        }
        Ok(())
    });
}
