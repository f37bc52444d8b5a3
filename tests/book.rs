//! The book and the README as text: no Rust block is left out of the tests, no page out of the contents, no link leads
//! nowhere. That the Rust blocks themselves compile and run is the business of `cargo test` (see `src/lib.rs`).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

#[test]
fn every_page_with_rust_code_is_compiled() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for (path, text) in pages().unwrap() {
        let path = path.strip_prefix(root()).unwrap().to_str().unwrap();
        let compiled = library.contains(&format!("\"../{path}\""));
        assert!(
            compiled || !has_rust_code(&text),
            "{path} has Rust code: list it in `mod book` of src/lib.rs"
        );
    }
}

#[test]
fn every_page_is_in_the_contents() {
    let summary = root().join("docs/src/SUMMARY.md");
    let listed = links(&fs::read_to_string(&summary).unwrap(), &summary);
    for (path, _) in pages().unwrap() {
        let in_the_book = path.starts_with(root().join("docs/src")) && path != summary;
        assert!(!in_the_book || listed.contains(&path), "{} is not in SUMMARY.md", path.display());
    }
}

#[test]
fn every_link_leads_somewhere() {
    for (path, text) in pages().unwrap() {
        for target in links(&text, &path) {
            assert!(target.exists(), "{} links to {}, which is not there", path.display(), target.display());
        }
    }
}

#[test]
fn every_dependency_is_explained() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let page = fs::read_to_string(root().join("docs/src/project/dependencies.md")).unwrap();
    for section in manifest.split("\n[").filter(|section| section.contains("dependencies]")) {
        let lines = section.lines().skip(1).filter(|line| !line.starts_with('#'));
        for name in lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name) {
            assert!(
                page.contains(&format!("`{name}`")),
                "{name} is missing in docs/src/project/dependencies.md"
            );
        }
    }
}

