//! What a nursery can tell about itself.

/// A snapshot of a nursery: what [`Nursery::statistics`](super::Nursery::statistics) returns. The body counts as no child, and
/// neither do services, which have a count of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Children that have been started and have not ended.
    pub running: usize,
    /// Services that have been started and have not ended.
    pub services: usize,
    /// Children that have been started so far.
    pub started: u64,
    /// Children that have ended so far, in any way.
    pub finished: u64,
    /// Clean-ups that have been handed to this nursery by [`defer`](super::defer) so far, or by a nursery inside it.
    pub cleanups: u64,
}
