//! Threats to what a process has: memory, files, time, and the patience of others.

use std::{
    sync::{Arc, Mutex, mpsc::Sender},
    time::{Duration, Instant},
};

use wscope::{
    ConnectionConfig, ServerConfig, WebSocketConnection, WebSocketRequest, broadcast,
    proto::Role,
    websocket::{Accept, CloseCause},
};

use crate::{
    attacker::{Attacker, BINARY, CLOSE, PATIENCE, PING, PONG, REQUEST, TEXT, frame, status},
    victim::{Handling, attacked, attacked_by_way_of, echo, until},
};

fn limited(connection: ConnectionConfig) -> ServerConfig {
    ServerConfig::new().connection(connection)
}

#[test]
fn t33_a_peer_that_is_gone_without_a_word_is_found_out() {
    let config = ConnectionConfig::new().keepalive_interval(SHORT).keepalive_timeout(SHORT);
    attacked(limited(config), LITTLE, |victim| {
        for (role, mut gone) in victim.connections() {
            let began = Instant::now();
            let closed = victim.closed(); // of who waited for a message
            assert!(
                matches!(closed.cause(), CloseCause::KeepaliveTimeout { limit: SHORT }),
                "{role}: {closed}"
            );
            assert!(began.elapsed() < PATIENCE, "{role}: {:?}", began.elapsed());
            victim.gauge.wait_for_files(1, PATIENCE);
            assert_eq!(gone.receive().unwrap().0, PING);
            assert_eq!(gone.close_code(), Some(1011));
        }
        // Any byte is a sign of life, and who dribbles is alive.
        let mut alive = victim.connection(Role::Server);
        for byte in frame(Role::Client, TEXT, b"alive") {
            assert_eq!(alive.receive().unwrap().0, PING);
            alive.send([byte]);
        }
        while alive.receive().unwrap() != (TEXT, b"alive".to_vec()) {}
    });
}

/// A handler that hands the connection out, sends without end on the path `/flood`, and reads nothing on the path `/deaf`.
fn handing(
    hand: &Arc<Mutex<Vec<WebSocketConnection>>>,
    size: usize,
) -> impl Fn(Sender<wscope::ConnectionClosed>) -> Box<dyn Fn(WebSocketRequest) -> Handling + Send + Sync> {
    let hand = hand.clone();
    move |report| {
        let hand = hand.clone();
        Box::new(move |request| {
            let (hand, report) = (hand.clone(), report.clone());
            Box::pin(async move {
                let path = request.path().to_owned();
                if path != "/flood" && path != "/deaf" {
                    return echo(request, report).await;
                }
                let ws = request.accept(Accept::new()).await?;
                hand.lock().unwrap().push(ws.clone());
                while path == "/flood" && ws.send_message(vec![0; size]).await.is_ok() {}
                report.send(ws.wait_closed().await)?;
                hand.lock().unwrap().retain(|it| it != &ws);
                Ok(())
            })
        })
    }
}

#[test]
fn t34_who_does_not_read_makes_us_wait_and_is_given_up() {
    const SIZE: usize = 32 * 1024;
    let hand = Arc::default();
    let config = limited(ConnectionConfig::new().send_timeout(SHORT));
    attacked_by_way_of(config, handing(&hand, SIZE), 10 * LITTLE, |victim| {
        let deaf: Vec<Attacker> =
            (0..10).map(|_| Attacker::connect(victim.port()).shaken("/flood")).collect();
        until(|| {
            let full = |ws: &WebSocketConnection| ws.closed().is_some() || !broadcast([ws], "x").is_empty();
            victim.serves_others();
            hand.lock().unwrap().iter().all(full)
        });
        for _ in &deaf {
            let closed = victim.closed();
            assert!(matches!(closed.cause(), CloseCause::SendTimeout { limit: SHORT }), "{closed}");
        }
        victim.gauge.wait_for_files(deaf.len(), PATIENCE);
    });
}

