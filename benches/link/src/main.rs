//! `link`: our hub and AG2's, each in a process of its own, under one load in turns.
//!
//! ```sh
//! cargo test --test ag2                     # in the folder of the library: installs AG2, or name a Python that has it in AG2_PYTHON
//! cargo run --release                       # all tables
//! cargo run --release -- --quick            # the same in short: to see that it runs, not to be quoted
//! cargo run --release -- posts fan-out      # these; there are posts, requests, fan-out and memory
//! cargo run --release -- profile posts 10   # ten seconds of load on our hub, for a profiler; prints its process
//! ```
//!
//! The servers stay on processor 0 and the generator on processor 1. Memory is asked of 10,000 connections: `ulimit -n` has to
//! allow them.
//!
//! Servers take turns in short slices; what belongs to one round is divided, and of these ratios the median is told, with its 95 %
//! bootstrap interval. Two things are measured in each slice: what came through in a second, and how long the server's process had
//! a processor for one of it. The second says on a busy machine more than the first, and they agree on an idle one.

mod load;
mod peer;
mod process;
mod servers;
#[path = "../../measuring/ratio.rs"]
mod statistics;
mod tables;

use std::{env, io, process::ExitCode, time::Duration};

use load::Load;
use process::{Server, stay_on};
use tables::Plan;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", name] => servers::serve(name),
        ["profile", load, seconds] => profile(load, seconds),
        ref words => Plan::from_words(words).and_then(|plan| tables::all(&plan)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("link: {error}");
            ExitCode::FAILURE
        }
    }
}

fn profile(load: &str, seconds: &str) -> io::Result<()> {
    let seconds = seconds.parse().map_err(io::Error::other)?;
    let server = Server::start("wscope")?;
    stay_on(1)?;
    let mut load = Load::open(load, &server)?;
    println!("process {}", server.id());
    let slice = load.run(&server, Duration::from_secs(seconds))?;
    println!("{slice:?}");
    Ok(())
}
