//! The rules of the engine room, each with its test.

use std::{
    collections::HashSet,
    io,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wscope::{
    ClientConfig, CloseCode, ConnectionConfig, Error, Message, Nursery, ServerConfig, connect_websocket,
    fail_after, move_on_after, nursery,
    proto::{CloseConnection, Event, Ping, Role},
    run,
    scope::Join,
    sleep,
    testing::{DuplexStream, Simulation, duplex, polled},
    websocket::{Accept, CloseCause},
    wrap_client_stream, wrap_server_stream,
};

use crate::{
    intercepted::{Intercept, Intercepted},
    support::{BOTH, REQUEST, Raw, URL, accept_by_hand, head, pair, pair_of, simulated, with_raw},
};

/// Rule 3: nobody depends on a future that is not polled.
#[test]
fn a_receive_that_is_polled_once_and_kept_holds_nothing_up() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            let mut kept = pin!(ws.get_message());
            assert!(polled(1, kept.as_mut()).await.is_none());
            raw.send(Ping::new(b"1")?).await;
            assert!(
                matches!(fail_after(SECOND, raw.receive()).await?, Some(Event::Pong(_))),
                "pings are answered"
            );
            ws.send_message("hello").await?;
            assert!(
                matches!(fail_after(SECOND, raw.receive()).await?, Some(Event::Message(_))),
                "sends go out"
            );
            raw.send("for the kept one").await;
            raw.send(CloseConnection::new(CloseCode::NORMAL_CLOSURE)).await;
            assert!(
                matches!(fail_after(SECOND, raw.receive()).await?, Some(Event::CloseConnection(_))),
                "closes, too"
            );
            assert_eq!(kept.await?.as_text(), Some("for the kept one"));
            Ok(())
        });
    }
}

/// Rule 3, the other half: what the head does not look at, who comes after it gets when it leaves.
#[test]
fn a_receiver_that_leaves_passes_its_turn_on() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            let mut first = Box::pin(ws.get_message());
            assert!(polled(1, first.as_mut()).await.is_none());
            let second = n.child({
                let ws = ws.clone();
                async move { Ok(ws.get_message().await?) }
            });
            sleep(SECOND).await; // the second waits behind the first by now
            raw.send("hello").await;
            sleep(SECOND).await; // the first is woken, and is not polled
            drop(first);
            assert_eq!(fail_after(SECOND, second).await??.as_text(), Some("hello"));
            Ok(())
        });
    }
}

#[test]
fn many_receivers_and_senders_that_come_and_go_lose_and_double_nothing() {
    for seed in 0..SEEDS {
        let got = Arc::new(Mutex::new(Vec::new()));
        let sent = Simulation::seed(seed)
            .run(nursery(async |n: Nursery<'_, Error>| {
                let ends =
                    pair_of(&n, ConnectionConfig::new().send_buffer(256), ConnectionConfig::new()).await?;
                let sent = Arc::new(Mutex::new(HashSet::new()));
                let receivers = wscope::CancelScope::new();
                for receiver in 0..10 {
                    let (ws, got, scope) = (ends.server.clone(), got.clone(), receivers.clone());
                    n.spawn(async move {
                        let mut dice = Dice(seed * 100 + receiver);
                        let receive = async {
                            loop {
                                // Given up after some polls: a message must not go with it.
                                if let Some(message) = polled(dice.roll(4), ws.get_message()).await {
                                    let text = message.map_err(Error::from)?;
                                    got.lock().unwrap().push(text.as_text().unwrap().to_owned());
                                }
                            }
                        };
                        let _ = scope
                            .run(async {
                                let ended: Result<(), Error> = receive.await;
                                ended
                            })
                            .await;
                        Ok(())
                    });
                }
                nursery(async |senders: Nursery<'_, Error>| {
                    for sender in 0..10 {
                        let (ws, sent) = (ends.client.clone(), sent.clone());
                        senders.spawn(async move {
                            let mut dice = Dice(seed * 100 + 50 + sender);
                            for number in 0..MESSAGES / 10 {
                                let text = format!("{sender}:{number}");
                                if let Some(outcome) =
                                    polled(dice.roll(4), ws.send_message(text.clone())).await
                                {
                                    outcome?;
                                    sent.lock().unwrap().insert(text);
                                }
                            }
                            Ok(())
                        });
                    }
                    Ok(())
                })
                .await?;
                fail_after(10 * SECOND, ends.client.aclose(CloseCode::NORMAL_CLOSURE)).await??;
                let sent = sent.lock().unwrap().clone();
                Ok(sent)
            }))
            .unwrap();
        let got = got.lock().unwrap();
        let distinct: HashSet<_> = got.iter().cloned().collect();
        assert_eq!(distinct.len(), got.len(), "seed {seed}: some came twice");
        assert_eq!(distinct, sent, "seed {seed}");
        for sender in 0..10 {
            let numbers = |text: &String| {
                text.strip_prefix(&format!("{sender}:")).map(|number| number.parse::<usize>().unwrap())
            };
            let numbers: Vec<_> = got.iter().filter_map(numbers).collect();
            // With ten receivers the order in which they note what they got is that in which they were served.
            assert!(numbers.is_sorted(), "seed {seed}: out of order");
        }
    }
}

