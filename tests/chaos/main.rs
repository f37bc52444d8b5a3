//! Whatever the network does, every operation of a connection ends: with its value, or with an error that says what happened, within
//! its timeout. A proxy stands between a client and a server of ours, on real sockets, and has one fault at a time.
//!
//! `--nocapture` prints the matrix. `CHAOS_SEED=7` takes another seed than 0; `CHAOS_SEEDS=100` that many, one after the other.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod operation;
mod proxy;

use std::{env, time::Duration};

use operation::{Cell, Operation, Outcome};
use proxy::Fault;
use wscope::{Error, Nursery, fail_after, nursery, proto::Role, run};

#[test]
fn every_operation_ends_in_time_whatever_the_network_does() {
    let number = |name: &str| env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let first = number("CHAOS_SEED").unwrap_or(0);
    for seed in first..first + number("CHAOS_SEEDS").unwrap_or(1) {
        let outcomes = run(matrix(seed)).unwrap();
        print(seed, &outcomes);
        for (cell, outcome) in outcomes {
            assert!(cell.may_end_with(&outcome), "seed {seed}, {cell:?}: {outcome:?}");
        }
    }
}

/// The cells of one fault at the same time.
async fn matrix(seed: u64) -> Result<Vec<(Cell, Outcome)>, Error> {
    let mut outcomes = Vec::new();
    for fault in Fault::ALL {
        let row = nursery(async |n: Nursery<'_, Error>| {
            let mut running = Vec::new();
            for operation in Operation::ALL {
                for role in [Role::Client, Role::Server] {
                    let cell = Cell { fault, operation, role };
                    let seed = seed * 1000 + running.len() as u64;
                    let ended = n.child(async move {
                        let ended = fail_after(HANGS, cell.run(seed)).await;
                        ended.unwrap_or_else(|_| panic!("{cell:?} hangs, seed {seed}"))
                    });
                    running.push((cell, ended));
                }
            }
            let mut row = Vec::new();
            for (cell, ended) in running {
                row.push((cell, ended.await?));
            }
            Ok(row)
        });
        outcomes.extend(row.await?);
    }
    Ok(outcomes)
}

fn print(seed: u64, outcomes: &[(Cell, Outcome)]) {
    println!("seed {seed}: what the client sees / what the server sees");
    print!("{:<18}", "");
    Operation::ALL.iter().for_each(|operation| print!(" {:<35}", format!("{operation:?}")));
    for row in outcomes.chunks(2 * Operation::ALL.len()) {
        print!("\n{:<18}", format!("{:?}", row[0].0.fault));
        for pair in row.chunks(2) {
            print!(" {:<35}", format!("{} / {}", pair[0].1, pair[1].1));
        }
    }
    println!();
}

/// Far beyond every configured limit, on a machine that is busy.
const HANGS: Duration = Duration::from_secs(30);
