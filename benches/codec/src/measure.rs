//! Two libraries against each other: alternated rounds, the median of the ratios and how sure it is.
//!
//! Processor time, not the time of the clock on the wall: other work on the machine then costs cache and no more. Each
//! pair of rounds builds its case anew, at another place in memory: the place of two buffers alone, one to the other,
//! makes a copy of 16 KiB twice as fast or as slow.

#[path = "../../statistics/mod.rs"]
mod statistics;

use crate::libraries::{Case, Library, Step};
use rustix::time::{ClockId, clock_gettime};
pub use statistics::Comparison;

/// Pairs of rounds.
const PAIRS: usize = 31;
/// Nanoseconds of one round.
const ROUND: f64 = 4e6;

/// Nanoseconds of ours and of the peer.
pub fn compare(ours: Library, peer: Library, case: Case) -> Comparison {
    let (ours_count, peer_count) = (calibrate(ours(case)), calibrate(peer(case)));
    let at = |place| Case { place, ..case };
    statistics::alternate(
        PAIRS,
        |pair| round(ours(at(pair)), ours_count),
        |pair| round(peer(at(pair)), peer_count),
    )
}

/// Steps that fill a round.
fn calibrate(mut step: Step) -> u32 {
    let mut count = 1;
    loop {
        let took = time(&mut step, count);
        if took * 4.0 > ROUND {
            return ((f64::from(count) * ROUND / took) as u32).max(1);
        }
        count *= 2;
    }
}

/// Nanoseconds a step, after some that warm up.
fn round(mut step: Step, count: u32) -> f64 {
    (0..count.div_ceil(4)).for_each(|_| step());
    time(&mut step, count) / f64::from(count)
}

/// Nanoseconds that the processor takes for `count` steps.
fn time(step: &mut Step, count: u32) -> f64 {
    let begin = processor_time();
    (0..count).for_each(|_| step());
    processor_time() - begin
}

fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
