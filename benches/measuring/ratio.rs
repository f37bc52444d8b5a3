//! Two columns of numbers that were measured in turns, against each other.

/// The median of the ratios ours / peer, and its 95 % bootstrap interval.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Ratio {
    /// `ours` and `peers`: one number a round, and not empty. What belongs to the same round is divided.
    pub fn of(ours: &[f64], peers: &[f64]) -> Self {
        let ratios: Vec<f64> = ours.iter().zip(peers).map(|(ours, peer)| ours / peer).collect();
        let (low, high) = interval(&ratios);
        Self { median: median(&ratios), low, high }
    }
}

/// The middle one; of an even number, the upper of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// 95 % interval of the median, from samples that are drawn with a fixed seed.
fn interval(values: &[f64]) -> (f64, f64) {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut draw = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        values[(seed >> 33) as usize % values.len()]
    };
    let mut medians: Vec<f64> =
        (0..SAMPLES).map(|_| median(&values.iter().map(|_| draw()).collect::<Vec<_>>())).collect();
    medians.sort_by(f64::total_cmp);
    (medians[SAMPLES / 40], medians[SAMPLES - 1 - SAMPLES / 40])
}

const SAMPLES: usize = 2000;
