//! Several addresses, in virtual time, with connections that succeed, fail or stall by script.

use std::{
    cell::RefCell,
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

use wscope::{
    runtime::block_on,
    sleep,
    testing::{Census, Presence, Simulation},
};

use crate::{
    runtime::{Tcp, now},
    seam::dial::{DialError, Unreachable, dial, race},
};

/// What an address does.
#[derive(Clone, Copy)]
enum Act {
    /// Connects after so many milliseconds.
    Answer(u64),
    Refuse(u64),
    Stall,
}
use Act::{Answer, Refuse, Stall};

/// When each attempt began, and the winner or the error.
type Outcome = (Vec<(u64, SocketAddr)>, Result<SocketAddr, Unreachable>, u64);

/// Dials the addresses of `script`, in that order, in virtual time.
fn dialled(script: &[(&str, Act)]) -> Outcome {
    let census = Census::new();
    let simulation = Simulation::new();
    let outcome = simulation.run(async {
        let start = now();
        let passed = || u64::try_from((now() - start).as_millis()).unwrap();
        let begun = RefCell::new(Vec::new());
        let addresses: Vec<SocketAddr> = script.iter().map(|(address, _)| address.parse().unwrap()).collect();
        let connect = |address: SocketAddr| {
            begun.borrow_mut().push((passed(), address));
            let index = addresses.iter().position(|known| *known == address).unwrap();
            let (act, present) = (script[index].1, census.join());
            async move {
                let _present: Presence = present;
                match act {
                    Answer(after) => sleep(Duration::from_millis(after)).await,
                    Refuse(after) => {
                        sleep(Duration::from_millis(after)).await;
                        return Err(io::ErrorKind::ConnectionRefused.into());
                    }
                    Stall => pending().await,
                }
                Ok(address)
            }
        };
        let result = race("example.com", addresses.clone(), connect).await;
        (begun.take(), result, passed())
    });
    assert_eq!(census.present(), 0, "the others are dropped");
    outcome
}

fn at(times: &[(u64, &str)]) -> Vec<(u64, SocketAddr)> {
    times.iter().map(|(time, address)| (*time, address.parse().unwrap())).collect()
}

#[test]
fn the_families_take_turns_and_ipv6_begins() {
    let script = [("1.1.1.1:1", Stall), ("2.2.2.2:1", Stall), ("[::1]:1", Stall), ("[::2]:1", Stall)];
    let script = [&script[..], &[("[::3]:1", Stall), ("[::4]:1", Answer(0))]].concat();
    let (begun, winner, _) = dialled(&script);
    assert_eq!(
        begun,
        at(&[
            (0, "[::1]:1"),
            (250, "1.1.1.1:1"),
            (500, "[::2]:1"),
            (750, "2.2.2.2:1"),
            (1000, "[::3]:1"),
            (1250, "[::4]:1")
        ])
    );
    assert_eq!(winner.unwrap(), "[::4]:1".parse().unwrap());
}

#[test]
fn an_attempt_that_fails_makes_room_at_once() {
    let script = [("[::1]:1", Refuse(0)), ("1.1.1.1:1", Refuse(100)), ("2.2.2.2:1", Answer(7))];
    let (begun, winner, passed) = dialled(&script);
    assert_eq!(begun, at(&[(0, "[::1]:1"), (0, "1.1.1.1:1"), (100, "2.2.2.2:1")]));
    assert_eq!((winner.unwrap(), passed), ("2.2.2.2:1".parse().unwrap(), 107));
}

#[test]
fn the_first_to_connect_wins_though_it_began_later() {
    let (begun, winner, passed) = dialled(&[("[::1]:1", Answer(400)), ("1.1.1.1:1", Answer(100))]);
    assert_eq!(begun.len(), 2);
    assert_eq!((winner.unwrap(), passed), ("1.1.1.1:1".parse().unwrap(), 350));
}

#[test]
fn a_slow_answer_still_wins_when_the_rest_fails() {
    let (_, winner, passed) = dialled(&[("[::1]:1", Answer(9_000)), ("1.1.1.1:1", Refuse(1))]);
    assert_eq!((winner.unwrap(), passed), ("[::1]:1".parse().unwrap(), 9_000));
}

#[test]
fn an_address_that_answers_in_time_is_the_only_one_tried() {
    let (begun, winner, _) = dialled(&[("[::1]:1", Answer(249)), ("1.1.1.1:1", Answer(0))]);
    assert_eq!((begun.len(), winner.is_ok()), (1, true));
}

#[test]
fn the_error_names_each_address_and_its_fault() {
    let (_, error, _) = dialled(&[("[::1]:1", Refuse(900)), ("1.1.1.1:1", Refuse(0))]);
    let error = error.unwrap_err();
    let tried: Vec<String> = error.attempts().map(|(address, _)| address.to_string()).collect();
    assert_eq!(tried, ["1.1.1.1:1", "[::1]:1"]);
    assert!(error.attempts().all(|(_, error)| error.kind() == io::ErrorKind::ConnectionRefused));
    assert_eq!(
        error.to_string(),
        "no connection with `example.com`, tried 2 of 2 addresses: 1.1.1.1:1: connection refused; [::1]:1: connection refused"
    );
    let (_, error, _) = dialled(&[]);
    assert_eq!(error.unwrap_err().to_string(), "no connection with `example.com`: the host has no address");
}

#[test]
fn no_address_is_tried_twice_and_a_thousand_are_not_tried() {
    let (begun, _, _) = dialled(&[("[::1]:1", Refuse(0)), ("[::1]:1", Refuse(0)), ("1.1.1.1:1", Refuse(0))]);
    assert_eq!(begun.len(), 2);
    let names: Vec<String> = (0..1000).map(|last| format!("1.2.{}.{}:1", last / 256, last % 256)).collect();
    let script: Vec<_> = names.iter().map(|name| (name.as_str(), Refuse(0))).collect();
    let (begun, error, _) = dialled(&script);
    assert_eq!((begun.len(), error.unwrap_err().attempts().len()), (16, 16));
}

#[test]
fn over_real_sockets_a_dead_port_gives_way_to_a_live_one() {
    let dead = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap()
    };
    let live = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = live.local_addr().unwrap();
    let connected = block_on(race("localhost", vec![dead, address], Tcp::connect)).unwrap();
    assert_eq!(connected.peer(), &crate::runtime::Address::Tcp(address));
    assert_eq!(block_on(race("localhost", vec![dead], Tcp::connect)).unwrap_err().attempts().len(), 1);
}

#[test]
fn a_host_is_looked_up_and_connected_to() {
    let live = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = live.local_addr().unwrap().port();
    // `localhost` is also `::1` on most machines, where nobody listens at this port.
    for host in ["localhost", "127.0.0.1"] {
        let transport = block_on(dial(host, port)).unwrap();
        assert_eq!(transport.peer(), &crate::runtime::Address::Tcp(live.local_addr().unwrap()));
    }
    let error = block_on(dial("no host has this name", port)).unwrap_err();
    assert!(matches!(&error, DialError::Lookup { host, .. } if host == "no host has this name"), "{error}");
    drop(live);
    assert!(matches!(block_on(dial("127.0.0.1", port)).unwrap_err(), DialError::Unreachable(_)));
}
