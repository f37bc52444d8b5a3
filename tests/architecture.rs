//! The law of the house, checked on the source text: which layer may name which, what only `runtime` may name, what the
//! protocol engine never names, who may spawn, what a `mod.rs` holds, and how long a file may be.
//!
//! A rule is a function from `(path, text)` to faults, so that a table of bad files shows that each of them bites.
//! Everything counts, also what stands behind `#[cfg(test)]`: the tests of a layer live in `tests/`.

use std::{fs, io, path::Path};

/// Each layer and the layers it may name, bottom first.
const LAW: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("runtime", &[]),
    ("scope", &["runtime"]),
    ("websocket", &["proto", "runtime", "scope"]),
    ("reconnect", &["runtime", "scope", "websocket"]),
    ("link", &["runtime", "scope", "websocket"]),
    ("manager", &["reconnect", "runtime", "scope", "websocket"]),
    ("testing", &["link", "manager", "proto", "reconnect", "runtime", "scope", "websocket"]),
];

/// The clock, the executor, the reactor and TLS: nothing outside `runtime` names them.
const RUNTIME_ONLY: &[&str] = &[
    "async_std",
    "async_io",
    "async_native_tls",
    "native_tls",
    "sleep",
    "elapsed",
    "thread::spawn",
    "Instant::now",
    "Instant>::now",
    "Instant as",
    "SystemTime::now",
    "SystemTime>::now",
    "SystemTime as",
];

/// What would make the protocol engine wait, or ask the world.
const NEVER_IN_PROTO: &[&str] = &["async", "await", "Future", "Poll", "Waker", "Instant", "SystemTime"];
const NEVER_IN_PROTO_OF_STD: &[&str] = &["*", "env", "fs", "io", "net", "os", "process", "thread"];

/// How a task gets onto the executor.
const SPAWN: &[&str] = &["runtime::spawn", "executor.spawn", "executor().spawn"];

/// Lines of code in one file, without blank lines and comments.
const MAX_LINES: usize = 500;

/// The one `mod.rs` with more in it than its essay, and why.
const MORE_THAN_AN_ESSAY: &[(&str, &str)] = &[(
    "src/proto/extension/mod.rs",
    "the traits of the seam are the folder's noun; extensions stand beside them",
)];

#[test]
fn the_house_keeps_its_law() {
    let faults = faults(&rust_files("src").unwrap());
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

// ---- the rules

fn faults(files: &[(String, String)]) -> Vec<String> {
    let mut faults: Vec<String> =
        files.iter().flat_map(|(path, text)| File::new(path, text).faults()).collect();
    faults.extend(spawning_files(files));
    faults
}

/// One file of `src/`, cut into words and marks.
struct File<'a> {
    path: &'a str,
    text: &'a str,
    /// Where the file stands in the tree of modules; empty for `lib.rs`.
    module: Vec<&'a str>,
    tokens: Vec<Token<'a>>,
}

impl<'a> File<'a> {
    fn new(path: &'a str, text: &'a str) -> Self {
        let module = path.trim_start_matches("src/").trim_end_matches(".rs").split('/');
        let module = module.filter(|name| !["lib", "mod"].contains(name)).collect();
        Self { path, text, module, tokens: tokens(text) }
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.text.starts_with("//!") {
            faults.push(self.fault(1, "no `//!` header"));
        }
        let lines = self.lines_of_code();
        if lines > MAX_LINES {
            faults.push(self.fault(1, &format!("{lines} lines of code, more than {MAX_LINES}")));
        }
        if self.path.ends_with("/mod.rs") && !MORE_THAN_AN_ESSAY.iter().any(|(path, _)| *path == self.path) {
            faults.extend(
                self.logic().map(|line| self.fault(line, "a mod.rs holds docs, `mod` and `use`, no more")),
            );
        }
        faults.extend(self.forbidden(&["#[path", "include!", "extern crate"], "hides a name"));
        faults.extend(self.layer().map_or_else(Vec::new, |layer| self.faults_of(layer)));
        faults
    }

