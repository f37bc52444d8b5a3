//! The documentation of the API as text: what a reader of a function that waits has to know stands there.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each `pub async fn` says in its own docs what a cancelled call leaves: that it is cancel-safe, or what a dropped call does.
#[test]
fn every_public_function_that_waits_says_what_a_cancelled_call_leaves() {
    let (mut silent, mut found) = (Vec::new(), 0);
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for (name, docs) in functions_that_wait(&fs::read_to_string(&path).unwrap()) {
            found += 1;
            if !tells_of_cancelling(&docs) {
                silent.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(silent.is_empty(), "not a word on cancelling: {silent:#?}");
    assert!(found > 70, "only {found} functions were found");
}

#[test]
fn silence_is_noticed() {
    let source = "/// Waits. Cancel-safe.\npub async fn one() {}\n\n    /// Waits.\n    #[must_use]\n    pub async fn two<T>() {}\n";
    let found: Vec<_> = functions_that_wait(source)
        .map(|(name, docs)| (name.to_owned(), tells_of_cancelling(&docs)))
        .collect();
    assert_eq!(found, [("one".to_owned(), true), ("two".to_owned(), false)]);
}

fn tells_of_cancelling(docs: &str) -> bool {
    ["Cancel-safe", "dropped call", "cancelled"].iter().any(|words| docs.contains(words))
}

/// The name of each, and its docs without line breaks.
fn functions_that_wait(source: &str) -> impl Iterator<Item = (&str, String)> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    (0..lines.len()).filter_map(move |at| {
        let name = lines[at].strip_prefix("pub async fn ")?.split(['(', '<']).next()?;
        let above =
            lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
        let mut docs: Vec<&str> = above.filter_map(|line| line.strip_prefix("///")).collect();
        docs.reverse();
        Some((name, docs.concat()))
    })
}

/// The Rust files below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
