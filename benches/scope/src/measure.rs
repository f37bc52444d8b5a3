//! Two steps against each other: alternated rounds, the median of the ratios and how sure it is.
//!
//! What is measured is processor time, and not time on the wall: on a machine that is shared with others the latter says how
//! much of a processor one happened to get.

#[path = "../../measuring/comparison.rs"]
mod comparison;

use crate::Step;
pub use comparison::{Comparison, print_head, print_row};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Pairs of rounds.
const PAIRS: usize = 41;
/// Time of one round.
const ROUND: Duration = Duration::from_millis(8);

/// Nanoseconds of ours and of the peer. `clock`: processor time of this thread, or of the process where others take part.
pub fn compare(clock: ClockId, ours: &mut Step, peer: &mut Step) -> Comparison {
    let (ours_count, peer_count) = (calibrate(clock, ours), calibrate(clock, peer));
    comparison::alternate(PAIRS, |_| time(clock, ours, ours_count), |_| time(clock, peer, peer_count))
}

/// Steps that fill a round.
fn calibrate(clock: ClockId, step: &mut Step) -> u32 {
    let mut count = 1;
    loop {
        let took = Duration::from_secs_f64(time(clock, step, count) * f64::from(count) / 1e9);
        if took * 4 > ROUND {
            return ((f64::from(count) * ROUND.as_secs_f64() / took.as_secs_f64()) as u32).max(1);
        }
        count *= 2;
    }
}

/// Nanoseconds a step.
fn time(clock: ClockId, step: &mut Step, count: u32) -> f64 {
    let begin = now(clock);
    (0..count).for_each(|_| step());
    (now(clock) - begin).as_secs_f64() * 1e9 / f64::from(count)
}

fn now(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
