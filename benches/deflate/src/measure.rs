//! Processor time a message. Each pair of rounds builds its connections anew, at another place in memory.

#[path = "../../measuring/comparison.rs"]
mod comparison;
#[path = "../../measuring/steps.rs"]
mod steps;

use crate::libraries::{Case, Library};
pub use comparison::{Comparison, print_head, print_row};
pub use steps::processor_time;
use steps::{calibrate, round};

/// Pairs of rounds.
const PAIRS: usize = 31;
/// Nanoseconds of one round.
const ROUND: f64 = 10e6;

/// Nanoseconds of ours and of the peer.
pub fn compare(ours: Library, peer: Library, case: Case) -> Comparison {
    let (ours_count, peer_count) = (calibrate(ours(case), ROUND), calibrate(peer(case), ROUND));
    comparison::alternate(PAIRS, |_| round(ours(case), ours_count), |_| round(peer(case), peer_count))
}