    fn faults_of(&self, layer: &str) -> Vec<String> {
        let Some((_, allowed)) = LAW.iter().find(|(name, _)| *name == layer) else {
            return vec![self.fault(1, &format!("`{layer}` is no layer of the house"))];
        };
        let mut faults = Vec::new();
        for (line, path) in self.paths() {
            let fault = match path.first() {
                Some(&"std") => {
                    let name = path.get(1).copied().unwrap_or("*"); // `std` alone is renamed, and names all
                    (layer == "proto" && NEVER_IN_PROTO_OF_STD.contains(&name))
                        .then(|| format!("proto may not name `std::{name}`"))
                }
                Some(name) if *name == layer => None,
                Some(name) if allowed.contains(name) => {
                    (path.last() == Some(&"*")).then(|| format!("a glob of {name} hides names"))
                }
                Some(name) if LAW.iter().any(|(other, _)| other == name) => {
                    Some(format!("{layer} may not name {name}"))
                }
                Some(&"*") | None => Some("the root of the crate is named as a whole".to_owned()),
                Some(name) => Some(format!("`crate::{name}` is named past its layer")),
            };
            faults.extend(fault.map(|fault| self.fault(line, &fault)));
        }
        for (other, _) in LAW {
            faults.extend(self.forbidden(&[&format!("{other} as")], "hides a name"));
        }
        if layer != "runtime" {
            faults.extend(self.forbidden(RUNTIME_ONLY, "belongs to runtime"));
        }
        if layer == "proto" {
            faults.extend(self.forbidden(NEVER_IN_PROTO, "does not belong in proto"));
        }
        faults
    }

    /// The folder under `src/`; `None` for `lib.rs`, which names them all.
    fn layer(&self) -> Option<&'a str> {
        self.module.first().copied()
    }

    fn fault(&self, line: usize, fault: &str) -> String {
        format!("{}:{line}: {fault}", self.path)
    }

    fn forbidden(&self, phrases: &[&str], why: &str) -> Vec<String> {
        let of = |phrase: &&str| {
            let fault = format!("`{phrase}` {why}");
            self.lines_with(phrase).into_iter().map(|line| self.fault(line, &fault)).collect::<Vec<_>>()
        };
        phrases.iter().flat_map(of).collect()
    }

    /// Lines in which `phrase` begins, whatever blanks and comments stand between its words.
    fn lines_with(&self, phrase: &str) -> Vec<usize> {
        let phrase = tokens(phrase);
        let same =
            |window: &&[Token<'_>]| window.iter().zip(&phrase).all(|(here, there)| here.text == there.text);
        self.tokens.windows(phrase.len()).filter(same).map(|window| window[0].line).collect()
    }

    fn lines_of_code(&self) -> usize {
        let mut lines: Vec<usize> = self.tokens.iter().map(|token| token.line).collect();
        lines.dedup();
        lines.len()
    }

    /// The first line that is neither an attribute nor `mod name;` nor `use ..;`.
    fn logic(&self) -> Option<usize> {
        let mut rest = &self.tokens[..];
        while let Some(first) = rest.first() {
            let end = match first.text {
                "#" => "]",
                "pub" if rest.get(1).is_some_and(|next| next.text == "(") => ")",
                "pub" => "pub",
                "mod" | "use" => ";",
                _ => return Some(first.line),
            };
            let length = 1 + rest.iter().position(|token| token.text == end).unwrap_or(rest.len() - 1);
            if first.text == "mod" && length != 3 {
                return Some(first.line);
            }
            rest = &rest[length..];
        }
        None
    }

    /// Every path that begins at `crate`, `self`, `super` or `std`, as seen from the root of the crate. `core` is nobody's
    /// secret: it has addresses, but no sockets, no files and no clock.
    fn paths(&self) -> Vec<(usize, Vec<&'a str>)> {
        let (mut found, mut at, mut depth) = (Vec::new(), 0, 0);
        let mut module = self.module.clone();
        let mut inline = Vec::new(); // depths at which `mod name {` was opened
        while at < self.tokens.len() {
            let Token { line, text } = self.tokens[at];
            match text {
                "{" => depth += 1,
                "}" => depth -= 1,
                "mod" if self.text_at(at + 2) == "{" => {
                    inline.push(depth);
                    module.push(self.text_at(at + 1));
                }
                _ => {}
            }
            if text == "}" && inline.last() == Some(&depth) {
                inline.pop();
                module.pop();
            }
            let begins = match text {
                "crate" | "super" => self.text_at(at + 1) != ")", // `pub(crate)` opens nothing
                "self" => self.text_at(at + 1) == "::",
                "std" => ["::", "as"].contains(&self.text_at(at + 1)),
                _ => false,
            };
            if begins {
                let mut leaves = Vec::new();
                at = self.leaves(at, &[], &mut leaves);
                found.extend(leaves.iter().map(|leaf| (line, absolute(&module, leaf))));
            } else {
                at += 1;
            }
        }
        found
    }

    /// Reads one path or one tree of `use`, adds its leaves, and returns where it ends.
    fn leaves(&self, mut at: usize, prefix: &[&'a str], leaves: &mut Vec<Vec<&'a str>>) -> usize {
        let mut path = prefix.to_vec();
        loop {
            if self.text_at(at) == "{" {
                at += 1;
                while !["}", ""].contains(&self.text_at(at)) {
                    at = self.leaves(at, &path, leaves).max(at + 1);
                    while !["}", ",", ""].contains(&self.text_at(at)) {
                        at += 1; // `as name`
                    }
                    at += usize::from(self.text_at(at) == ",");
                }
                return at + 1;
            }
            match self.text_at(at) {
                "self" if !path.is_empty() => {} // `{self, ..}` is its prefix
                word if word == "*" || word.starts_with(is_word) => path.push(word),
                _ => break,
            }
            at += 1;
            if self.text_at(at) != "::" {
                break;
            }
            at += 1;
        }
        leaves.push(path);
        at
    }

    fn text_at(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text)
    }
}