#[test]
fn t35_who_is_not_listened_to_is_stopped_and_his_pings_are_answered() {
    let hand: Arc<Mutex<Vec<WebSocketConnection>>> = Arc::default();
    // Who is paused finds out by writing that nobody is there.
    let config =
        ConnectionConfig::new().keepalive_interval(SHORT).keepalive_timeout(None).close_timeout(SHORT);
    attacked_by_way_of(limited(config), handing(&hand, 0), 2 << 20, |victim| {
        let mut attacker = Attacker::connect(victim.port()).shaken("/deaf");
        for _ in 0..1000 {
            attacker.send_frame(TEXT, "x");
        }
        attacker.send_frame(PING, "there?");
        let pongs = std::iter::from_fn(|| attacker.receive()).find(|(first, _)| *first == PONG);
        assert_eq!(pongs, Some((PONG, b"there?".to_vec())));
        let messages = attacker.frame(BINARY, vec![0; 32 * 1024]);
        let taken = attacker.flood(&messages, 64 << 20, SECOND);
        assert!(taken < 64 << 20, "nothing stops the sender");
        let unread = hand.lock().unwrap()[0].stats().unread;
        assert!((1 << 20..(1 << 20) + 64 * 1024).contains(&unread), "{unread}");
        victim.serves_others();
        attacker.reset();
        assert!(matches!(victim.closed().cause(), CloseCause::Network(_)));
        // A close frame is reached, too, below that bound.
        let mut attacker = Attacker::connect(victim.port()).shaken("/deaf");
        attacker.send_frame(TEXT, "unread");
        attacker.send_frame(CLOSE, 1000_u16.to_be_bytes());
        assert_eq!(attacker.close_code(), Some(1000));
        drop(attacker);
        assert_eq!(*victim.closed().cause(), CloseCause::Handshake);
    });
}

#[test]
fn t36_a_connection_may_be_cut_anywhere() {
    attacked(ServerConfig::new(), 10 * LITTLE, |victim| {
        let conversation = |role: Role| {
            let text = frame(role, TEXT, b"hello");
            let close = frame(role, CLOSE, &1000_u16.to_be_bytes());
            [text, frame(role, PING, b"x"), frame(role, BINARY, &[0; 300]), close].concat()
        };
        for reset in [true, false] {
            for cut in 0..REQUEST.len() {
                let mut attacker = Attacker::connect(victim.port());
                attacker.send(&REQUEST[..cut]);
                if reset {
                    attacker.reset();
                } else {
                    attacker.half_close();
                    let answer = attacker.rest();
                    assert_eq!(answer.is_empty(), cut == 0, "to {cut} bytes and the end: {answer:?}");
                }
            }
            for role in [Role::Server, Role::Client] {
                let whole = conversation(role.peer());
                for cut in (0..whole.len()).filter(|cut| *cut < 30 || cut % 40 == 0 || cut + 8 > whole.len())
                {
                    let mut attacker = victim.connection(role);
                    attacker.send(&whole[..cut]);
                    if reset {
                        attacker.reset();
                    } else {
                        attacker.half_close();
                        attacker.rest_without_reset();
                    }
                    let closed = victim.closed();
                    let expected = match closed.cause() {
                        CloseCause::UnexpectedEof => true,
                        CloseCause::Network(_) => reset,
                        _ => false,
                    };
                    assert!(expected, "{role}, reset: {reset}, after {cut} bytes: {closed}");
                }
            }
        }
    });
}

