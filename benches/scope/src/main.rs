//! `scope`: what children of a nursery cost beside those of its peers, in one run.
//!
//! ```sh
//! cargo run --release                              # the tables: nanoseconds of processor time a child or a wake, and ours / peer
//! cargo run --release -- spawn 10000               # the rows whose name holds each of these words
//! cargo run --release -- repeat wscope start_soon 10000 5    # five seconds of one case, for a profiler
//! cargo run --release --bin memory                 # bytes a child beside its future
//! ```

use rustix::time::ClockId;
use scope::{
    BURST, Contender, in_task,
    measure::{compare, print_head, print_row},
    pool,
};
use std::{
    env,
    time::{Duration, Instant},
};

/// What is measured, by whom, and how many children or wakes a step has.
struct Group {
    name: &'static str,
    contenders: &'static [Contender],
    per_step: fn(usize) -> usize,
    clock: ClockId,
}

const GROUPS: [Group; 5] = [
    Group {
        name: "start_soon",
        contenders: &in_task::START,
        per_step: |count| count,
        clock: ClockId::ThreadCPUTime,
    },
    Group {
        name: "spawn",
        contenders: &pool::START,
        per_step: |count| count,
        clock: ClockId::ProcessCPUTime,
    },
    Group {
        name: "wake in order",
        contenders: &in_task::WAKE,
        per_step: |_| 1,
        clock: ClockId::ThreadCPUTime,
    },
    Group {
        name: "wake scattered",
        contenders: &in_task::WAKE_SCATTERED,
        per_step: |_| 1,
        clock: ClockId::ThreadCPUTime,
    },
    Group {
        name: "wake on executor",
        contenders: &pool::WAKE,
        per_step: |_| BURST,
        clock: ClockId::ProcessCPUTime,
    },
];
const COUNTS: [usize; 3] = [100, 10_000, 100_000];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["repeat", contender, group, count, seconds] => {
            repeat(contender, group, count.parse().expect("a count"), seconds.parse().expect("seconds"));
        }
        ref words => table(words),
    }
}

fn table(words: &[&str]) {
    let wanted = |name: &str| words.iter().all(|word| name.split(' ').any(|part| part == *word));
    for group in GROUPS {
        let counts = COUNTS.iter().filter(|count| wanted(&format!("{} {count}", group.name)));
        for (row, &count) in counts.enumerate() {
            if row == 0 {
                println!();
                print_head(group.contenders.iter().map(|(name, _)| *name));
            }
            let per_step = (group.per_step)(count) as f64;
            let mut ours = group.contenders[0].1(count);
            let rows: Vec<_> = group.contenders[1..]
                .iter()
                .map(|(_, peer)| compare(group.clock, &mut ours, &mut peer(count)))
                .collect();
            print_row(&format!("{} {count}", group.name), per_step, &rows);
        }
    }
    growth(words);
}

/// A wake among the most children, against one among the fewest, each contender with itself.
fn growth(words: &[&str]) {
    if !(words.is_empty() || words == ["growth"]) {
        return;
    }
    println!("\n| wake among {} / among {} | ratio | 95 % |\n|---|---:|---:|", COUNTS[2], COUNTS[0]);
    for group in GROUPS.iter().filter(|group| group.name.starts_with("wake")) {
        for (name, contender) in group.contenders {
            let row = compare(group.clock, &mut contender(COUNTS[2]), &mut contender(COUNTS[0]));
            println!("| {}: {name} | {:.2} | {:.2}-{:.2} |", group.name, row.ratio, row.low, row.high);
        }
    }
}

fn repeat(contender: &str, group: &str, count: usize, seconds: u64) {
    let group = GROUPS.into_iter().find(|known| known.name == group).expect("a group");
    let (_, contender) = group.contenders.iter().find(|(name, _)| *name == contender).expect("a contender");
    let mut step = contender(count);
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        step();
    }
}
