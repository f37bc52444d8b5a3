//! The tables: servers in turns, and the bars below them.

use std::{fs, io, time::Duration};

use crate::{
    bars::{ACCEPT, Against, Bar, CALLS, CASES, MEMORY, TAIL, THREADS, TLS, TUNGSTENITE},
    load::{Load, Pace, Shape, Slice, middle},
    peer::Peer,
    process::{Server, stay_on},
    servers::{BEFORE, OURS, SERVERS},
    statistics::{Ratio, median},
};

/// What to measure, and how long.
pub struct Plan {
    words: Vec<String>,
    servers: Option<Vec<String>>,
    rounds: usize,
    slice: Duration,
    idle: usize,
    accepted: usize,
}

impl Plan {
    pub fn from_words(words: &[&str]) -> io::Result<Self> {
        let mut plan = Self {
            words: Vec::new(),
            servers: None,
            rounds: 15,
            slice: Duration::from_millis(500),
            idle: 10_000,
            accepted: 1000,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--quick" => {
                    plan = Self {
                        rounds: 3,
                        slice: Duration::from_millis(100),
                        idle: 500,
                        accepted: 100,
                        ..plan
                    };
                }
                "--rounds" => {
                    let number = words.next().and_then(|number| number.parse().ok());
                    plan.rounds = number.ok_or_else(|| io::Error::other("--rounds wants a number"))?;
                }
                "--servers" => {
                    let names = words.next().ok_or_else(|| io::Error::other("--servers wants names"))?;
                    plan.servers = Some(names.split(',').map(str::to_owned).collect());
                }
                word => plan.words.push(word.to_owned()),
            }
        }
        Ok(plan)
    }

    fn wants(&self, table: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| word == table)
    }

    /// Those of all servers that are wanted.
    fn servers(&self) -> Vec<&'static str> {
        self.among(&SERVERS.map(|(name, _)| name))
    }

    /// Those of `names` that are wanted, and who is asked for by name alone.
    fn among(&self, names: &[&'static str]) -> Vec<&'static str> {
        let asked = |name: &str| self.servers.iter().flatten().any(|server| server == name);
        let wanted = names.iter().copied().filter(|name| self.servers.is_none() || asked(name));
        wanted.chain(asked(BEFORE).then_some(BEFORE)).collect()
    }
}

pub fn all(plan: &Plan) -> io::Result<()> {
    println!("load of the machine when this began: {}", fs::read_to_string("/proc/loadavg")?.trim());
    for (shape, bars) in CASES {
        let name = format!("{} {} {}", shape.size, shape.connections, shape.depth);
        if plan.wants(&name) {
            let rows = in_turns(plan, &plan.servers(), shape, false)?;
            print_slices(&name, &rows);
            bars.iter().for_each(|bar| judge(&rows, *bar, |slice| slice.processor));
        }
    }
    if plan.wants("tls") {
        let (shape, bar) = TLS;
        let rows = in_turns(plan, &plan.among(&[OURS, TUNGSTENITE]), shape, true)?;
        print_slices("tls", &rows);
        judge(&rows, bar, |slice| slice.processor);
    }
    if plan.wants("calls") {
        calls(plan)?;
    }
    if plan.wants("memory") {
        memory(plan)?;
    }
    if plan.wants("accept") {
        accept(plan)?;
    }
    if plan.wants("tail") {
        tail(plan)?;
    }
    if plan.wants("threads") {
        threads(plan)?;
    }
    Ok(())
}

/// What each server has shown, one a round.
type Rows = Vec<(&'static str, Vec<Slice>)>;

/// Runs all servers at once, and loads one at a time: a slice each in every round, in an order that moves on.
fn in_turns(plan: &Plan, servers: &[&'static str], shape: Shape, tls: bool) -> io::Result<Rows> {
    let mut running = start(servers, &[0], 1, tls)?;
    stay_on(&[1])?;
    let mut loads = open(&running, shape, tls)?;
    let time = |_: usize| (Pace::Closed, plan.slice);
    take_turns(plan, &mut running, &mut loads, time)
}

fn start(
    servers: &[&'static str],
    processors: &[usize],
    threads: usize,
    tls: bool,
) -> io::Result<Vec<(&'static str, Server)>> {
    servers.iter().map(|&name| Ok((name, Server::start(name, processors, threads, tls)?))).collect()
}

fn open(running: &[(&'static str, Server)], shape: Shape, tls: bool) -> io::Result<Vec<Load>> {
    running.iter().map(|(_, server)| Load::open(server.port, shape, tls)).collect()
}

fn take_turns(
    plan: &Plan,
    running: &mut [(&'static str, Server)],
    loads: &mut [Load],
    pace: impl Fn(usize) -> (Pace, Duration),
) -> io::Result<Rows> {
    let mut rows: Rows = running.iter().map(|(name, _)| (*name, Vec::new())).collect();
    // The first round warms up.
    for round in 0..=plan.rounds {
        for turn in 0..running.len() {
            let at = (turn + round) % running.len();
            let (name, server) = &running[at];
            let (pace, time) = pace(at);
            let slice = loads[at].run(server, pace, time);
            let slice = slice.map_err(|error| io::Error::other(format!("{name}: {error}")))?;
            if round > 0 {
                rows[at].1.push(slice);
            }
        }
    }
    Ok(rows)
}

fn print_slices(name: &str, rows: &Rows) {
    println!("\n| {name} | CPU us a message | messages a second | p50 us | p99 us | wscope / it, CPU |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (server, slices) in rows {
        let processor = middle(slices, |slice| slice.processor);
        let rate = middle(slices, |slice| slice.rate);
        let (p50, p99) = (middle(slices, |slice| slice.p50), middle(slices, |slice| slice.p99));
        let ratio = ratio(rows, server, |slice| slice.processor);
        println!("| {server} | {processor:.3} | {rate:.0} | {p50:.0} | {p99:.0} | {ratio} |");
    }
}

/// Ours against one other, as a table has it.
fn ratio(rows: &Rows, server: &str, part: fn(&Slice) -> f64) -> String {
    if server == OURS {
        return String::new();
    }
    compare(rows, server, part).map_or_else(String::new, show)
}

fn show(ratio: Ratio) -> String {
    let Ratio { median, low, high } = ratio;
    format!("{median:.3} ({low:.3}-{high:.3})")
}

fn compare(rows: &Rows, server: &str, part: fn(&Slice) -> f64) -> Option<Ratio> {
    let column = |wanted: &str| {
        let (_, slices) = rows.iter().find(|(name, _)| *name == wanted)?;
        Some(slices.iter().map(part).collect::<Vec<_>>())
    };
    Some(Ratio::of(&column(OURS)?, &column(server)?))
}

/// Says which bars our column meets.
fn judge(rows: &Rows, bar: Bar, part: fn(&Slice) -> f64) {
    let names: &[&str] = match &bar.against {
        Against::One(name) => std::slice::from_ref(name),
        Against::Best(names) => names,
    };
    let present = rows.iter().filter(|(name, _)| names.contains(name));
    let best = present.min_by(|(_, one), (_, other)| middle(one, part).total_cmp(&middle(other, part)));
    let Some((name, _)) = best else { return };
    let Some(ratio) = compare(rows, name, part) else { return };
    judge_ratio(name, ratio, bar);
}

fn judge_ratio(name: &str, ratio: Ratio, bar: Bar) {
    let must = if bar.must.is_finite() { format!("{:.2}", bar.must) } else { "-".to_owned() };
    let said = verdict(ratio.low, bar.must, bar.goal);
    println!("- against {name}: {} (must {must}, goal {:.2}): {said}", show(ratio), bar.goal);
}

/// A bar is met when the lower end of the interval is at or below it.
fn verdict(low: f64, must: f64, goal: f64) -> &'static str {
    if low <= goal {
        "goal"
    } else if must.is_infinite() {
        "goal missed"
    } else if low <= must {
        "met"
    } else {
        "MISSED"
    }
}

fn calls(plan: &Plan) -> io::Result<()> {
    print!("\n| calls |");
    CALLS.iter().for_each(|(shape, ..)| print!(" {} {} {} |", shape.size, shape.connections, shape.depth));
    println!("\n|---|{}", "---:|".repeat(CALLS.len()));
    for name in plan.servers() {
        print!("| {name} |");
        for (shape, must, goal) in CALLS {
            let server = Server::start(name, &[0], 1, false)?;
            stay_on(&[1])?;
            let mut load = Load::open(server.port, shape, false)?;
            server.settle()?;
            let (calls, slice) = server.system_calls(|| load.run(&server, Pace::Closed, plan.slice * 4))?;
            let each = calls / slice.messages as f64;
            let said = if name == OURS { verdict(each, must, goal) } else { "" };
            print!(" {each:.3} {said} |");
        }
        println!();
    }
    Ok(())
}

fn memory(plan: &Plan) -> io::Result<()> {
    let (must, goal) = MEMORY;
    println!("\n| memory | KiB a connection, {} idle after one echo |\n|---|---:|", plan.idle);
    for name in plan.servers() {
        let server = Server::start(name, &[0], 1, false)?;
        stay_on(&[1])?;
        let one = Shape { size: 125, connections: 1, depth: 1 };
        let _first = Load::open(server.port, one, false)?;
        let before = server.memory()?;
        let _all = Load::open(server.port, Shape { connections: plan.idle, ..one }, false)?;
        let each = (server.memory()? - before) / plan.idle as f64;
        let said = if name == OURS { verdict(each, must, goal) } else { "" };
        println!("| {name} | {each:.2} {said} |");
    }
    Ok(())
}

/// Connections are opened some at a time, and then closed, which does not count.
fn accept(plan: &Plan) -> io::Result<()> {
    let servers = plan.among(&[OURS, TUNGSTENITE, "tokio-tungstenite", "tokio-websockets"]);
    let running = start(&servers, &[0], 1, false)?;
    stay_on(&[1])?;
    let mut columns = vec![Vec::new(); running.len()];
    for round in 0..=plan.rounds {
        for turn in 0..running.len() {
            let at = (turn + round) % running.len();
            let server = &running[at].1;
            let before = server.processor_time()?;
            let peers = Peer::open(server.port, false, plan.accepted)?;
            let each = (server.processor_time()? - before) * 1e6 / plan.accepted as f64;
            if round > 0 {
                columns[at].push(each);
            }
            drop(peers);
            server.settle()?;
        }
    }
    println!("\n| accept | CPU us a connection | wscope / it |\n|---|---:|---:|");
    for ((name, _), column) in running.iter().zip(&columns) {
        let ratio = if *name == OURS { String::new() } else { show(Ratio::of(&columns[0], column)) };
        println!("| {name} | {:.1} | {ratio} |", median(column));
    }
    if let Some(at) = servers.iter().position(|name| *name == TUNGSTENITE) {
        judge_ratio(TUNGSTENITE, Ratio::of(&columns[0], &columns[at]), ACCEPT);
    }
    Ok(())
}

/// The delay at half of the rate that the slower of the two can take.
fn tail(plan: &Plan) -> io::Result<()> {
    let (shape, bar) = TAIL;
    let servers = plan.among(&[OURS, TUNGSTENITE, "fastwebsockets"]);
    let mut running = start(&servers, &[0], 1, false)?;
    stay_on(&[1])?;
    let mut loads = open(&running, shape, false)?;
    let most = take_turns(plan, &mut running, &mut loads, |_| (Pace::Closed, plan.slice))?;
    let Some((_, slices)) = most.iter().find(|(name, _)| *name == TUNGSTENITE) else { return Ok(()) };
    let rate = middle(slices, |slice| slice.rate) / 2.0;
    let rows = take_turns(plan, &mut running, &mut loads, |_| (Pace::Open(rate), plan.slice))?;
    print_slices(&format!("tail, {rate:.0} messages a second"), &rows);
    judge(&rows, bar, |slice| slice.p99);
    Ok(())
}

/// Two threads, and no processor of one's own.
fn threads(plan: &Plan) -> io::Result<()> {
    let (shape, bar) = THREADS;
    let mut running = start(&plan.among(&[OURS, TUNGSTENITE]), &[0, 1], 2, false)?;
    stay_on(&[0, 1])?;
    let mut loads = open(&running, shape, false)?;
    let rows = take_turns(plan, &mut running, &mut loads, |_| (Pace::Closed, plan.slice))?;
    print_slices("threads", &rows);
    judge(&rows, bar, |slice| 1.0 / slice.rate);
    Ok(())
}
