//! What became of the cases of one peer in one role.

use std::collections::BTreeMap;

pub(crate) struct Tally {
    title: String,
    passed: usize,
    failed: Vec<String>,
    /// How many, for each reason.
    skipped: BTreeMap<String, usize>,
}

impl Tally {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), passed: 0, failed: Vec::new(), skipped: BTreeMap::new() }
    }

    /// All of a peer.
    pub(crate) fn skipped(name: &str, why: String) -> Self {
        let mut tally = Self::new(name);
        tally.skip(why);
        tally
    }

    pub(crate) fn pass(&mut self) {
        self.passed += 1;
    }

    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        self.failed.push(what.into());
    }

    pub(crate) fn skip(&mut self, why: impl Into<String>) {
        *self.skipped.entry(why.into()).or_default() += 1;
    }

    /// What our own side saw to be wrong while the cases ran.
    pub(crate) fn add_faults(&mut self, faults: Vec<String>) {
        self.failed.extend(faults);
    }

    pub(crate) fn ran(&self) -> usize {
        self.passed + self.failed.len()
    }

    pub(crate) fn skips(&self) -> usize {
        self.skipped.values().sum()
    }

    pub(crate) fn is_good(&self) -> bool {
        self.failed.is_empty()
    }

    pub(crate) fn print(&self) {
        let reasons: Vec<_> = self.skipped.iter().map(|(why, count)| format!("{count}: {why}")).collect();
        let skipped = self.skips();
        let why = if skipped > 0 { format!(" ({})", reasons.join("; ")) } else { String::new() };
        println!("{}: {} ran, {} failed, {skipped} skipped{why}", self.title, self.ran(), self.failed.len());
        for failed in &self.failed {
            println!("    FAILED {failed}");
        }
    }
}
