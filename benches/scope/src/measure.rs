//! Repeats contestants in turn, so that a busy moment of the machine hits them all. Of each it keeps the best time on the clock
//! and the median of the processor time of all threads, which a busy machine disturbs least.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

pub struct Contestant<'a> {
    pub name: &'static str,
    /// Does it once with so many children, and says how long the part took that counts.
    pub run: Box<dyn FnMut(usize) -> Spent + 'a>,
}

pub struct Figures {
    pub name: &'static str,
    pub clock: f64,
    pub processor: f64,
}

/// Time that has passed, and time that processors have worked for us.
#[derive(Clone, Copy)]
pub struct Spent {
    pub clock: Duration,
    pub processor: Duration,
}

/// What `act` takes.
pub fn spend(act: impl FnOnce()) -> Spent {
    let (begin, worked) = (Instant::now(), processor());
    act();
    Spent { clock: begin.elapsed(), processor: processor() - worked }
}

fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

impl<'a> Contestant<'a> {
    pub fn new(name: &'static str, run: impl FnMut(usize) -> Spent + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// All of it counts.
    pub fn timed(name: &'static str, mut run: impl FnMut(usize) + 'a) -> Self {
        Self::new(name, move |count| spend(|| run(count)))
    }
}

/// Nanoseconds for each of `count`, in `rounds` rounds.
pub fn race(contestants: &mut [Contestant<'_>], count: usize, per: usize, rounds: usize) -> Vec<Figures> {
    let mut spent = vec![Vec::new(); contestants.len()];
    for _ in 0..rounds {
        for (contestant, spent) in contestants.iter_mut().zip(&mut spent) {
            spent.push((contestant.run)(count));
        }
    }
    let figures = |(contestant, spent): (&Contestant<'_>, Vec<Spent>)| {
        let sorted = |of: fn(&Spent) -> Duration| {
            let mut times: Vec<f64> =
                spent.iter().map(|spent| of(spent).as_nanos() as f64 / per as f64).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        let processor = sorted(|spent| spent.processor);
        Figures {
            name: contestant.name,
            clock: sorted(|spent| spent.clock)[0],
            processor: processor[processor.len() / 2],
        }
    };
    contestants.iter().zip(spent).map(figures).collect()
}

pub fn report(title: &str, figures: &[Figures], baseline: &str) {
    println!("\n{title}");
    let base = figures.iter().find(|figures| figures.name == baseline);
    for Figures { name, clock, processor } in figures {
        let (by_clock, by_processor) =
            base.map_or((1.0, 1.0), |base| (clock / base.clock, processor / base.processor));
        println!(
            "  {name:<34} best on the clock {clock:>7.1} ({by_clock:.2})   median of processors {processor:>7.1} ({by_processor:.2})"
        );
    }
}