const SEEDS: u64 = 10;
const MESSAGES: usize = 10_000;

/// Rule 5, and RFC 6455 §5.5.3.
#[test]
fn ten_pings_in_one_read_get_ten_pongs() {
    for role in BOTH {
        simulated(async |n| {
            let (_ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            let mut pings = Vec::new();
            for number in 0..10_u8 {
                raw.core.send(Ping::new(&[number])?, &mut pings).unwrap();
            }
            raw.stream.write_all(&pings).await?;
            for number in 0..10 {
                assert_eq!(raw.receive().await, Some(Event::Pong(Ping::new(&[number])?.response())));
            }
            Ok(())
        });
    }
}

#[test]
fn a_peer_that_pings_and_never_reads_costs_no_memory() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) =
                with_raw(&n, role, ConnectionConfig::new().send_timeout(None).keepalive_timeout(None))
                    .await?;
            let mut most = 0;
            for _ in 0..20_000 {
                raw.send(Ping::new(&[b'x'; 125])?).await;
                most = most.max(ws.stats().unsent);
            }
            sleep(SECOND).await;
            assert_eq!(ws.stats().pings_received, 20_000);
            assert!(most < 64 * 1024, "{most} bytes are queued");
            Ok(())
        });
    }
}

/// Rule 10: reading pauses by bytes, and a slow handler is not a dead peer.
#[test]
fn a_slow_handler_pauses_reading_and_keepalive() {
    for role in BOTH {
        simulated(async |n| {
            let config = ConnectionConfig::new().receive_buffer(10_000);
            let (ws, raw) = with_raw(&n, role, config).await?;
            let raw = Arc::new(futures::lock::Mutex::new(raw));
            n.start_service({
                let raw = raw.clone();
                async move {
                    let mut raw = raw.lock().await;
                    loop {
                        raw.send(vec![0; 5000]).await;
                    }
                }
            });
            sleep(600 * SECOND).await; // thirty times the keepalive interval
            assert!(ws.closed().is_none(), "a peer that we do not read is not dead");
            let stats = ws.stats();
            assert!((10_000..100_000).contains(&stats.unread), "{} bytes are unread", stats.unread);
            for _ in 0..1000 {
                assert_eq!(ws.get_message().await?.len(), 5000, "and reading goes on");
            }
            Ok(())
        });
    }
}

#[test]
fn a_peer_that_goes_away_is_found_out_also_by_who_does_not_read() {
    for role in BOTH {
        simulated(async |n| {
            let config = ConnectionConfig::new().receive_buffer(10_000);
            let (ws, mut raw) = with_raw(&n, role, config).await?;
            raw.send(vec![0; 20_000]).await;
            let pings = n.child(async move {
                let mut pings = 0;
                while pings < 2 * ConnectionConfig::MAX_PINGS_IN_FLIGHT {
                    let Some(event) = raw.receive().await else { panic!("closed") };
                    pings += usize::from(matches!(event, Event::Ping(_)));
                }
                Ok(raw) // which answers none of them, and goes
            });
            drop(fail_after(1000 * SECOND, pings).await??);
            assert_eq!(ws.stats().unread, 20_000);
            fail_after(40 * SECOND, ws.wait_closed()).await?;
            Ok(())
        });
    }
}

