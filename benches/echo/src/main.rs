//! `echo`: echo servers of wscope and of its peers, each in a process of its own, under one load in turns.
//!
//! ```sh
//! cargo run --release                       # all tables; about a quarter of an hour, and best on a machine that does nothing else
//! cargo run --release -- --quick            # the same in short: to see that it runs, not to be quoted
//! cargo run --release -- "125 64 1"         # one table; their names are the heads of their first columns
//! cargo run --release -- "125 64 1" --servers wscope,fastwebsockets
//! BEFORE=../echo cargo run --release -- "125 64 1" --servers wscope,before      # against another build of this program
//! cargo run --release -- profile wscope 125 64 1 10     # ten seconds of load on one server, for a profiler; prints its process
//! ```
//!
//! The server stays on processor 0 and the generator on processor 1, but for the table `threads`. System calls are counted by
//! `perf stat`, for which one has to be root. Memory and the like is asked of 10,000 connections: `ulimit -n` has to allow it.
//!
//! What is compared is processor time of the server for each message, from the clock of its process, and not messages a second:
//! the latter says on a busy machine how much of a processor one happened to get. Servers take turns in short slices; what
//! belongs to one round is divided, and of these ratios the median is told, with its 95 % bootstrap interval.

mod bars;
mod load;
mod peer;
mod process;
mod servers;
#[path = "../../measuring/ratio.rs"]
mod statistics;
mod tables;

use std::{
    env,
    io::{self, Read},
    process::ExitCode,
    thread,
    time::Duration,
};

use load::{Load, Pace, Shape};
use process::{Server, stay_on};
use servers::{Identity, SERVERS};
use tables::Plan;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", name, processors, tls] => serve(name, processors, tls == "tls"),
        ["profile", name, size, connections, depth, seconds] => {
            profile(name, [size, connections, depth, seconds])
        }
        ref words => Plan::from_words(words).and_then(|plan| tables::all(&plan)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Is a server, until standard input ends.
fn serve(name: &str, processors: &str, tls: bool) -> io::Result<()> {
    let processors: Vec<usize> = processors.split(',').filter_map(|number| number.parse().ok()).collect();
    stay_on(&processors)?;
    let (_, serve) = SERVERS.iter().find(|(known, _)| *known == name).ok_or(io::ErrorKind::NotFound)?;
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0)
    });
    serve(tls.then(self_signed).transpose()?)
}

fn profile(name: &str, numbers: [&str; 4]) -> io::Result<()> {
    let numbers: Vec<usize> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
    let &[size, connections, depth, seconds] = &numbers[..] else {
        return Err(io::Error::other("four numbers are wanted"));
    };
    let server = Server::start(name, &[0], 1, false)?;
    stay_on(&[1])?;
    let mut load = Load::open(server.port, Shape { size, connections, depth }, false)?;
    println!("process {}", server.id());
    let slice = load.run(&server, Pace::Closed, Duration::from_secs(seconds as u64))?;
    println!("{slice:?}");
    Ok(())
}

/// A certificate for `localhost`, made now.
fn self_signed() -> io::Result<Identity> {
    use openssl::{
        asn1::Asn1Time, ec, hash::MessageDigest, nid::Nid, pkey::PKey, x509::X509Builder,
        x509::X509NameBuilder,
    };
    let group = ec::EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(ec::EcKey::generate(&group)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", "localhost")?;
    let name = name.build();
    let mut certificate = X509Builder::new()?;
    certificate.set_subject_name(&name)?;
    certificate.set_issuer_name(&name)?;
    certificate.set_pubkey(&key)?;
    let (begin, end) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(1)?);
    certificate.set_not_before(&begin)?;
    certificate.set_not_after(&end)?;
    certificate.sign(&key, MessageDigest::sha256())?;
    Ok((certificate.build().to_pem()?, key.private_key_to_pem_pkcs8()?))
}
