//! Repeats contestants in turn, so that a busy moment of the machine hits them all, and keeps the best and the median of each.

use std::time::{Duration, Instant};

pub struct Contestant<'a> {
    pub name: &'static str,
    /// Does it once with so many children, and says how long the part took that counts.
    pub run: Box<dyn FnMut(usize) -> Duration + 'a>,
}

pub struct Figures {
    pub name: &'static str,
    pub best: f64,
    pub median: f64,
}

impl<'a> Contestant<'a> {
    pub fn new(name: &'static str, run: impl FnMut(usize) -> Duration + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// All of it counts.
    pub fn timed(name: &'static str, mut run: impl FnMut(usize) + 'a) -> Self {
        Self::new(name, move |count| {
            let begin = Instant::now();
            run(count);
            begin.elapsed()
        })
    }
}

/// Nanoseconds for each of `count`, in `rounds` rounds.
pub fn race(contestants: &mut [Contestant<'_>], count: usize, per: usize, rounds: usize) -> Vec<Figures> {
    let mut times = vec![Vec::new(); contestants.len()];
    for _ in 0..rounds {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            times.push((contestant.run)(count).as_nanos() as f64 / per as f64);
        }
    }
    let figures = |(contestant, mut times): (&Contestant<'_>, Vec<f64>)| {
        times.sort_by(f64::total_cmp);
        Figures { name: contestant.name, best: times[0], median: times[times.len() / 2] }
    };
    contestants.iter().zip(times).map(figures).collect()
}

pub fn report(title: &str, figures: &[Figures], baseline: &str) {
    println!("\n{title}");
    let base = figures.iter().find(|figures| figures.name == baseline);
    for Figures { name, best, median } in figures {
        let ratio = base.map_or(1.0, |base| best / base.best);
        println!("  {name:<34} best {best:>8.1}   median {median:>8.1}   best / {baseline}: {ratio:.2}");
    }
}