#[test]
fn a_keepalive_ping_takes_no_place_from_who_waits_for_a_pong() {
    simulated(async |n| {
        let (ws, mut raw) =
            with_raw(&n, Role::Client, ConnectionConfig::new().keepalive_timeout(None)).await?;
        sleep(1000 * SECOND).await;
        let ping = n.child(async move { Ok(ws.ping(Some(b"mine")).await) });
        loop {
            match raw.receive().await {
                Some(Event::Ping(ping)) if ping.payload() == b"mine" => break,
                Some(Event::Ping(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        raw.send(Ping::new(b"mine")?.response()).await;
        ping.await??;
        Ok(())
    });
}

#[test]
fn a_peer_that_is_silent_after_a_keepalive_ping_is_dead() {
    for role in BOTH {
        simulated(async |n| {
            let config =
                ConnectionConfig::new().keepalive_interval(30 * SECOND).keepalive_timeout(7 * SECOND);
            let (ws, mut raw) = with_raw(&n, role, config).await?;
            let began = wscope::runtime::now();
            let closed = ws.get_message().await.unwrap_err();
            assert_eq!(closed.cause(), &CloseCause::KeepaliveTimeout { limit: 7 * SECOND });
            assert_eq!(wscope::runtime::now() - began, 37 * SECOND);
            assert!(matches!(raw.receive().await, Some(Event::Ping(_))));
            let Some(Event::CloseConnection(close)) = raw.receive().await else { panic!("not told why") };
            assert_eq!(close.reason.map(|reason| reason.code()), Some(CloseCode::INTERNAL_ERROR));
            Ok(())
        });
    }
}

#[test]
fn any_byte_is_a_sign_of_life() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            for _ in 0..20 {
                sleep(15 * SECOND).await;
                raw.send("no pong, but here").await;
                ws.get_message().await?;
            }
            assert!(ws.closed().is_none());
            Ok(())
        });
    }
}

#[test]
fn keepalive_measures_the_latency() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        assert_eq!(ends.client.latency(), None);
        sleep(100 * SECOND).await;
        assert_eq!(ends.client.latency(), Some(Duration::ZERO));
        assert!(ends.server.stats().pings_received >= 4);
        Ok(())
    });
}

#[test]
fn a_peer_that_takes_nothing_is_given_up() {
    for role in BOTH {
        simulated(async |n| {
            let config = ConnectionConfig::new().send_timeout(3 * SECOND).keepalive_interval(None);
            let (ws, _raw) = with_raw(&n, role, config).await?;
            let began = wscope::runtime::now();
            let error = loop {
                if let Err(error) = ws.send_message(vec![0; 100_000]).await {
                    break error;
                }
            };
            assert_eq!(error.closed.cause(), &CloseCause::SendTimeout { limit: 3 * SECOND });
            assert_eq!(error.message.len(), 100_000, "the message is given back");
            assert_eq!(wscope::runtime::now() - began, 3 * SECOND);
            Ok(())
        });
    }
}

#[test]
fn a_peer_that_sends_no_message_in_time_is_given_up() {
    for role in BOTH {
        simulated(async |n| {
            let config = ConnectionConfig::new().receive_timeout(5 * SECOND);
            let (ws, mut raw) = with_raw(&n, role, config).await?;
            for _ in 0..3 {
                sleep(4 * SECOND).await;
                raw.send("here").await;
                ws.get_message().await?;
            }
            let closed = ws.get_message().await.unwrap_err();
            assert_eq!(closed.cause(), &CloseCause::ReceiveTimeout { limit: 5 * SECOND });
            Ok(())
        });
    }
}

/// Rule 12: what was accepted goes out before the close frame.
#[test]
fn accepted_messages_go_out_before_the_close_frame() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            for _ in 0..100 {
                ws.send_message("accepted").await?;
            }
            raw.send(Ping::new(b"now")?).await;
            ws.close(CloseCode::NORMAL_CLOSURE);
            for _ in 0..100 {
                assert_eq!(raw.receive().await, Some(Event::Message("accepted".into())));
            }
            assert!(matches!(raw.receive().await, Some(Event::CloseConnection(_))));
            raw.answer().await;
            if role == Role::Client {
                raw.stream.close().await?;
            }
            assert_eq!(raw.receive().await, None);
            Ok(())
        });
    }
}

#[test]
fn a_peer_that_does_not_answer_the_close_frame_is_not_waited_for() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, _raw) = with_raw(&n, role, ConnectionConfig::new().close_timeout(4 * SECOND)).await?;
            let began = wscope::runtime::now();
            let timeout = ws.aclose(CloseCode::NORMAL_CLOSURE).await.unwrap_err();
            assert_eq!(timeout.limit, 4 * SECOND);
            assert_eq!(wscope::runtime::now() - began, 4 * SECOND);
            assert_eq!(ws.closed().unwrap().cause(), &CloseCause::CloseTimeout { limit: 4 * SECOND });
            Ok(())
        });
    }
}