#[test]
fn t38_a_crowd_is_served_up_to_the_limits_and_told_so_beyond_them() {
    let config = ServerConfig::new().max_connections(20).max_handshakes(20);
    attacked(config, 10 * LITTLE, |victim| {
        let let_in = || {
            let mut guest = Attacker::connect(victim.port());
            guest.send(REQUEST);
            let answer = status(&guest.head());
            assert!(matches!(answer, Some(101 | 503)), "{answer:?}");
            (answer == Some(101)).then_some(guest)
        };
        let mut guests = Vec::new();
        until(|| {
            guests.extend(let_in()); // who has just left may still have a place
            guests.len() == 20
        });
        assert_eq!((0..200).filter_map(|_| let_in()).count(), 0);
        drop(guests.pop());
        until(|| {
            guests.extend(let_in());
            guests.len() == 20
        });
        drop(guests.pop()); // a place for who means well, afterwards
        // Who says nothing takes places of another kind.
        let (mut silent, mut turned_away) = (Vec::new(), 0);
        while turned_away < 50 {
            let mut one = Attacker::connect(victim.port());
            if one.hears_nothing(Duration::from_millis(20)) {
                silent.push(one);
                turned_away = 0;
            } else {
                assert!(one.rest().is_empty());
                turned_away += 1;
            }
            assert!(silent.len() < 200, "all are waited for");
        }
        silent.retain_mut(|one| one.hears_nothing(Duration::from_millis(1)));
        assert!(silent.len() <= 20, "{} are waited for", silent.len());
        drop((guests, silent));
        until(|| {
            let mut peer = Attacker::connect(victim.port());
            peer.try_send(REQUEST).is_ok() && peer.hears(b"HTTP/1.1 101 ")
        });
    });
}

#[test]
fn t39_a_handler_that_fails_harms_nobody_else() {
    let handler = |report: Sender<_>| {
        move |request: WebSocketRequest| -> Handling {
            let report = report.clone();
            Box::pin(async move {
                match request.path() {
                    "/before" => Err("on purpose".into()),
                    "/after" => {
                        let ws = request.accept(Accept::new()).await?;
                        ws.get_message().await?;
                        Err("on purpose".into())
                    }
                    _ => echo(request, report).await,
                }
            })
        }
    };
    attacked_by_way_of(ServerConfig::new(), handler, LITTLE, |victim| {
        let mut witness = victim.connection(Role::Server);
        for _ in 0..100 {
            let mut attacker = Attacker::connect(victim.port());
            attacker.send(REQUEST.replace("GET / ", "GET /before "));
            assert_eq!(attacker.refusal(), Some(500));
            drop(attacker); // or the server waits a second for it
            assert!(victim.fault().starts_with("Handler"));
            let mut attacker = Attacker::connect(victim.port()).shaken("/after");
            attacker.send_frame(TEXT, "go");
            assert_eq!(attacker.close_code(), Some(1011));
            drop(attacker);
            assert!(victim.fault().starts_with("Handler"));
            witness.send_frame(TEXT, "there?");
            assert_eq!(witness.receive(), Some((TEXT, b"there?".to_vec())));
        }
    });
}

#[test]
fn t40_leaving_a_scope_tells_every_peer_and_waits_for_none() {
    let config = ConnectionConfig::new().close_timeout(SHORT);
    attacked(limited(config), LITTLE, |victim| {
        let mut peers = [victim.connection(Role::Server), victim.connection(Role::Server)];
        let config = wscope::ClientConfig::new(&format!("ws://127.0.0.1:{}/", victim.port())).unwrap();
        let began = Instant::now();
        // A client whose scope is cancelled while it waits.
        let cancelled = wscope::run(wscope::move_on_after(SHORT, async {
            wscope::open_websocket(config, async |ws| {
                ws.get_message().await?;
                Ok::<(), wscope::Error>(())
            })
            .await
        }));
        assert!(cancelled.is_none() && began.elapsed() < PATIENCE);
        assert_eq!(victim.closed().code(), 1001);
        victim.sends_away(2);
        for peer in &mut peers {
            assert_eq!(peer.close_code(), Some(1001));
        }
        // While none of them leaves by itself.
        for _ in &peers {
            let closed = victim.closed();
            assert!(matches!(closed.cause(), CloseCause::CloseTimeout { limit: SHORT }), "{closed}");
        }
        assert!(began.elapsed() < PATIENCE);
    });
}

/// Buffers of a connection or two, without a message. Where hundreds come at once, each adds some KiB while it lives.
const LITTLE: usize = 384 * 1024;
/// A configured limit.
const SHORT: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
