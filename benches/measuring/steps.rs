//! Steps of work, and the processor time of this thread that they take.

use rustix::time::{ClockId, clock_gettime};

/// Steps that fill a round of so many nanoseconds.
pub fn calibrate(mut step: impl FnMut(), round: f64) -> u32 {
    let mut count = 1;
    loop {
        let took = time(&mut step, count);
        if took * 4.0 > round {
            return ((f64::from(count) * round / took) as u32).max(1);
        }
        count *= 2;
    }
}

/// Nanoseconds a step, after some that warm up.
pub fn round(mut step: impl FnMut(), count: u32) -> f64 {
    (0..count.div_ceil(4)).for_each(|_| step());
    time(&mut step, count) / f64::from(count)
}

/// Nanoseconds that the processor takes for `count` steps.
fn time(step: &mut impl FnMut(), count: u32) -> f64 {
    let begin = processor_time();
    (0..count).for_each(|_| step());
    processor_time() - begin
}

pub fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
