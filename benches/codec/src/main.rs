//! `codec`: the codec of wscope beside those of its peers, on the same bytes in one run.
//!
//! ```sh
//! cargo run --release                        # the table: nanoseconds a message, and ours / peer
//! cargo run --release -- decode 16384        # the rows whose name holds each of these words
//! ./instructions                             # instructions a message, under callgrind
//! cargo run --release --bin allocations      # allocations a message
//! ```

use codec::{
    libraries::{Case, Direction, OURS, PEERS, Side},
    measure::{compare, print_head, print_row},
    wire::{Kind, Reads},
};
use std::env;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", library, name, steps] => count(library, name, steps.parse().expect("a number of steps")),
        ["names"] => cases().for_each(|case| println!("{}", name(case))),
        ref words => table(words),
    }
}

/// Steps through one case, for callgrind to count.
fn count(library: &str, wanted: &str, steps: usize) {
    let case = cases().find(|case| name(*case) == wanted).expect("a case that `names` lists");
    let (_, library) = PEERS.into_iter().chain([OURS]).find(|(name, _)| *name == library).expect("a library");
    let mut step = library(case);
    (0..steps).for_each(|_| step());
}

fn table(words: &[&str]) {
    print_head([OURS].iter().chain(&PEERS).map(|(name, _)| *name));
    for case in
        cases().filter(|case| words.iter().all(|word| name(*case).split(' ').any(|part| part == *word)))
    {
        print_row(&name(case), 1.0, &PEERS.map(|(_, peer)| compare(OURS.1, peer, case)));
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let directions = [
        Direction::Decode(Reads::One),
        Direction::Decode(Reads::Many),
        Direction::Encode(Side::Server),
        Direction::Encode(Side::Client),
    ];
    directions.into_iter().flat_map(|direction| {
        [Kind::Binary, Kind::Text].into_iter().flat_map(move |kind| {
            [16, 125, 1024, 16_384, 1 << 20].map(|size| Case { direction, kind, size, place: 0 })
        })
    })
}

fn name(case: Case) -> String {
    let direction = match case.direction {
        Direction::Decode(Reads::One) => "decode one",
        Direction::Decode(Reads::Many) => "decode many",
        Direction::Encode(Side::Server) => "encode server",
        Direction::Encode(Side::Client) => "encode client",
    };
    let kind = if case.kind == Kind::Text { "text" } else { "binary" };
    format!("{direction} {kind} {}", case.size)
}
