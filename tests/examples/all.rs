//! What holds for every example, so also for the next one: it says how it is run, and when it was called in another way.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path, process::Command};

use super::program::{example, refuses, run};

/// Name and source of each, in the order of their names.
fn all() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut all: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let source = if path.is_dir() { path.join("main.rs") } else { path };
            (name, fs::read_to_string(source).unwrap())
        })
        .collect();
    all.sort();
    assert!(all.len() > 5, "{all:?}");
    all
}

#[test]
fn each_says_at_its_head_what_it_is_and_how_it_is_run() {
    for (name, source) in all() {
        let head: String = source.lines().take_while(|line| line.starts_with("//!")).collect();
        let command = format!("cargo run --example {name}");
        let quick = format!("cargo run --release --example {name}");
        assert!(head.contains(&command) || head.contains(&quick), "{name}: {head}");
    }
}

#[test]
fn each_helps() {
    for (name, _) in all() {
        let ended = run(&name, &["--help"]);
        assert_eq!((ended.code, ended.errors.len()), (Some(0), 0), "{name}: {ended:?}");
        assert!(ended.out[0].starts_with(&format!("usage: {name} ")), "{name}: {ended:?}");
    }
}

#[test]
fn each_refuses_what_it_does_not_know() {
    for (name, _) in all() {
        for arguments in [&["--nonsense"][..], &["--help", "--nonsense"], &["--nonsense", "--help"]] {
            refuses(&name, arguments);
        }
        let no_text = OsStr::from_bytes(b"--\xff");
        let ended = Command::new(example(&name)).arg(no_text).output().unwrap();
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{name}: {errors}");
        assert!(errors.starts_with(&format!("usage: {name} ")), "{name}: {errors}");
    }
}
