//! What an attack costs this process: bytes of its heap, at the worst moment and afterwards, and open files.

use std::{
    cell::Cell,
    fmt,
    time::{Duration, Instant},
};

use crate::HEAP;

/// How things stood before.
pub(crate) struct Gauge {
    files: usize,
    heap: Cell<usize>,
    began: Instant,
}

/// What has happened since.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Bytes at the worst moment.
    pub(crate) peak: usize,
    /// Bytes that are still there.
    pub(crate) kept: usize,
    took: Duration,
}

impl Gauge {
    pub(crate) fn new() -> Self {
        HEAP.reset_peak_usage();
        Self { files: open_files(), heap: HEAP.current_usage().into(), began: Instant::now() }
    }

    /// What an attack has prepared is not its cost.
    #[cfg(feature = "deflate")]
    pub(crate) fn begin_again(&self) {
        HEAP.reset_peak_usage();
        self.heap.set(HEAP.current_usage());
    }

    /// Waits until no more than `held` files are open beyond those of the beginning.
    pub(crate) fn wait_for_files(&self, held: usize, limit: Duration) {
        let began = Instant::now();
        while open_files() > self.files + held {
            assert!(
                began.elapsed() < limit,
                "{} files are open after {limit:?}, {} were before",
                open_files(),
                self.files
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn cost(&self) -> Cost {
        Cost {
            peak: HEAP.peak_usage().saturating_sub(self.heap.get()),
            kept: HEAP.current_usage().saturating_sub(self.heap.get()),
            took: self.began.elapsed(),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peak, kept, took } = self;
        write!(f, "{} KiB at most, {} KiB kept, {took:.1?}", peak / 1024, kept / 1024)
    }
}

/// Of this process. Elsewhere than on Linux they are not counted.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