/// `path`, written in `module`, from the root of the crate.
fn absolute<'a>(module: &[&'a str], path: &[&'a str]) -> Vec<&'a str> {
    let above = path.iter().skip(usize::from(path[0] == "self")).take_while(|name| **name == "super").count();
    match path[0] {
        "crate" => path[1..].to_vec(),
        "self" => [&module[..module.len().saturating_sub(above)], &path[1 + above..]].concat(),
        "super" => [&module[..module.len().saturating_sub(above)], &path[above..]].concat(),
        _ => path.to_vec(),
    }
}

/// The executor's `spawn` is called in one file of `scope`, and nowhere else.
fn spawning_files(files: &[(String, String)]) -> Vec<String> {
    let mut spawning = Vec::new();
    for (path, text) in files {
        let file = File::new(path, text);
        let imports = |(_, path): &(usize, Vec<&str>)| {
            path.first() == Some(&"runtime") && path.last() == Some(&"spawn")
        };
        let line = SPAWN.iter().find_map(|phrase| file.lines_with(phrase).first().copied());
        let line = line.or_else(|| file.paths().iter().find(|path| imports(path)).map(|(line, _)| *line));
        if let (Some(line), true) = (line, file.layer() != Some("runtime")) {
            spawning.push((path, line));
        }
    }
    let home = spawning.iter().position(|(path, _)| path.starts_with("src/scope/"));
    let strangers = spawning.iter().enumerate().filter(|(at, _)| Some(*at) != home);
    strangers
        .map(|(_, (path, line))| format!("{path}:{line}: one file of scope spawns, and no other"))
        .collect()
}

// ---- words and marks

/// One word or one mark of the code, and its line.
#[derive(Clone, Copy)]
struct Token<'a> {
    line: usize,
    text: &'a str,
}

/// The code in `text`: comments, strings, characters and lifetimes left out, `::` kept whole.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| string(rest)).or_else(|| quote(rest)).or_else(|| blank(rest));
        let length = skipped.unwrap_or_else(|| match first {
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        });
        let (lexeme, after) = rest.split_at(length);
        if skipped.is_none() {
            tokens.push(Token { line, text: lexeme });
        }
        line += lexeme.matches('\n').count();
        rest = after;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of the blanks, or of the `r#` before a raw name, at the start of `text`.
