//! `tests/` mirrors `src/`: what stands in `src/layer/noun.rs` is tried in `tests/layer/noun.rs`, and the test binary of
//! the layer includes that file. A `mod.rs` without logic has nothing to try; one with logic is tried in `folder.rs`.

use std::{fs, io, path::Path};

/// Files that are tried elsewhere: where, and why.
#[rustfmt::skip]
const EXCUSED: &[(&str, &str)] = &[
    // The seam has no behaviour of its own: what it does shows in scopes, under the clock of `testing` and under async-std's.
    ("src/runtime/address.rs", "tests/runtime/tcp.rs and tests/runtime/unix.rs: what each socket says of itself"),
    ("src/runtime/ambient.rs", "tests/scope/cleanup.rs: what is current is inherited by children"),
    ("src/runtime/async_std.rs", "tests/scope: every test that runs on the real executor"),
    ("src/runtime/bell.rs", "tests/model/sink.rs: no ring is lost under any schedule"),
    ("src/runtime/clock.rs", "tests/testing/clock.rs: the other implementation"),
    ("src/runtime/executor.rs", "tests/scope/parallel.rs and tests/testing/simulation.rs"),
    ("src/runtime/sink.rs", "tests/model/sink.rs: every schedule of a hand-over"),
    ("src/runtime/sync.rs", "locks alone, which tests/model replaces by shuttle's"),
    ("src/runtime/timer.rs", "tests/scope/timeout.rs and tests/testing/clock.rs"),
    // Parts of the hub's mind that no user sees; each promise is tried where it is made.
    ("src/link/cursor.rs", "tests/link/switchboard/delivery.rs and tests/link/model.rs"),
    ("src/link/rate.rs", "tests/link/switchboard/post.rs: bursts and what comes after"),
    ("src/link/recent.rs", "tests/link/switchboard/post.rs: keys"),
    ("src/link/switchboard/alarm.rs", "tests/link/switchboard/opening.rs and board.rs: everything with an end"),
    ("src/link/switchboard/effect.rs", "tests/link/support.rs takes every effect, and checks its length"),
    ("src/link/switchboard/endpoint.rs", "tests/link/switchboard/delivery.rs: who does not read"),
    ("src/link/switchboard/registry.rs", "tests/link/switchboard/request.rs: discovery and names"),
    ("src/link/switchboard/room.rs", "tests/link/channel.rs: turns; tests/link/switchboard/post.rs: audiences"),
    // Parts of a nursery that no user sees; each promise is tried where it is made.
    ("src/scope/child.rs", "tests/scope/nursery.rs: values and cancellation of children"),
    ("src/scope/contain.rs", "tests/scope/adversary.rs: destructors that panic"),
    ("src/scope/error.rs", "tests/scope/nursery.rs and tests/scope/timeout.rs: each error where it is given"),
    ("src/scope/future.rs", "tests/scope/ways_out.rs: each way out of a nursery"),
    ("src/scope/inbox.rs", "tests/scope/nursery.rs: starts from everywhere"),
    ("src/scope/job.rs", "tests/scope/ways_out.rs: each kind of child"),
    ("src/scope/named.rs", "tests/scope/tracing.rs"),
    ("src/scope/pool.rs", "tests/scope/parallel.rs and tests/model/slot.rs"),
    ("src/scope/root.rs", "tests/scope: every test begins with it"),
    ("src/scope/slot.rs", "tests/model/slot.rs: every schedule of poll and stop"),
    ("src/scope/statistics.rs", "tests/scope/nursery.rs"),
    ("src/scope/waiters.rs", "tests/scope/nursery.rs: `below` and `wait`"),
    ("src/testing/census.rs", "tests/scope/ways_out.rs counts with it"),
];

