//! The tables, and the bars.

use std::{io, time::Duration};

use crate::{
    load::{DEPTH, Load, Slice},
    peer::Peer,
    process::{Server, stay_on},
    statistics::{Ratio, median},
};

/// What is to be measured, and how long.
pub struct Plan {
    tables: Vec<String>,
    rounds: usize,
    slice: Duration,
    connections: usize,
}

impl Plan {
    pub fn from_words(words: &[&str]) -> io::Result<Self> {
        let (options, tables): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
        if let Some(unknown) = options.iter().find(|option| **option != "--quick") {
            return Err(io::Error::other(format!("there is no option {unknown}")));
        }
        if let Some(unknown) = tables.iter().find(|table| !TABLES.contains(table)) {
            return Err(io::Error::other(format!("there is no table {unknown}")));
        }
        let tables = tables.into_iter().map(str::to_owned).collect();
        Ok(if options.is_empty() {
            Self { tables, rounds: 41, slice: Duration::from_millis(200), connections: 10_000 }
        } else {
            Self { tables, rounds: 5, slice: Duration::from_millis(100), connections: 500 }
        })
    }

    fn has(&self, table: &str) -> bool {
        self.tables.is_empty() || self.tables.iter().any(|wanted| wanted == table)
    }
}

pub fn all(plan: &Plan) -> io::Result<()> {
    stay_on(1)?;
    if plan.has("posts") {
        println!("\n## posts: one agent to another, {DEPTH} under way\n");
        against_ag2(plan, "posts")?;
    }
    if plan.has("fan-out") {
        println!("\n## fan-out: one agent to fifty, {DEPTH} posts under way\n");
        against_ag2(plan, "fan-out")?;
    }
    if plan.has("requests") {
        println!("\n## requests: one after the other\n");
        requests(plan)?;
    }
    if plan.has("memory") {
        println!("\n## memory: {} connections, an idle agent on each\n", plan.connections);
        memory(plan)?;
    }
    Ok(())
}

fn against_ag2(plan: &Plan, load: &str) -> io::Result<()> {
    let columns = in_turns(plan, &[("wscope", load), ("ag2", load)])?;
    print(&["wscope", "AG2"], "delivery", &columns);
    let (ours, ag2) = (&columns[0], &columns[1]);
    println!("\nas many in a second, ours / AG2's: {}", ratio(rates(ours), rates(ag2)));
    println!("processor time for one, AG2's / ours: {}", ratio(times(ag2), times(ours)));
    Ok(())
}

fn requests(plan: &Plan) -> io::Result<()> {
    for op in ["find_agent_id", "get_agent"] {
        let columns = in_turns(plan, &[("wscope", op), ("echo", op), ("ag2", op)])?;
        println!("{op}:\n");
        print(&["wscope", "bare echo of ours", "AG2"], "answer", &columns);
        let (ours, echo, ag2) = (&columns[0], &columns[1], &columns[2]);
        println!("\nround trip, ours / echo: {}", ratio(rates(echo), rates(ours)));
        println!("processor time, ours / echo: {}", ratio(times(ours), times(echo)));
        println!("round trip, AG2's / ours: {}", ratio(rates(ours), rates(ag2)));
        println!("processor time, AG2's / ours: {}\n", ratio(times(ag2), times(ours)));
    }
    Ok(())
}

/// Of the server's process alone: what a connection costs, once it has said something, and what more with an agent on it.
fn memory(plan: &Plan) -> io::Result<()> {
    println!("| | KiB a connection | KiB with an agent |\n|---|---:|---:|");
    for (name, title) in [("wscope", "wscope"), ("echo", "bare echo of ours"), ("ag2", "AG2")] {
        let server = Server::start(name)?;
        // What is made once, whoever comes first.
        let mut first = Peer::open(server.port)?;
        first.say(PING)?;
        first.hear()?;
        let empty = server.memory()?;
        let mut peers = Vec::new();
        for _ in 0..plan.connections {
            let mut peer = Peer::open(server.port)?;
            peer.say(PING)?;
            peer.hear()?;
            peers.push(peer);
        }
        let each = plan.connections as f64;
        print!("| {title} | {:.1} |", (server.memory()? - empty) / each);
        if name == "echo" {
            println!(" |");
            continue;
        }
        for (number, peer) in peers.iter_mut().enumerate() {
            peer.register(&format!("agent-{number}"))?;
        }
        println!(" {:.1} |", (server.memory()? - empty) / each);
    }
    Ok(())
}

/// A slice of each, again and again; who begins changes.
fn in_turns(plan: &Plan, contenders: &[(&'static str, &str)]) -> io::Result<Vec<Vec<Slice>>> {
    let servers = contenders.iter().map(|(name, _)| Server::start(name)).collect::<io::Result<Vec<_>>>()?;
    let loads = contenders.iter().zip(&servers).map(|((_, load), server)| Load::open(load, server));
    let mut loads = loads.collect::<io::Result<Vec<_>>>()?;
    let mut columns = vec![Vec::new(); contenders.len()];
    for round in 0..=plan.rounds {
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            let slice = loads[at].run(&servers[at], plan.slice)?;
            // The first warms up.
            if round > 0 {
                columns[at].push(slice);
            }
        }
    }
    Ok(columns)
}

fn print(names: &[&str], what: &str, columns: &[Vec<Slice>]) {
    println!("| | in a second | us of processor for one {what} |\n|---|---:|---:|");
    for (name, slices) in names.iter().zip(columns) {
        println!("| {name} | {:.0} | {:.1} |", median(&rates(slices)), median(&times(slices)));
    }
}

fn ratio(ours: Vec<f64>, theirs: Vec<f64>) -> String {
    let Ratio { median, low, high } = Ratio::of(&ours, &theirs);
    format!("{median:.2} ({low:.2} to {high:.2})")
}

fn rates(slices: &[Slice]) -> Vec<f64> {
    slices.iter().map(|slice| slice.rate).collect()
}

fn times(slices: &[Slice]) -> Vec<f64> {
    slices.iter().map(|slice| slice.processor).collect()
}

const PING: &str = r#"{"kind": "ping"}"#;
const TABLES: [&str; 4] = ["posts", "fan-out", "requests", "memory"];