fn blank(text: &str) -> Option<usize> {
    let blanks = text.len() - text.trim_start().len();
    if text.starts_with("r#") { Some(2) } else { (blanks > 0).then_some(blanks) }
}

fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let (mut depth, mut at) = (0, 0);
    while text.starts_with("/*") && at < text.len() {
        let rest = &text.as_bytes()[at..];
        let step = if rest.starts_with(b"/*") {
            1
        } else if rest.starts_with(b"*/") {
            -1
        } else {
            0
        };
        depth += step;
        at += if step == 0 { 1 } else { 2 };
        if depth == 0 {
            break;
        }
    }
    (at > 0).then_some(at)
}

fn string(text: &str) -> Option<usize> {
    let body = text.trim_start_matches(['b', 'c']);
    let raw = body.starts_with('r');
    let fenced = if raw { &body[1..] } else { body };
    let quoted = if raw { fenced.trim_start_matches('#') } else { fenced };
    let start = text.len() - quoted.strip_prefix('"')?.len();
    if raw {
        let end = format!("\"{}", "#".repeat(fenced.len() - quoted.len()));
        return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
    }
    Some(closing(text, start, b'"'))
}

/// Length of a character or of a lifetime.
fn quote(text: &str) -> Option<usize> {
    let body = text.strip_prefix('b').unwrap_or(text).strip_prefix('\'')?;
    let start = text.len() - body.len();
    let first = body.chars().next()?;
    if first == '\\' || body[first.len_utf8()..].starts_with('\'') {
        return Some(closing(text, start, b'\''));
    }
    Some(start + body.find(|c| !is_word(c)).unwrap_or(body.len()))
}

/// Where the literal that begins at `start` ends: behind the first `mark` that is not escaped.
fn closing(text: &str, start: usize, mark: u8) -> usize {
    let mut at = start;
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'\\' => at += 2,
            byte if *byte == mark => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

// ---- the tree

/// Path and text of each `.rs` file under `folder`, in order.
fn rust_files(folder: &str) -> io::Result<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut entries = fs::read_dir(root.join(folder))?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.ends_with(".rs") {
            files.push((path, fs::read_to_string(entry.path())?));
        }
    }
    Ok(files)
}

// ---- each rule bites