/// The third column of `reference/rfc.md` names files of `src/`, the fourth files of `tests/`.
#[test]
fn every_file_named_beside_a_section_is_there() {
    let page = fs::read_to_string(root().join("docs/src/reference/rfc.md")).unwrap();
    let mut missing = Vec::new();
    for cells in page.lines().map(|line| line.split('|').collect::<Vec<_>>()).filter(|cells| cells.len() > 4)
    {
        for (cell, folder) in cells[3..].iter().zip(["src", "tests"]) {
            let names = cell.split('`').skip(1).step_by(2).filter(|name| name.ends_with(".rs"));
            let paths = names.map(|name| format!("{folder}/{name}"));
            let gone = paths.filter(|path| !root().join(path).exists());
            missing.extend(gone.map(|path| format!("{path} is named beside section {}", cells[1].trim())));
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

/// `reference/errors.md` has a heading for each error type of `src/websocket`, and below it each of its variants.
#[test]
fn every_error_of_a_connection_is_explained() {
    let page = fs::read_to_string(root().join("docs/src/reference/errors.md")).unwrap();
    let mut missing = Vec::new();
    let mut found = 0;
    for entry in fs::read_dir(root().join("src/websocket")).unwrap() {
        for (name, variants) in errors(&fs::read_to_string(entry.unwrap().path()).unwrap()) {
            found += 1;
            let section =
                page.split("\n### ").find_map(|section| section.strip_prefix(&format!("`{name}`\n")));
            let Some(section) = section else {
                missing.push(name);
                continue;
            };
            let section = section.split("\n## ").next().unwrap_or(section);
            let named = |variant: &String| section.contains(&format!("`{variant}"));
            missing.extend(variants.iter().filter(|v| !named(v)).map(|v| format!("{name}::{v}")));
        }
    }
    assert!(missing.is_empty(), "not in errors.md: {missing:?}");
    assert!(found > 15, "only {found} error types were found in src/websocket");
}

/// Each of trio-websocket's 64 cases has a test of ours that is there, or a reason why it has none.
#[test]
fn every_test_of_trio_websocket_is_accounted_for() {
    let page = root().join("docs/src/guides/coming-from-trio-websocket.md");
    let page = fs::read_to_string(page).unwrap();
    let rows: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("| `test_")).collect();
    assert_eq!(rows.len(), 64);
    let (mut seen, mut faults) = (Vec::new(), Vec::new());
    for row in rows {
        let (theirs, ours) = row.split_once(" | ").unwrap();
        if seen.contains(&theirs) {
            faults.push(format!("test_{theirs} stands there twice"));
        }
        seen.push(theirs);
        let named = ours.split('`').skip(1).step_by(2).filter_map(|name| name.split_once(".rs::"));
        let named: Vec<_> = named.collect();
        if named.is_empty() && !REASONS.iter().any(|reason| ours.starts_with(reason)) {
            faults.push(format!("test_{theirs} has neither a test nor a reason"));
        }
        for (file, name) in named {
            let source = fs::read_to_string(root().join(format!("tests/{file}.rs"))).unwrap_or_default();
            let before = source.split_once(&format!("\nfn {name}() {{")).map_or("", |(before, _)| before);
            if !before.lines().last().is_some_and(|line| line.starts_with("#[test]")) {
                faults.push(format!("test_{theirs}: {name} is no test of tests/{file}.rs"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

const REASONS: [&str; 2] = ["does not compile here: ", "deliberately different: "];

/// `reference/security.md` numbers its threats without a gap. Each names tests that are there, each constant that it names is there,
/// and each test of `tests/threats` stands beside its number.
#[test]
fn every_threat_has_its_test_and_every_attack_its_threat() {
    let page = fs::read_to_string(root().join("docs/src/reference/security.md")).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| T"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let mut faults = Vec::new();
    let mut named = Vec::new();
    for (at, cells) in rows.iter().enumerate() {
        let number = format!("T{}", at + 1);
        if cells[1] != number {
            faults.push(format!("{} stands where {number} should", cells[1]));
        }
        let constants = cells[4].split('`').skip(1).step_by(2);
        let constants = constants.map(|constant| constant.rsplit("::").next().unwrap_or(constant));
        faults.extend(
            constants.filter(|name| !is_constant(name).unwrap()).map(|name| format!("{number}: no {name}")),
        );
        let mut file = "";
        for name in cells[5].split('`').skip(1).step_by(2) {
            if name.ends_with(".rs") {
                file = name;
            } else if !has_test(file, name) {
                faults.push(format!("{number}: {name} is no test of tests/{file}"));
            } else {
                named.push((at + 1, name));
            }
        }
        if named.last().is_none_or(|(number, _)| *number != at + 1) {
            faults.push(format!("{number} has no test"));
        }
    }
    for file in ["client", "frames", "handshake", "resources"] {
        let text = fs::read_to_string(root().join(format!("tests/threats/{file}.rs"))).unwrap();
        for name in text.lines().filter_map(|line| line.trim().strip_prefix("fn t")?.strip_suffix("() {")) {
            let number = name.split('_').next().and_then(|number| number.parse::<usize>().ok());
            let name = format!("t{name}");
            if !named.iter().any(|(row, test)| Some(*row) == number && *test == name) {
                faults.push(format!("{name} is not beside its number"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(rows.len() > 40, "only {} threats were found", rows.len());
}

/// Whether `tests/{file}` has a test of that name.
fn has_test(file: &str, name: &str) -> bool {
    let source = fs::read_to_string(root().join("tests").join(file)).unwrap_or_default();
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.windows(2).any(|pair| pair[0] == "#[test]" && pair[1] == format!("fn {name}() {{"))
}

/// Whether a public constant of the crate has this name.
fn is_constant(name: &str) -> io::Result<bool> {
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(path)?.contains(&format!("pub const {name}:")) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[test]
fn rust_code_and_links_are_recognised() {
    assert!(has_rust_code("text\n```rust\nfn f() {}\n```\n"));
    assert!(has_rust_code("- item\n  ```rust,no_run\n  ```\n"));
    assert!(has_rust_code("```\nfenced without a language is Rust to rustdoc\n```\n"));
    assert!(!has_rust_code("```sh\ncargo test\n```\n\n```text\n```\n"));
    let found =
        links("see [a](b/c.md#d), [e](https://f.g/) and [h](#i)\n[j]( ../k.md )", Path::new("x/y.md"));
    assert_eq!(found, [Path::new("x/b/c.md"), Path::new("x/../k.md")]);
    let source = "#[derive(Debug, thiserror::Error)]\npub enum E {\n    /// Doc.\n    #[error(\"x\")]\n    First {\n        /// Doc.\n        \
        limit: u8,\n    },\n    Second(#[from] Io),\n}\n#[derive(thiserror::Error)]\n#[error(\"s\")]\npub struct S;\n";
    let found = [("E", vec!["First", "Second"]), ("S", vec![])];
    assert_eq!(
        errors(source),
        found.map(|(name, v)| (name.to_owned(), v.into_iter().map(str::to_owned).collect()))
    );
}

/// The public types of `source` that are errors by derive, each with its variants; a struct has none.
fn errors(source: &str) -> Vec<(String, Vec<String>)> {
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

/// README, SECURITY and each page of the book.
fn pages() -> io::Result<Vec<(PathBuf, String)>> {
    let mut paths = vec![root().join("README.md"), root().join("SECURITY.md")];
    let mut folders = vec![root().join("docs/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let list = if path.is_dir() { &mut folders } else { &mut paths };
            list.push(path);
        }
    }
    paths.into_iter().map(|path| Ok((path.clone(), fs::read_to_string(path)?))).collect()
}

/// Whether rustdoc would take a fenced block of `page` for Rust: its first word is `rust`, or there is none.
fn has_rust_code(page: &str) -> bool {
    let fences = page.lines().filter_map(|line| line.trim_start().strip_prefix("```"));
    let openings = fences.step_by(2);
    openings
        .map(|words| words.split(',').next().unwrap_or("").trim())
        .any(|word| word.is_empty() || word == "rust")
}

/// Where the inline links of `page`, which stands at `path`, lead inside the tree.
fn links(page: &str, path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(path);
    let targets =
        page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.trim());
    let targets =
        targets.filter(|target| !target.contains("://")).map(|target| target.split('#').next().unwrap_or(""));
    targets.filter(|target| !target.is_empty()).map(|target| folder.join(target)).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
