//! Live bytes a connection, at one end, after one message in each direction.

#[path = "../../../measuring/counting.rs"]
mod counting;

use counting::live;
use deflate::libraries::{Case, Direction, Keeper, OURS, PEERS};
use wscope::proto::extension::Level;

fn main() {
    let libraries = [OURS, PEERS[0], PEERS[1]];
    print!("| bytes a connection |");
    libraries.iter().for_each(|(name, ..)| print!(" {name} |"));
    println!("\n|---|{}", "---:|".repeat(libraries.len()));
    for takeover in [true, false] {
        for size in [1024, 16_384] {
            let case = Case {
                direction: Direction::FromServer,
                takeover,
                size,
                level: Level::Fast,
                window_bits: 15,
            };
            print!("| {}, {size} |", if takeover { "takeover" } else { "alone" });
            libraries.iter().for_each(|(_, _, keep)| print!(" {} |", weigh(*keep, case)));
            println!();
        }
    }
}

fn weigh(keep: Keeper, case: Case) -> isize {
    const PAIRS: usize = 20;
    drop(keep(case)); // what threads keep, and what is made once
    let mut kept = Vec::with_capacity(PAIRS);
    let before = live();
    kept.extend((0..PAIRS).map(|_| keep(case)));
    (live() - before) / (2 * PAIRS as isize)
}
