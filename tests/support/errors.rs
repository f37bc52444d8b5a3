//! The public error types of the library, read from its source: for tests that want each of them.
#![allow(dead_code, reason = "each binary needs some of it")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The public types of a folder of this crate that are errors by derive, each with its variants; a struct has none.
pub(crate) fn of(folder: &str) -> Vec<(String, Vec<String>)> {
    let paths = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    paths.into_iter().flat_map(|path| in_source(&fs::read_to_string(path).unwrap())).collect()
}

/// The Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// Those of one file.
pub(crate) fn in_source(source: &str) -> Vec<(String, Vec<String>)> {
    let mut lines = source.lines();
    let mut found = Vec::new();
    while lines.by_ref().any(|line| line.starts_with("#[derive(") && line.contains("thiserror::Error")) {
        let header = lines.by_ref().find(|line| line.starts_with("pub"));
        let Some((kind, rest)) = header.and_then(|line| line.strip_prefix("pub ")?.split_once(' ')) else {
            continue;
        };
        let name = identifier(rest);
        let body = lines.clone().take_while(|line| !line.starts_with('}'));
        let variants = body
            .filter_map(|line| line.strip_prefix("    "))
            .filter(|line| line.starts_with(char::is_uppercase));
        found.push((name, if kind == "enum" { variants.map(identifier).collect() } else { Vec::new() }));
    }
    found
}

/// The identifier with which `text` begins.
fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric()).collect()
}
