//! What became of the cases, by operation and by who was at which end.

use std::collections::BTreeMap;

/// One way of meeting, with or without compression.
pub(crate) struct Column {
    pub(crate) title: String,
    cases: Vec<Case>,
    /// How many, for each reason.
    skipped: BTreeMap<String, usize>,
}

struct Case {
    name: String,
    /// What was wrong.
    fault: Option<String>,
}

impl Column {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), cases: Vec::new(), skipped: BTreeMap::new() }
    }

    pub(crate) fn skipped(title: &str, why: impl Into<String>) -> Self {
        let mut column = Self::new(title);
        column.skip(why);
        column
    }

    pub(crate) fn pass(&mut self, name: impl Into<String>) {
        self.cases.push(Case { name: name.into(), fault: None });
    }

    pub(crate) fn fail(&mut self, name: impl Into<String>, why: impl ToString) {
        self.cases.push(Case { name: name.into(), fault: Some(why.to_string()) });
    }

    pub(crate) fn skip(&mut self, why: impl Into<String>) {
        *self.skipped.entry(why.into()).or_default() += 1;
    }

    pub(crate) fn ran(&self) -> usize {
        self.cases.len()
    }

    pub(crate) fn failed(&self) -> usize {
        self.cases.iter().filter(|case| case.fault.is_some()).count()
    }

    pub(crate) fn print(&self) {
        let skipped: usize = self.skipped.values().sum();
        let why: Vec<_> = self.skipped.iter().map(|(why, count)| format!("{count}: {why}")).collect();
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
        println!("{}: {} ran, {} failed, {skipped} skipped{why}", self.title, self.ran(), self.failed());
        for case in &self.cases {
            if let Some(fault) = &case.fault {
                println!("    FAILED {}: {fault}", case.name);
            }
        }
    }

    /// How many cases of an operation passed, or how many did not.
    fn cell(&self, operation: &str) -> String {
        let cases = || self.cases.iter().filter(|case| case.operations().any(|it| it == operation));
        let failed = cases().filter(|case| case.fault.is_some()).count();
        match (failed, cases().count()) {
            (0, 0) => "-".to_owned(),
            (0, passed) => format!("{passed}"),
            (failed, all) => format!("{failed} of {all} FAILED"),
        }
    }
}

impl Case {
    /// What stands before a colon; with commas between them when it is about several.
    fn operations(&self) -> impl Iterator<Item = &str> {
        self.name.split(':').next().unwrap_or_default().split(", ")
    }
}

/// The cases that passed, a row for each operation.
pub(crate) fn print(columns: &[Column]) {
    let mut operations: Vec<&str> = Vec::new();
    for operation in columns.iter().flat_map(|column| &column.cases).flat_map(Case::operations) {
        if !operations.contains(&operation) {
            operations.push(operation);
        }
    }
    print!("\n| |");
    columns.iter().for_each(|column| print!(" {} |", column.title));
    println!("\n|---|{}", "---:|".repeat(columns.len()));
    for operation in operations {
        print!("| {operation} |");
        columns.iter().for_each(|column| print!(" {} |", column.cell(operation)));
        println!();
    }
}
