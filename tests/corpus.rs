//! Replays the seed corpora of `fuzz/`: every input that a fuzz target begins with, and every one that once broke it.

mod fuzz;

use std::{fs, path::Path};

#[test]
fn every_seed_passes_its_body() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for &(target, body) in fuzz::TARGETS {
        let mut seeds = 0;
        for seed in fs::read_dir(corpora.join(target)).expect("each target has a corpus") {
            let path = seed.expect("a readable folder").path();
            eprintln!("{}", path.display()); // shown when the body panics
            body(&fs::read(&path).expect("a readable file"));
            seeds += 1;
        }
        assert!(seeds > 0, "the corpus of {target} is empty");
    }
}