#[test]
fn a_peer_that_does_not_end_the_stream_is_waited_for_one_second_more() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            let closing = async {
                assert!(matches!(raw.receive().await, Some(Event::CloseConnection(_))));
                raw.answer().await;
            };
            let began = wscope::runtime::now();
            let (closed, ()) = (ws.aclose(CloseCode::NORMAL_CLOSURE), closing).join().await;
            closed?;
            assert_eq!(wscope::runtime::now() - began, ConnectionConfig::DRAIN_TIMEOUT);
            assert!(ws.closed().unwrap().is_clean());
            Ok(())
        });
    }
}

#[test]
fn the_server_hangs_up_first() {
    simulated(async |n| {
        let (ws, mut raw) = with_raw(&n, Role::Server, ConnectionConfig::new()).await?;
        raw.send(CloseConnection::new(CloseCode::NORMAL_CLOSURE)).await;
        assert!(matches!(raw.receive().await, Some(Event::CloseConnection(_))));
        assert_eq!(raw.receive().await, None, "the stream has ended, though ours is open");
        assert!(fail_after(SECOND / 2, ws.wait_closed()).await.is_err(), "it waits for the end of ours");
        drop(raw);
        ws.wait_closed().await;
        Ok(())
    });
}

/// System calls, counted where they are made.
#[derive(Clone, Default)]
struct Counts {
    reads: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
}

impl Counts {
    fn take(&self) -> (usize, usize) {
        (self.reads.swap(0, Ordering::SeqCst), self.writes.swap(0, Ordering::SeqCst))
    }
}

impl Intercept for Counts {
    fn read(
        &mut self,
        stream: Pin<&mut DuplexStream>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = stream.poll_read(cx, buffer);
        self.reads.fetch_add(usize::from(read.is_ready()), Ordering::SeqCst);
        read
    }

    fn write(
        &mut self,
        stream: Pin<&mut DuplexStream>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        stream.poll_write(cx, bytes)
    }
}

/// Rule 4: batching costs no latency.
#[test]
fn a_message_costs_one_read_and_one_write_and_many_share_them() {
    const ROUNDS: usize = 50;
    for depth in [1, 32] {
        simulated(async |n| {
            let (here, there) = duplex(1 << 20);
            let (client, server) = (Counts::default(), Counts::default());
            let (here, there) = (Intercepted(here, client.clone()), Intercepted(there, server.clone()));
            let config = ServerConfig::new();
            let connect = wrap_client_stream(&n, here, ClientConfig::new(URL)?);
            let accept = async { wrap_server_stream(&n, there, &config).await?.accept(Accept::new()).await };
            let (ws, peer) = (connect, accept).join().await;
            let (ws, peer) = (ws?, peer?);
            n.start_soon(async move {
                while let Some(message) = peer.next_message().await? {
                    peer.send_message(message).await?;
                }
                Ok(())
            });
            sleep(SECOND).await;
            client.take();
            server.take();
            for _ in 0..ROUNDS {
                for _ in 0..depth {
                    ws.send_message("hello").await?;
                }
                for _ in 0..depth {
                    ws.get_message().await?;
                }
            }
            let messages = ROUNDS * depth;
            for (reads, writes) in [client.take(), server.take()] {
                if depth == 1 {
                    assert_eq!((reads, writes), (messages, messages));
                } else {
                    assert!(
                        10 * reads <= messages && 10 * writes <= messages,
                        "{reads} reads, {writes} writes, {messages} messages"
                    );
                }
            }
            ws.aclose(CloseCode::NORMAL_CLOSURE).await?;
            Ok(())
        });
    }
}

/// Rule 6: a turn is used up by 64 KiB, but the rest of a message whose beginning they are comes along.
#[cfg(unix)]
#[test]
fn a_large_message_that_is_there_is_read_in_one_turn() {
    const SIZE: usize = 120 * 1024; // what a Unix socket holds without a reader
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let outcome: Result<(), Error> = run(fail_after(
        30 * SECOND,
        nursery(async |n| {
            let listener = async_io::Async::<std::os::unix::net::UnixListener>::bind(&path)?;
            let accept = async {
                let mut peer = listener.accept().await?.0;
                accept_by_hand(&mut peer).await;
                Ok::<_, io::Error>(peer)
            };
            let client = ClientConfig::new(URL)?.unix_socket(&path);
            let (ws, peer) = (connect_websocket(&n, client), accept).join().await;
            let (ws, peer) = (ws?, peer?);

            let mut frame = vec![0x82, 127];
            frame.extend((SIZE as u64).to_be_bytes());
            frame.resize(frame.len() + SIZE, 0);
            assert_eq!((&peer).write(&frame).await?, frame.len(), "all of it is there before anybody reads");
            while ws.stats().wire_bytes_received == 0 {
                async_std::task::yield_now().await;
            }
            assert_eq!(ws.stats().wire_bytes_received, SIZE as u64);
            assert_eq!(ws.get_message().await?.len(), SIZE);
            ws.abort();
            Ok(())
        }),
    ))
    .unwrap();
    outcome.unwrap();
}

