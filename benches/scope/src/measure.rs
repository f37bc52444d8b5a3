//! Two steps against each other: alternated rounds, the median of the ratios and how sure it is.
//!
//! What is measured is processor time, and not time on the wall: on a machine that is shared with others the latter says how
//! much of a processor one happened to get.

use crate::Step;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Pairs of rounds. Odd, so that the median is one of them.
const PAIRS: usize = 41;
/// Time of one round.
const ROUND: Duration = Duration::from_millis(8);

/// Nanoseconds of ours and of the peer (medians), and ours / peer with a 95 % bootstrap interval.
pub struct Comparison {
    pub ours: f64,
    pub peer: f64,
    pub ratio: f64,
    pub low: f64,
    pub high: f64,
}

/// `clock`: processor time of this thread, or of the process where others take part.
pub fn compare(clock: ClockId, ours: &mut Step, peer: &mut Step) -> Comparison {
    let time = |step: &mut Step, count| time(clock, step, count);
    let (ours_count, peer_count) = (calibrate(clock, ours), calibrate(clock, peer));
    let mut rounds = Vec::new();
    for pair in 0..PAIRS {
        // Who is first alternates too.
        rounds.push(if pair % 2 == 0 {
            let ours = time(ours, ours_count);
            (ours, time(peer, peer_count))
        } else {
            let peer = time(peer, peer_count);
            (time(ours, ours_count), peer)
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