/// A file with a header, and the one fault that it must be found guilty of in its second line.
#[rustfmt::skip]
const BAD: &[(&str, &str, &str)] = &[
    // Every way to write a path that leads upwards.
    ("src/proto/frame.rs", "use crate::websocket::X;", "proto may not name websocket"),
    ("src/proto/frame.rs", "use crate::{scope::X};", "proto may not name scope"),
    ("src/proto/frame.rs", "use crate::{proto::{self, Role}, link};", "proto may not name link"),
    ("src/proto/frame.rs", "use {super::role::Role, super::super::link::X};", "proto may not name link"),
    ("src/proto/frame.rs", "fn f() { super::super::link::f() }", "proto may not name link"),
    ("src/proto/frame.rs", "use super::{super::link::X};", "proto may not name link"),
    ("src/proto/handshake/client.rs", "use super::super::super::runtime::X;", "proto may not name runtime"),
    ("src/proto/mod.rs", "use super::runtime::X;", "proto may not name runtime"),
    ("src/proto/mod.rs", "use self::super::runtime::X;", "proto may not name runtime"),
    ("src/proto/frame.rs", "mod inner { use super::super::super::scope::X; }", "proto may not name scope"),
    ("src/proto/frame.rs", "fn f(x: crate :: /* far */ scope :: X) {}", "proto may not name scope"),
    ("src/proto/frame.rs", "macro_rules! m { () => { $crate::scope::X } }", "proto may not name scope"),
    ("src/proto/frame.rs", "#[cfg(test)] use crate::scope::X;", "proto may not name scope"),
    ("src/proto/frame.rs", "#[cfg(test)] mod tests { use crate::scope::X; }", "proto may not name scope"),
    ("src/runtime/tcp.rs", "use crate::proto::X;", "runtime may not name proto"),
    ("src/scope/nursery.rs", "use crate::proto::X;", "scope may not name proto"),
    ("src/websocket/driver.rs", "use crate::link::X;", "websocket may not name link"),
    ("src/link/hub.rs", "use crate::manager::X;", "link may not name manager"),
    ("src/link/hub.rs", "use crate::proto::X;", "link may not name proto"),
    ("src/manager/topic.rs", "use crate::link::X;", "manager may not name link"),
    ("src/manager/topic.rs", "use crate::testing::X;", "manager may not name testing"),
    // What would blind the check.
    ("src/proto/frame.rs", "use crate as root;", "the root of the crate is named as a whole"),
    ("src/proto/frame.rs", "use crate::{self as root};", "the root of the crate is named as a whole"),
    ("src/proto/frame.rs", "use super::super as root;", "the root of the crate is named as a whole"),
    ("src/proto/frame.rs", "use crate::*;", "the root of the crate is named as a whole"),
    ("src/proto/mod.rs", "use super::*;", "the root of the crate is named as a whole"),
    ("src/proto/frame.rs", "use crate::nursery;", "`crate::nursery` is named past its layer"),
    ("src/websocket/driver.rs", "use crate::runtime as rt;", "`runtime as` hides a name"),
    ("src/websocket/driver.rs", "use crate::scope::*;", "a glob of scope hides names"),
    ("src/proto/frame.rs", "#[path = \"../scope/x.rs\"] mod x;", "`#[path` hides a name"),
    ("src/proto/frame.rs", "include!(\"../scope/x.rs\");", "`include!` hides a name"),
    ("src/lib.rs", "extern crate self as wscope;", "`extern crate` hides a name"),
    // What only runtime names.
    ("src/scope/timeout.rs", "use async_std::task;", "`async_std` belongs to runtime"),
    ("src/scope/timeout.rs", "use {async_io::Timer};", "`async_io` belongs to runtime"),
    ("src/websocket/client.rs", "fn f() { async_native_tls::connect() }", "`async_native_tls` belongs to runtime"),
    ("src/scope/timeout.rs", "fn f() { let a = Instant::now(); }", "`Instant::now` belongs to runtime"),
    ("src/scope/timeout.rs", "fn f() { let a = <Instant>::now(); }", "`Instant>::now` belongs to runtime"),
    ("src/scope/timeout.rs", "use std::time::Instant as I;", "`Instant as` belongs to runtime"),
    ("src/link/id.rs", "fn f() { std::time::SystemTime::now() }", "`SystemTime::now` belongs to runtime"),
    ("src/scope/timeout.rs", "fn f(x: Instant) { x.elapsed() }", "`elapsed` belongs to runtime"),
    ("src/testing/clock.rs", "fn f() { std::thread::sleep(x) }", "`sleep` belongs to runtime"),
    ("src/scope/parallel.rs", "fn f() { thread::spawn(x) }", "`thread::spawn` belongs to runtime"),
    // What the protocol engine never names.
    ("src/proto/frame.rs", "use std::net::IpAddr;", "proto may not name `std::net`"),
    ("src/proto/frame.rs", "use std::{fmt, thread};", "proto may not name `std::thread`"),
    ("src/proto/frame.rs", "fn f(x: ::std::io::Error) {}", "proto may not name `std::io`"),
    ("src/proto/frame.rs", "use std as s;", "proto may not name `std::*`"),
    ("src/proto/frame.rs", "async fn f() {}", "`async` does not belong in proto"),
    ("src/proto/frame.rs", "fn f(x: impl Future) {}", "`Future` does not belong in proto"),
    ("src/proto/frame.rs", "fn f(now: Instant) {}", "`Instant` does not belong in proto"),
    // Who spawns.
    ("src/websocket/server.rs", "use crate::runtime::{Tcp, spawn};", "one file of scope spawns, and no other"),
    ("src/websocket/server.rs", "fn f() { runtime::spawn(x) }", "one file of scope spawns, and no other"),
    ("src/websocket/server.rs", "fn f() { ambient.executor.spawn(x) }", "one file of scope spawns, and no other"),
    // Form.
    ("src/proto/mod.rs", "fn f() {}", "a mod.rs holds docs, `mod` and `use`, no more"),
    ("src/proto/mod.rs", "mod a { fn f() {} }", "a mod.rs holds docs, `mod` and `use`, no more"),
    ("src/proto/mod.rs", "#[cfg(x)] pub(super) use a::B; pub const X: u8 = 1;", "a mod.rs holds docs, `mod` and `use`, no more"),
];