#[test]
fn what_is_sent_at_once_is_there_at_once() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        ends.client.send_message("now").await?;
        // Without another poll of the client: the first send of a turn is written right away.
        assert_eq!(ends.server.get_message().await?.as_text(), Some("now"));
        Ok(())
    });
}

#[test]
fn a_server_that_waits_answers_a_plain_request_in_any_cut() {
    simulated(async |n| {
        let (mut here, there) = duplex(16);
        let mut config = ServerConfig::new();
        config.handshake_timeout = None;
        let accept = async { wrap_server_stream(&n, there, &config).await?.accept(Accept::new()).await };
        let ask = async {
            for byte in REQUEST.bytes() {
                here.write_all(&[byte]).await.unwrap();
            }
            head(&mut here).await
        };
        let (ws, answer) = (accept, ask).join().await;
        assert!(answer.starts_with("http/1.1 101"), "{answer}");
        assert!(ws?.closed().is_none());
        let mut rest = Vec::new();
        drop(n);
        let _ = here.read_to_end(&mut rest).await;
        Ok(())
    });
}

const SECOND: Duration = Duration::from_secs(1);

/// A small generator, so that a seed says which run failed.
struct Dice(u64);

impl Dice {
    /// From 0 to `below - 1`.
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

/// A good message and a frame that breaks the protocol, in one segment: `role` is ours.
async fn send_message_and_fault(raw: &mut Raw, role: Role) {
    let mut bytes = Vec::new();
    raw.core.send(Message::from("question"), &mut bytes).unwrap();
    bytes.extend(match role {
        Role::Server => &[0xa1, 0x80, 0, 0, 0, 0][..], // RSV2, masked
        Role::Client => &[0xa1, 0],
    });
    raw.stream.write_all(&bytes).await.unwrap();
}

/// What a peer sees does not depend on how its bytes were cut into segments.
#[test]
fn what_came_before_a_fault_is_answered_before_it() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            send_message_and_fault(&mut raw, role).await;
            assert_eq!(ws.get_message().await?.as_text(), Some("question"));
            sleep(SECOND).await;
            ws.send_message("answer").await?;
            let closed = ws.get_message().await.unwrap_err();
            assert!(matches!(closed.cause(), CloseCause::Protocol(_)), "{closed}");
            assert_eq!(raw.receive().await, Some(Event::Message("answer".into())));
            let Some(Event::CloseConnection(close)) = raw.receive().await else { panic!("no close frame") };
            assert_eq!(close.reason.map(|reason| reason.code()), Some(CloseCode::PROTOCOL_ERROR));
            Ok(())
        });
    }
}

#[test]
fn who_does_not_read_puts_a_fault_off_no_longer_than_the_close_timeout() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new().close_timeout(3 * SECOND)).await?;
            send_message_and_fault(&mut raw, role).await;
            let early = move_on_after(2 * SECOND, raw.receive()).await;
            assert_eq!(early, None);
            let Some(Some(Event::CloseConnection(close))) = move_on_after(2 * SECOND, raw.receive()).await
            else {
                panic!("no close frame")
            };
            assert_eq!(close.reason.map(|reason| reason.code()), Some(CloseCode::PROTOCOL_ERROR));
            assert_eq!(ws.get_message().await?.as_text(), Some("question"), "it can still be read");
            Ok(())
        });
    }
}

#[test]
fn zero_is_no_interval_and_no_buffer_is_too_small_for_one_message() {
    for role in BOTH {
        simulated(async |n| {
            let config = ConnectionConfig::new()
                .keepalive_interval(Duration::ZERO)
                .receive_timeout(Duration::ZERO)
                .send_timeout(Duration::ZERO)
                .receive_buffer(0)
                .send_buffer(0);
            let (ws, mut raw) = with_raw(&n, role, config).await?;
            sleep(100 * SECOND).await;
            for _ in 0..3 {
                raw.send("question").await;
                assert_eq!(fail_after(SECOND, ws.get_message()).await??.as_text(), Some("question"));
                fail_after(SECOND, ws.send_message("answer")).await??;
                assert_eq!(raw.receive().await, Some(Event::Message("answer".into())));
            }
            assert_eq!(ws.stats().pings_sent, 0);
            Ok(())
        });
    }
}
