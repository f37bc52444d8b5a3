//! Two libraries against each other: alternated rounds, the median of the ratios and how sure it is.
//!
//! Processor time, not the time of the clock on the wall: other work on the machine then costs cache and no more. Each
//! pair of rounds builds its case anew, at another place in memory: the place of two buffers alone, one to the other,
//! makes a copy of 16 KiB twice as fast or as slow.

#[path = "../../measuring/comparison.rs"]
mod comparison;
#[path = "../../measuring/steps.rs"]
mod steps;

use crate::libraries::{Case, Library};
pub use comparison::{Comparison, print_head, print_row};
use steps::{calibrate, round};

/// Pairs of rounds.
const PAIRS: usize = 31;
/// Nanoseconds of one round.
const ROUND: f64 = 4e6;

/// Nanoseconds of ours and of the peer.
pub fn compare(ours: Library, peer: Library, case: Case) -> Comparison {
    let (ours_count, peer_count) = (calibrate(ours(case), ROUND), calibrate(peer(case), ROUND));
    let at = |place| Case { place, ..case };
    comparison::alternate(
        PAIRS,
        |pair| round(ours(at(pair)), ours_count),
        |pair| round(peer(at(pair)), peer_count),
    )
}
