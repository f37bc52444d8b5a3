//! The text of each public error, as somebody reads it who has met it: provoked by a small program, and compared with `texts.txt`.
//! A text that has changed fails here; after a look at it, `WSCOPE_UPDATE_TEXTS=1 cargo test --all-features --test texts` writes it down.
//!
//! Ports are masked, and the words of the resolver and of the TLS library, which are other words on other machines.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "../support/certificates.rs"]
mod certificates;
mod engine;
#[path = "../support/errors.rs"]
mod errors;
mod link;
mod open;
mod opening;
mod programs;
mod proto;
mod refusals;
mod scope;
mod serving;
#[path = "../websocket/support.rs"]
#[allow(dead_code, reason = "the tests of websocket use the rest")]
mod support;
mod texts;
mod tls;
#[path = "../link/town.rs"]
#[allow(dead_code, reason = "the tests of link use the rest")]
mod town;

use std::{env, fs, path::Path, sync::OnceLock};

use texts::Texts;

#[test]
fn each_text_is_as_it_was_written_down() {
    let texts = all();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/texts/texts.txt");
    if env::var_os("WSCOPE_UPDATE_TEXTS").is_some() {
        fs::write(&path, texts.to_string()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    let (written, found): (Vec<_>, Vec<_>) =
        (written.lines().map(str::to_owned).collect(), texts.lines().collect());
    let gone: Vec<_> = written.iter().filter(|line| !found.contains(line)).collect();
    let new: Vec<_> = found.iter().filter(|line| !written.contains(line)).collect();
    assert!(written == found, "{path:?} and the errors differ.\nwritten: {gone:#?}\nfound: {new:#?}");
}

#[test]
fn each_text_is_one_plain_line_without_a_secret() {
    let faults = all().faults();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_public_error_is_left_out() {
    let texts = all();
    let mut missing = Vec::new();
    let mut found = 0;
    for layer in ["proto", "scope", "websocket", "link"] {
        for (name, variants) in errors::of(&format!("src/{layer}")) {
            let names = variants.iter().map(|variant| format!("{name}::{variant}"));
            let names = if variants.is_empty() { vec![name.clone()] } else { names.collect() };
            found += names.len();
            let unseen = names.into_iter().filter(|name| !texts.has(layer, name));
            missing.extend(unseen.map(|name| format!("{layer}::{name}")));
        }
    }
    assert!(found > 200, "only {found} public errors were found");
    assert!(missing.is_empty(), "provoke these: {missing:#?}");
}

/// All of them, provoked once.
fn all() -> &'static Texts {
    static TEXTS: OnceLock<Texts> = OnceLock::new();
    TEXTS.get_or_init(provoked)
}

fn provoked() -> Texts {
    let mut texts = Texts::default();
    proto::texts(&mut texts);
    engine::texts(&mut texts);
    scope::texts(&mut texts);
    opening::texts(&mut texts);
    tls::texts(&mut texts);
    open::texts(&mut texts);
    serving::texts(&mut texts);
    link::texts(&mut texts);
    refusals::texts(&mut texts);
    texts
}