/// Files without a fault.
#[rustfmt::skip]
const GOOD: &[(&str, &str)] = &[
    ("src/lib.rs", "pub mod proto; pub use proto::Role; pub use scope::*;"),
    ("src/proto/mod.rs", "mod frame; #[cfg(feature = \"x\")] pub mod y; pub use frame::{A, B}; pub(crate) use y::Z;"),
    ("src/proto/frame.rs", "use super::{role::Role, *}; use crate::proto::{self, close}; pub(crate) fn f(self) {}"),
    ("src/proto/frame.rs", "mod inner { use super::super::role::Role; use self::deep::X; } use super::mask;"),
    ("src/proto/frame.rs", "// crate::scope\n/* async /* crate::link */ Instant::now() */ fn f() {}"),
    ("src/proto/frame.rs", "const A: &str = \"crate::scope \\\" async\"; const B: &[u8] = br#\"std::net \" \"#;"),
    ("src/proto/frame.rs", "const Q: [char; 3] = ['\"', '\\'', 'a']; fn f<'async_std>(x: &'async_std str) {} // crate::link"),
    ("src/proto/frame.rs", "use std::{fmt, time::Duration}; use core::net::IpAddr; fn polled() { futures() }"),
    ("src/proto/handshake/server.rs", "use super::super::frame; pub(in crate::proto) fn f() {}"),
    ("src/runtime/async_std.rs", "use async_std::task; fn spawn() { task::spawn(x); Instant::now() }"),
    ("src/scope/parallel.rs", "use crate::runtime::{self, Timer}; fn f() { runtime::spawn(x) }"),
    ("src/websocket/server.rs", "use crate::{proto::Role, scope::Nursery}; async fn f(n: Nursery) { n.spawn(x) }")
];

#[test]
fn each_bad_file_is_found_guilty_of_its_fault() {
    for (path, code, fault) in BAD {
        let found = faults(&[((*path).to_owned(), format!("//! Header.\n{code}\n"))]);
        let expected = format!("{path}:2: {fault}");
        assert!(found.contains(&expected), "{code}\nexpected {expected}\nfound {found:#?}");
    }
}

#[test]
fn good_files_are_acquitted() {
    for (path, code) in GOOD {
        let found = faults(&[((*path).to_owned(), format!("//! Header.\n{code}\n"))]);
        assert!(found.is_empty(), "{code}\nfound {found:#?}");
    }
}

#[test]
fn a_file_needs_a_header_a_layer_and_an_end() {
    let found = |path: &str, text: &str| faults(&[(path.to_owned(), text.to_owned())]);
    assert_eq!(found("src/proto/a.rs", "fn f() {}\n"), ["src/proto/a.rs:1: no `//!` header"]);
    assert_eq!(
        found("src/utils/a.rs", "//! Header.\n"),
        ["src/utils/a.rs:1: `utils` is no layer of the house"]
    );
    let long = |lines: usize| format!("//! Header.\n{}", "const A: u8 = 1;\n\n// why\n".repeat(lines));
    assert!(found("src/proto/a.rs", &long(MAX_LINES)).is_empty());
    assert_eq!(found("src/proto/a.rs", &long(501)), ["src/proto/a.rs:1: 501 lines of code, more than 500"]);
}

#[test]
fn a_second_file_of_scope_may_not_spawn() {
    let file =
        |path: &str| (path.to_owned(), "//! Header.\nfn f() { crate::runtime::spawn(x) }\n".to_owned());
    assert!(faults(&[file("src/scope/parallel.rs")]).is_empty());
    let found = faults(&[file("src/scope/cleanup.rs"), file("src/scope/parallel.rs")]);
    assert_eq!(found, ["src/scope/parallel.rs:2: one file of scope spawns, and no other"]);
}
