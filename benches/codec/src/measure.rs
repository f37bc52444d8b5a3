//! Two libraries against each other: alternated rounds, the median of the ratios and how sure it is.
//!
//! Processor time, not the time of the clock on the wall: other work on the machine then costs cache and no more. Each
//! pair of rounds builds its case anew, at another place in memory: the place of two buffers alone, one to the other,
//! makes a copy of 16 KiB twice as fast or as slow.

use crate::libraries::{Case, Library, Step};
use rustix::time::{ClockId, clock_gettime};

/// Pairs of rounds. Odd, so that the median is one of them.
const PAIRS: usize = 31;
/// Nanoseconds of one round.
const ROUND: f64 = 4e6;

/// Nanoseconds of ours and of the peer (medians), and ours / peer with a 95 % bootstrap interval.
pub struct Comparison {
    pub ours: f64,
    pub peer: f64,
    pub ratio: f64,
    pub low: f64,
    pub high: f64,
}

pub fn compare(ours: Library, peer: Library, case: Case) -> Comparison {
    let (ours_count, peer_count) = (calibrate(ours(case)), calibrate(peer(case)));
    let mut rounds = Vec::new();
    for pair in 0..PAIRS {
        let case = Case { place: pair, ..case };
        // Who is first alternates too.
        rounds.push(if pair % 2 == 0 {
            let ours = round(ours(case), ours_count);
            (ours, round(peer(case), peer_count))
        } else {
            let peer = round(peer(case), peer_count);
            (round(ours(case), ours_count), peer)
        });
    }
    let ratios: Vec<f64> = rounds.iter().map(|(ours, peer)| ours / peer).collect();
    let (low, high) = bootstrap(&ratios);
    Comparison {
        ours: median(rounds.iter().map(|(ours, _)| *ours).collect()),
        peer: median(rounds.iter().map(|(_, peer)| *peer).collect()),
        ratio: median(ratios),
        low,
        high,
    }
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// 95 % interval of the median, from 1,000 samples drawn with a fixed seed.
fn bootstrap(values: &[f64]) -> (f64, f64) {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut draw = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        values[(seed >> 33) as usize % values.len()]
    };
    let mut medians: Vec<f64> =
        (0..1000).map(|_| median((0..values.len()).map(|_| draw()).collect())).collect();
    medians.sort_by(f64::total_cmp);
    (medians[25], medians[974])
}
