//! Two rivals against each other: alternated rounds, the median of the ratios and how sure it is. Included by each crate here
//! that compares in one process; those with processes of their own include `ratio` alone.

mod ratio;

use ratio::{Ratio, median};

/// Medians of ours and of the peer, and ours / peer with a 95 % bootstrap interval.
pub struct Comparison {
    pub ours: f64,
    pub peer: f64,
    pub ratio: f64,
    pub low: f64,
    pub high: f64,
}

/// The head of a table: ours and the peers, a column each.
pub fn print_head<'a>(columns: impl IntoIterator<Item = &'a str>) {
    let columns: Vec<&str> = columns.into_iter().collect();
    println!("| case | {} |\n|---|{}", columns.join(" | "), "---:|".repeat(columns.len()));
}

/// A row of it: the fastest of ours, then each peer with the ratio; what was measured counts for `steps` of what the row is about.
pub fn print_row(name: &str, steps: f64, row: &[Comparison]) {
    let fastest = row.iter().map(|it| it.ours).fold(f64::INFINITY, f64::min);
    print!("| {name} | {:.0} |", fastest / steps);
    for Comparison { peer, ratio, low, high, .. } in row {
        print!(" {:.0} ({ratio:.2}, {low:.2}-{high:.2}) |", peer / steps);
    }
    println!();
}

/// Takes `pairs` rounds of each, where who is first alternates too. `pairs` is odd, so that the median is one of them; a round is told its
/// number.
pub fn alternate(
    pairs: usize,
    mut ours: impl FnMut(usize) -> f64,
    mut peer: impl FnMut(usize) -> f64,
) -> Comparison {
    let rounds = (0..pairs).map(|pair| {
        if pair % 2 == 0 {
            let ours = ours(pair);
            (ours, peer(pair))
        } else {
            let peer = peer(pair);
            (ours(pair), peer)
        }
    });
    let (ours, peers): (Vec<f64>, Vec<f64>) = rounds.unzip();
    let Ratio { median: ratio, low, high } = Ratio::of(&ours, &peers);
    Comparison { ours: median(&ours), peer: median(&peers), ratio, low, high }
}
