//! `deflate`: compressed messages of wscope beside those of its peers, the same in one run.
//!
//! ```sh
//! cargo run --release                          # the table: nanoseconds a message, and ours / peer
//! cargo run --release -- takeover 1024         # the rows whose name holds each of these words
//! cargo run --release -- settings              # our own: bytes and nanoseconds for levels and windows
//! cargo run --release -- repeat wscope encode,takeover,1024 5   # five seconds of one case, for a profiler
//! cargo run --release --bin memory             # bytes a connection
//! ```

use deflate::{
    libraries::{Case, Direction, OURS, PEERS},
    measure::{compare, print_head, print_row},
};
use std::{
    env,
    time::{Duration, Instant},
};
use wscope::proto::extension::Level;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["repeat", library, case, seconds] => repeat(library, case, seconds.parse().expect("seconds")),
        ["settings"] => deflate::settings::table(),
        ref words => table(words),
    }
}

fn table(words: &[&str]) {
    print_head([OURS].iter().chain(&PEERS).map(|(name, ..)| *name));
    for case in
        cases().filter(|case| words.iter().all(|word| name(*case).split(", ").any(|part| part == *word)))
    {
        print_row(&name(case), 1.0, &PEERS.map(|(_, peer, _)| compare(OURS.1, peer, case)));
    }
}

fn cases() -> impl Iterator<Item = Case> {
    [true, false].into_iter().flat_map(|takeover| {
        [1024, 16_384].into_iter().flat_map(move |size| {
            [Direction::Encode, Direction::FromServer, Direction::FromClient].map(|direction| Case {
                direction,
                takeover,
                size,
                level: Level::Fast,
                window_bits: 15,
            })
        })
    })
}

fn name(case: Case) -> String {
    let direction = match case.direction {
        Direction::Encode => "encode",
        Direction::FromServer => "server to client",
        Direction::FromClient => "client to server",
    };
    let takeover = if case.takeover { "takeover" } else { "alone" };
    format!("{direction}, {takeover}, {}", case.size)
}

fn repeat(library: &str, case: &str, seconds: u64) {
    let case = cases().find(|known| name(*known).replace(", ", ",") == case).expect("a case");
    let (_, library, _) =
        PEERS.into_iter().chain([OURS]).find(|(name, ..)| *name == library).expect("a library");
    let mut step = library(case);
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        step();
    }
}
