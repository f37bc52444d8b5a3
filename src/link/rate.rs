//! The token bucket of one sender, in one number.
//!
//! Instead of counting tokens, the bucket keeps the time at which it is full again (the generic cell rate algorithm): a post
//! moves it one interval on, and is refused when that is more than a burst away. Nothing has to be filled by a timer.

use super::{rule::Rate, time::Timestamp};

/// A bucket that is full when it is new.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// When it is full again.
    full_at: Timestamp,
}

impl Bucket {
    /// Takes a token; `false` when there is none, and nothing changes.
    pub(super) fn take(&mut self, rate: Rate, now: Timestamp) -> bool {
        let Some(interval) = MINUTE.checked_div(rate.per_minute) else { return true };
        let full_at = self.full_at.max(now).as_nanos().saturating_add(interval);
        if full_at - now.as_nanos() > interval.saturating_mul(rate.burst.max(1)) {
            return false;
        }
        self.full_at = Timestamp::from_nanos(full_at);
        true
    }
}

/// In nanoseconds.
const MINUTE: u64 = 60_000_000_000;
