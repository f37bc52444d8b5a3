//! Allocations a message, and a control frame, of our own codec.

#[path = "../../../measuring/counting.rs"]
mod counting;

use codec::{
    libraries::{Case, Direction, OURS, Side, Step},
    wire::{Kind, Reads},
};
use counting::allocations;
use wscope::proto::{Config, Connection, Ping, Pong, Role};

fn main() {
    println!("| case | allocations |\n|---|---:|");
    for (name, direction) in [
        ("decode, one a read", Direction::Decode(Reads::One)),
        ("decode, many a read", Direction::Decode(Reads::Many)),
        ("encode as server", Direction::Encode(Side::Server)),
        ("encode as client", Direction::Encode(Side::Client)),
    ] {
        for kind in [Kind::Binary, Kind::Text] {
            for size in [16, 125, 1024, 16_384] {
                println!(
                    "| {name}, {kind:?}, {size} B | {:.2} |",
                    count(&mut OURS.1(Case { direction, kind, size, place: 0 }))
                );
            }
        }
    }
    println!("| ping received and answered, pong received | {:.2} |", count(&mut control()));
}

/// A server that answers a ping and takes a pong.
fn control() -> Step {
    let mut client = Connection::new(Role::Client, Config::new());
    let mut server = Connection::new(Role::Server, Config::new());
    let (mut wire, mut out) = (Vec::new(), Vec::new());
    let (ping, pong) = (Ping::new(b"ping").expect("short"), Pong::new(b"pong").expect("short"));
    Box::new(move || {
        wire.clear();
        out.clear();
        client.send(ping.clone(), &mut wire).expect("open");
        client.send(pong.clone(), &mut wire).expect("open");
        let mut input = &mut wire[..];
        while server.receive(&mut input).expect("legal frames").is_some() {}
        server.transmit(&mut out);
    })
}

/// Allocations a step, after a first one that may grow buffers for good.
fn count(step: &mut Step) -> f64 {
    const STEPS: usize = 1000;
    (0..STEPS).for_each(|_| step());
    let before = allocations();
    (0..STEPS).for_each(|_| step());
    (allocations() - before) as f64 / STEPS as f64
}