#[test]
fn every_file_has_its_tests() {
    let faults = faults(&rust_files("src").unwrap(), &rust_files("tests").unwrap(), EXCUSED);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Both trees as path and text.
fn faults(sources: &[(String, String)], tests: &[(String, String)], excused: &[(&str, &str)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in sources {
        let Some(mirror) = mirror(path, text) else { continue };
        let excuse = excused.iter().any(|(excused, _)| excused == path);
        let found = tests.iter().any(|(path, _)| *path == mirror);
        match (found, excuse) {
            (false, false) => faults.push(format!("{path} has no {mirror}")),
            (true, true) => faults.push(format!("{path} has {mirror}, and an excuse for not having it")),
            (true, false) if !included(&mirror, tests) => {
                faults.push(format!("{mirror} is not included, so never run"))
            }
            (true, false) | (false, true) => {}
        }
    }
    let gone = excused.iter().filter(|(excused, _)| !sources.iter().any(|(path, _)| path == excused));
    faults.extend(gone.map(|(path, _)| format!("{path} is excused, and not there")));
    faults
}

/// Where the file `path` of `src/` is tried; `None` where there is nothing to try.
fn mirror(path: &str, text: &str) -> Option<String> {
    let inner = path.strip_prefix("src/").filter(|inner| inner.contains('/'))?; // `lib.rs` only names the layers
    let has_logic = text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains("fn "));
    match inner.strip_suffix("/mod.rs") {
        Some(folder) if has_logic => Some(format!("tests/{folder}.rs")),
        Some(_) => None,
        None => Some(format!("tests/{inner}")),
    }
}

/// Whether a `main.rs` or `mod.rs` in the folder of `path`, or above it, says `mod noun;`.
fn included(path: &str, tests: &[(String, String)]) -> bool {
    let noun = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    let declaration = format!("mod {noun};");
    tests.iter().any(|(root, text)| {
        let folder = root.strip_suffix("main.rs").or_else(|| root.strip_suffix("mod.rs"));
        folder.is_some_and(|folder| path.starts_with(folder))
            && text.lines().any(|line| line.trim() == declaration)
    })
}

/// Path and text of each `.rs` file under `folder`.
fn rust_files(folder: &str) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.ends_with(".rs") {
            files.push((path, fs::read_to_string(entry.path())?));
        }
    }
    files.sort();
    Ok(files)
}

#[test]
fn each_way_to_leave_a_file_untried_is_found() {
    let tree = |files: &[(&str, &str)]| -> Vec<(String, String)> {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    };
    let sources = tree(&[
        ("src/lib.rs", "fn f() {}"),
        ("src/proto/mod.rs", "//! fn f() {}\nmod frame;"),
        ("src/proto/frame.rs", ""),
        ("src/proto/extension/mod.rs", "pub fn f() {}"),
        ("src/proto/handshake/client.rs", ""),
    ]);
    let mains = "mod extension;\nmod frame;\nmod handshake {\n    mod client;\n}";
    let tests = tree(&[
        ("tests/proto/main.rs", mains),
        ("tests/proto/frame.rs", ""),
        ("tests/proto/extension.rs", ""),
        ("tests/proto/handshake/client.rs", ""),
    ]);
    assert!(faults(&sources, &tests, &[]).is_empty());
    assert_eq!(
        faults(&sources, &tests[..3], &[]),
        ["src/proto/handshake/client.rs has no tests/proto/handshake/client.rs"]
    );
    assert!(faults(&sources, &tests[..3], &[("src/proto/handshake/client.rs", "why")]).is_empty());
    assert_eq!(
        faults(&sources, &tests, &[("src/proto/frame.rs", "why")]),
        ["src/proto/frame.rs has tests/proto/frame.rs, and an excuse for not having it"]
    );
    assert_eq!(
        faults(&sources, &tests, &[("src/proto/gone.rs", "why")]),
        ["src/proto/gone.rs is excused, and not there"]
    );
    let forgotten = tree(&[
        ("tests/link/main.rs", mains),
        ("tests/proto/main.rs", "// mod frame;"),
        ("tests/proto/frame.rs", ""),
    ]);
    assert_eq!(
        faults(&sources[2..3], &forgotten, &[]),
        ["tests/proto/frame.rs is not included, so never run"]
    );
}
