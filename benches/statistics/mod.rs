//! Two rivals against each other: alternated rounds, the median of the ratios and how sure it is. Included by each crate here
//! that compares.

/// Medians of ours and of the peer, and ours / peer with a 95 % bootstrap interval.
pub struct Comparison {
    pub ours: f64,
    pub peer: f64,
    pub ratio: f64,
    pub low: f64,
    pub high: f64,
}

/// Takes `pairs` rounds of each, where who is first alternates too. `pairs` is odd, so that the median is one of them; a round is told its
/// number.
pub fn alternate(
    pairs: usize,
    mut ours: impl FnMut(usize) -> f64,
    mut peer: impl FnMut(usize) -> f64,
) -> Comparison {
    let rounds: Vec<(f64, f64)> = (0..pairs)
        .map(|pair| {
            if pair % 2 == 0 {
                let ours = ours(pair);
                (ours, peer(pair))
            } else {
                let peer = peer(pair);
                (ours(pair), peer)
            }
        })
        .collect();
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
