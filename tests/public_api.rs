//! `docs/public-api.txt` is of this API and of no other. Only a nightly toolchain can write it, by `.ci/public-api --update`; whether its
//! names are those of the sources can be seen without one. Signatures are not compared.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_list_of_the_public_api_has_the_names_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(root.join("docs/public-api.txt")).unwrap();
    let sources: Vec<_> =
        files(&root.join("src")).into_iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let public: BTreeSet<&str> = sources.iter().flat_map(|text| text.lines()).filter_map(public).collect();
    let known: BTreeSet<&str> = sources.iter().flat_map(|text| words(text)).collect();
    let listed: BTreeSet<&str> = paths(&list).flat_map(words).collect();
    let missing: Vec<_> = public.iter().filter(|name| !listed.contains(*name) && **name != SEALED).collect();
    let gone: Vec<_> = listed.iter().filter(|name| !known.contains(*name)).collect();
    assert!(missing.is_empty(), "public, and not in docs/public-api.txt: {missing:?}");
    assert!(gone.is_empty(), "in docs/public-api.txt, and gone: {gone:?}");
    assert!(public.len() > 500, "only {} public names were found", public.len());
}

/// A trait that is public in its module alone, so that nobody else implements it.
const SEALED: &str = "Sealed";

/// Our paths in the list; what stands behind the generics of a type is one of its own.
fn paths(list: &str) -> impl Iterator<Item = &str> {
    let parts = list.split(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter));
    parts.filter(|part| part.starts_with("wscope::") || part.starts_with("::"))
}

/// The name of the public item that a line of source begins to declare.
fn public(line: &str) -> Option<&str> {
    let mut line = line.trim_start().strip_prefix("pub ")?;
    for word in ["async ", "const "] {
        line = line.strip_prefix(word).filter(|rest| rest.starts_with("fn ")).unwrap_or(line);
    }
    let (_, named) = line.split_once(' ').filter(|(what, _)| ITEMS.contains(what))?;
    words(named).next()
}

const ITEMS: [&str; 6] = ["fn", "struct", "enum", "trait", "type", "const"];

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty())
}

/// The Rust files below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
