//! The book and the README as text: no Rust block is left out of the tests, no page out of the contents, no link leads
//! nowhere. That the Rust blocks themselves compile and run is the business of `cargo test` (see `src/lib.rs`).

#[path = "support/errors.rs"]
mod errors;

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

/// `page.md#a-heading`, and `#a-heading` of the same page.
#[test]
fn every_link_into_a_page_leads_to_a_heading() {
    for (path, text) in pages().unwrap() {
        for target in targets(&text) {
            let Some((page, heading)) = target.split_once('#') else { continue };
            let page = if page.is_empty() { path.clone() } else { path.parent().unwrap().join(page) };
            if page.extension().is_some_and(|extension| extension == "md") {
                let there = headings(&fs::read_to_string(&page).unwrap()).any(|known| known == heading);
                assert!(there, "{} links to {target}, and there is no such heading", path.display());
            }
        }
    }
}

/// A path in backticks, whole: `tests/websocket/cancel.rs`, and `tests/websocket/faults.rs: F4` up to its colon.
#[test]
fn every_path_that_is_named_is_there() {
    const FOLDERS: [&str; 7] = ["src/", "tests/", "benches/", "docs/", "examples/", "fuzz/", ".ci/"];
    let is_path = |text: &&str| {
        FOLDERS.iter().any(|folder| text.starts_with(folder)) && !text.contains([' ', '*', '{', '<', '('])
    };
    let mut missing = Vec::new();
    for (page, text) in pages().unwrap() {
        let named = text.split('`').skip(1).step_by(2).map(|code| code.split(':').next().unwrap_or(code));
        for path in named.filter(is_path).filter(|path| !root().join(path).exists()) {
            missing.push(format!("{}: {path}", page.display()));
        }
    }
    assert!(missing.is_empty(), "named, and not there: {missing:#?}");
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

/// `reference/errors.md` has a heading for each error type of these layers, and below it each of its variants.
#[test]
fn every_error_is_explained() {
    let page = fs::read_to_string(root().join("docs/src/reference/errors.md")).unwrap();
    let (mut missing, mut found) = (Vec::new(), 0);
    for (name, variants) in ["src/websocket", "src/link"].into_iter().flat_map(errors::of) {
        found += 1;
        missing.extend(unexplained(&page, &name, &variants));
    }
    assert!(missing.is_empty(), "not in errors.md: {missing:?}");
    assert!(found > 30, "only {found} error types were found");
}

/// What of an error is not on the page. Two layers may have errors of one name: then it is the section that has the most of it.
fn unexplained(page: &str, name: &str, variants: &[String]) -> Vec<String> {
    let heading = format!("`{name}`\n");
    let sections = page.split("\n### ").filter_map(|section| section.strip_prefix(&heading));
    let missing = |section: &str| {
        let section = section.split("\n## ").next().unwrap_or(section);
        let named = |variant: &&String| !section.contains(&format!("`{variant}"));
        variants.iter().filter(named).map(|variant| format!("{name}::{variant}")).collect::<Vec<_>>()
    };
    sections.map(missing).min_by_key(Vec::len).unwrap_or_else(|| vec![name.to_owned()])
}

/// `reference/defaults.md` has a row for each field of `HubLimits`, and compares it with the code; and a row for each constant of
/// the files that say what a tenant, a link within the process and a store in memory take.
#[test]
fn every_limit_of_hub_and_tenant_is_explained() {
    let page = fs::read_to_string(root().join("docs/src/reference/defaults.md")).unwrap();
    let read = |file: &str| fs::read_to_string(root().join("src/link").join(file)).unwrap();
    let config = read("switchboard/limits.rs");
    let (_, fields) = config.split_once("pub struct HubLimits {").unwrap();
    let fields = fields.split("\n}").next().unwrap().lines().filter_map(|line| line.strip_prefix("    pub "));
    let fields: Vec<&str> = fields.filter_map(|line| line.split(':').next()).collect();
    assert!(fields.len() > 15, "the fields of HubLimits were not found: {fields:?}");
    for field in fields {
        assert!(page.contains(&format!("| `{field}` |")), "HubLimits::{field} has no row in defaults.md");
        assert!(
            page.contains(&format!("limits.{field}")),
            "HubLimits::{field} is not compared in defaults.md"
        );
    }
    for file in ["tenant/config.rs", "tenant_link.rs", "local.rs", "store.rs", "json.rs"] {
        let source = read(file);
        for name in source.split("pub const ").skip(1).map(|rest| rest.split([':', ' ']).next().unwrap()) {
            if name != "fn" {
                assert!(page.contains(&format!("`{name}`")), "{name} of {file} is not in defaults.md");
            }
        }
    }
}

/// A row that begins with a constant, its file and its value says what that file says.
#[test]
fn every_constant_that_is_listed_has_the_value_that_stands_beside_it() {
    let (mut wrong, mut found) = (Vec::new(), 0);
    for (page, text) in pages().unwrap() {
        for row in text.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            let [_, name, file, value, ..] = cells[..] else { continue };
            if !file.starts_with("src/") || !file.ends_with(".rs") {
                continue;
            }
            found += 1;
            let source = fs::read_to_string(root().join(file)).unwrap_or_default();
            let declared =
                source.split(&format!("const {name}: ")).nth(1).and_then(|rest| rest.split(';').next());
            if declared.and_then(|it| it.split_once(" = ")).is_none_or(|(_, known)| known != value) {
                wrong.push(format!("{}: {name} of {file} is not {value}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(found > 20, "only {found} constants were found");
}

/// Each of the twenty things that hurt with AG2 has a row, and tests that are there.
#[test]
fn every_answer_to_a_weakness_of_ag2_is_tested() {
    let page = fs::read_to_string(root().join("docs/src/guides/ag2.md")).unwrap();
    let rows: Vec<_> = page.lines().filter(|line| line.contains(".rs::")).collect();
    assert_eq!(rows.len(), 20);
    for (row, number) in rows.into_iter().zip(1..) {
        assert!(row.starts_with(&format!("| {number} |")), "{number}: {row}");
        for (file, name) in tests_named(row) {
            assert!(has_test(&format!("{file}.rs"), name), "{number}: {name} is no test of tests/{file}.rs");
        }
    }
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
        let named: Vec<_> = tests_named(ours).collect();
        if named.is_empty() && !REASONS.iter().any(|reason| ours.starts_with(reason)) {
            faults.push(format!("test_{theirs} has neither a test nor a reason"));
        }
        for (file, name) in named.into_iter().filter(|(file, name)| !has_test(&format!("{file}.rs"), name)) {
            faults.push(format!("test_{theirs}: {name} is no test of tests/{file}.rs"));
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
    lines.windows(2).any(|pair| pair[0].starts_with("#[test]") && pair[1] == format!("fn {name}() {{"))
}

/// Whether a public constant of the crate has this name.
fn is_constant(name: &str) -> io::Result<bool> {
    let declared = format!("pub const {name}:");
    for path in errors::sources(&root().join("src")) {
        if fs::read_to_string(path)?.contains(&declared) {
            return Ok(true);
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
    assert_eq!(headings("# A `b-c`: d!\ntext\n").collect::<Vec<_>>(), ["a-b-c-d"]);
    let source = "#[derive(Debug, thiserror::Error)]\npub enum E {\n    /// Doc.\n    #[error(\"x\")]\n    First {\n        /// Doc.\n        \
        limit: u8,\n    },\n    Second(#[from] Io),\n}\n#[derive(thiserror::Error)]\n#[error(\"s\")]\npub struct S;\n";
    let found = [("E", vec!["First", "Second"]), ("S", vec![])];
    assert_eq!(
        errors::in_source(source),
        found.map(|(name, v)| (name.to_owned(), v.into_iter().map(str::to_owned).collect()))
    );
}

/// The tests that a row of a table names, as `file.rs::name`.
fn tests_named(row: &str) -> impl Iterator<Item = (&str, &str)> {
    row.split('`').skip(1).step_by(2).filter_map(|name| name.split_once(".rs::"))
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
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
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
    let files = targets(page).map(|target| target.split('#').next().unwrap_or(""));
    files.filter(|file| !file.is_empty()).map(|file| folder.join(file)).collect()
}

/// The targets of the inline links of `page` that lead to no other site.
fn targets(page: &str) -> impl Iterator<Item = &str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.trim()).filter(|target| !target.contains("://"))
}

/// The headings of `page` as links name them: lower case, blanks as hyphens, no other signs.
fn headings(page: &str) -> impl Iterator<Item = String> {
    let sign = |c: char| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then(|| c.to_ascii_lowercase()),
    };
    let titles =
        page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles.map(move |title| title.chars().filter_map(sign).collect())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
