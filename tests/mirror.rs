//! `tests/` mirrors `src/`: what stands in `src/layer/noun.rs` is tried in `tests/layer/noun.rs`, and the test binary of
//! the layer includes that file. A `mod.rs` without logic has nothing to try; one with logic is tried in `folder.rs`,
//! or in the `mod.rs` of a folder where its neighbours have tests too.

use std::{fs, io, path::Path};

/// Files that are tried elsewhere: where, and why.
#[rustfmt::skip]
const EXCUSED: &[(&str, &str)] = &[
    // Behind `PermessageDeflate`, which is all that a user sees of them.
    ("src/proto/extension/compressor.rs", "tests/proto/extension/deflate.rs: each rule of sending"),
    ("src/proto/extension/decompressor.rs", "tests/proto/extension/deflate.rs: each rule of receiving"),
    ("src/proto/extension/parameters.rs", "tests/proto/extension/deflate.rs: every offer and every answer"),
    ("src/proto/extension/pool.rs", "tests/proto/extension/deflate.rs: connections that share, and threads"),
    // Inside: no user names them, and what they do shows under a scheduler that tries schedules, or in the promises of others.
    ("src/runtime/address.rs", "tests/runtime/tcp.rs and tests/runtime/unix.rs: what each socket says of itself"),
    ("src/runtime/bell.rs", "tests/model/sink.rs: no ring is lost under any schedule"),
    ("src/runtime/sync.rs", "locks alone, which tests/model replaces by shuttle's"),
    ("src/scope/checkpoint.rs", "tests/websocket/ways_out.rs and tests/link/hub/attachment.rs wait by it"),
    ("src/scope/inbox.rs", "tests/scope/nursery.rs: starts from everywhere"),
    ("src/scope/job.rs", "tests/scope/ways_out.rs: each kind of child"),
    ("src/scope/slot.rs", "tests/model/slot.rs: every schedule of poll and stop"),
    ("src/scope/waiters.rs", "tests/scope/nursery.rs and tests/scope/cancel.rs: no waker is left behind"),
    ("src/websocket/printable.rs", "tests/texts: what a stranger says in an error is escaped"),
    // Parts of the hub's mind that no user sees; each promise is tried where it is made.
    ("src/link/cursor.rs", "tests/link/switchboard/delivery.rs and tests/link/model.rs"),
    ("src/link/hub/assembly.rs", "tests/link/hub/attachment.rs: messages of every size, and in pieces"),
    ("src/link/hub/exchange.rs", "tests/link/hub/handle.rs and attachment.rs: every input"),
    ("src/link/hub/outbox.rs", "tests/link/hub/attachment.rs: order, bounds and farewells"),
    ("src/link/rate.rs", "tests/link/switchboard/post.rs: bursts and what comes after"),
    ("src/link/recent.rs", "tests/link/switchboard/post.rs: keys"),
    ("src/link/switchboard/alarm.rs", "tests/link/switchboard/opening.rs and board.rs: everything with an end"),
    ("src/link/switchboard/effect.rs", "tests/link/support.rs takes every effect, and checks its length"),
    ("src/link/switchboard/endpoint.rs", "tests/link/switchboard/delivery.rs: who does not read"),
    ("src/link/switchboard/limits.rs", "tests/link/switchboard and tests/link/greedy.rs: each limit where it holds"),
    ("src/link/switchboard/registry.rs", "tests/link/switchboard/request.rs: discovery and names"),
    ("src/link/switchboard/channel.rs", "tests/link/channel.rs: turns; tests/link/switchboard/post.rs: audiences"),
    ("src/link/switchboard/stats.rs", "tests/link/switchboard/board.rs, delivery.rs and request.rs read them"),
    // Parts of a tenant that no user sees, or values with nothing to decide; each promise is tried where it is made.
    ("src/link/line.rs", "tests/link/tenant_link.rs: opened once, and what its end was"),
    ("src/link/link_error.rs", "tests/link/tenant_link.rs: each error where it is given"),
    ("src/link/tenant/calls.rs", "tests/link/tenant/call.rs: answered, late, expired, dropped"),
    ("src/link/tenant/channel.rs", "tests/link/tenant/agent.rs: everything that a channel does"),
    ("src/link/tenant/config.rs", "tests/link/tenant/call.rs and serve.rs: each limit where it holds"),
    ("src/link/tenant/delivery.rs", "tests/link/tenant/serve.rs and agent.rs: answers and invites"),
    ("src/link/tenant/discovery.rs", "tests/link/tenant/handle.rs: agents are found in every way"),
    ("src/link/tenant/driver.rs", "tests/link/tenant/call.rs: deadlines, pings, ends"),
    ("src/link/tenant/error.rs", "tests/link/tenant/call.rs and serve.rs: each error where it is given"),
    ("src/link/tenant/info.rs", "tests/link/tenant/agent.rs: channels and turns"),
    ("src/link/tenant/lanes.rs", "tests/link/tenant/serve.rs: order, room, what is put down"),
    ("src/link/tenant/memory.rs", "tests/link/tenant/serve.rs: what comes twice, on one link and on two"),
    ("src/link/tenant/post.rs", "tests/link/tenant/agent.rs: all that goes with a post"),
    ("src/link/tenant/shared.rs", "tests/link/tenant/handle.rs: who gets which answer"),
    ("src/link/tenant/stats.rs", "tests/link/tenant/call.rs and serve.rs read them"),
    // Parts of a connection that no user sees; each promise is tried where it is made.
    ("src/websocket/after.rs", "tests/websocket/engine.rs: nothing hangs, and hooks are called"),
    ("src/websocket/answer.rs", "tests/websocket/request.rs: accepted and rejected in every way"),
    ("src/websocket/bell.rs", "tests/websocket/engine.rs: a receive that is kept, receivers that come and go"),
    ("src/websocket/byte_stream.rs", "tests/websocket/views.rs"),
    ("src/websocket/client_config.rs", "tests/websocket/client.rs: what is sent, and each limit where it holds"),
    ("src/websocket/closing.rs", "tests/websocket/engine.rs and faults.rs: each way in which a connection ends"),
    ("src/websocket/config.rs", "tests/websocket/engine.rs: each limit where it holds"),
    ("src/websocket/deadlines.rs", "tests/websocket/engine.rs: keepalive and each timeout, on a virtual clock"),
    ("src/websocket/driver.rs", "tests/websocket/ways_out.rs: each way out of a scope"),
    ("src/websocket/end.rs", "tests/websocket/closed.rs: `wait_closed`"),
    ("src/websocket/error.rs", "tests/websocket/client.rs and request.rs: each error where it is given"),
    ("src/websocket/inbox.rs", "tests/websocket/views.rs: messages, pieces and their limits"),
    ("src/websocket/json.rs", "tests/websocket/views.rs"),
    ("src/websocket/messages.rs", "tests/websocket/views.rs"),
    ("src/websocket/opening.rs", "tests/websocket/client.rs and faults.rs: handshakes in every cut"),
    ("src/websocket/outgoing.rs", "tests/websocket/views.rs"),
    ("src/websocket/outqueue.rs", "tests/websocket/engine.rs: order, bounds and writes counted"),
    ("src/websocket/pieces.rs", "tests/websocket/views.rs"),
    ("src/websocket/ping.rs", "tests/websocket/faults.rs: F4 and F5"),
    ("src/websocket/pings.rs", "tests/websocket/faults.rs: F4 and F5"),
    ("src/websocket/place.rs", "tests/websocket/cancel.rs: calls that are dropped at every poll"),
    ("src/websocket/reading.rs", "tests/websocket/engine.rs: a turn and its bounds; faults.rs: what peers send"),
    ("src/websocket/receive.rs", "tests/websocket/engine.rs: receivers that come and go"),
    ("src/websocket/registry.rs", "tests/websocket/server_handle.rs: the live connections"),
    ("src/websocket/scoped.rs", "tests/websocket/ways_out.rs"),
    ("src/websocket/scratch.rs", "a buffer that is lent, under everything that reads"),
    ("src/websocket/spare.rs", "buffers that are lent, under all that is queued"),
    ("src/websocket/send.rs", "tests/websocket/engine.rs: senders that come and go"),
    ("src/websocket/server_config.rs", "tests/websocket/seats.rs and serve.rs: each limit where it holds"),
    ("src/websocket/shared.rs", "tests/websocket/engine.rs"),
    ("src/websocket/sink.rs", "tests/websocket/views.rs"),
    ("src/websocket/slot.rs", "tests/websocket/request.rs and faults.rs: F11"),
    ("src/websocket/stats.rs", "tests/websocket/engine.rs reads them"),
    ("src/runtime/turns.rs", "tests/websocket/engine.rs: receivers that come and go; tests/link/local.rs"),
    ("src/websocket/wrap.rs", "tests/websocket/request.rs: every request comes by it"),
    ("src/websocket/writing.rs", "tests/websocket/engine.rs: batches, flushes and order"),
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
        let there = |mirror: &str| tests.iter().any(|(path, _)| path == mirror);
        let folder = mirror.replace(".rs", "/mod.rs");
        let mirror = if path.ends_with("/mod.rs") && there(&folder) { folder } else { mirror };
        let found = there(&mirror);
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
    let path = path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
    let noun = path.rsplit('/').next().unwrap_or(path);
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
    let mut moved = tests.clone();
    moved[2].0 = "tests/proto/extension/mod.rs".to_owned();
    assert!(faults(&sources, &moved, &[]).is_empty());
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
