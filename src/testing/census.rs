//! A count of the living.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Counts those who are present: each from [`join`](Self::join) until what that returned is dropped. Clones count together.
///
/// ```
/// use wscope::testing::Census;
///
/// let census = Census::new();
/// let guest = census.join();
/// assert_eq!(census.present(), 1);
/// drop(guest);
/// assert_eq!(census.present(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Census(Arc<AtomicUsize>);

/// Somebody who counts, until it is dropped.
#[must_use = "whoever is dropped at once is not counted"]
#[derive(Debug)]
pub struct Presence(Census);

impl Census {
    /// Nobody is here.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    pub fn join(&self) -> Presence {
        self.0.fetch_add(1, Ordering::SeqCst);
        Presence(self.clone())
    }

    /// How many are here.
    #[must_use]
    pub fn present(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
