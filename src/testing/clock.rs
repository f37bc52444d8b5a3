//! Time that passes only when it is told to.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use crate::runtime::{Alarm, Clock, now, sync::lock};

/// A clock that stands still until it is moved: by [`advance`](Self::advance), or by a [`Simulation`](super::Simulation), which
/// jumps to the next alarm when every task is blocked. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use wscope::testing::VirtualClock;
///
/// let clock = VirtualClock::new();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.passed(), Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug)]
pub struct VirtualClock {
    start: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    now: Instant,
    /// Those that somebody waits for.
    alarms: BTreeMap<Key, Waker>,
    next: u64,
}

/// Alarms for the same time go off in the order in which they were made.
type Key = (Instant, u64);

impl VirtualClock {
    /// A clock that starts at the time it is now.
    #[must_use]
    pub fn new() -> Self {
        let start = now();
        let state = State { now: start, alarms: BTreeMap::new(), next: 0 };
        Self { start, state: Arc::new(Mutex::new(state)) }
    }

    /// How far it has been moved.
    #[must_use]
    pub fn passed(&self) -> Duration {
        self.now() - self.start
    }

    /// Moves it by `time`. Alarms on the way go off in order, at their time.
    pub fn advance(&self, time: Duration) {
        let until = self.now() + time;
        while self.next_alarm().is_some_and(|next| next <= until) {
            self.jump();
        }
        let mut state = lock(&self.state);
        state.now = state.now.max(until);
    }

    /// Moves it to the next alarm, if any is set, and lets that go off.
    pub(super) fn jump(&self) -> bool {
        let due: Vec<Waker> = {
            let mut state = lock(&self.state);
            let Some(&(next, _)) = state.alarms.keys().next() else { return false };
            state.now = state.now.max(next);
            let time = state.now;
            let later = state.alarms.split_off(&(time, u64::MAX));
            mem::replace(&mut state.alarms, later).into_values().collect()
        };
        due.into_iter().for_each(Waker::wake);
        true
    }

    fn next_alarm(&self) -> Option<Instant> {
        lock(&self.state).alarms.keys().next().map(|&(at, _)| at)
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        lock(&self.state).now
    }

    fn unix_time(&self) -> Duration {
        EPOCH + self.passed()
    }

    fn alarm(&self, at: Instant) -> Box<dyn Alarm> {
        let mut state = lock(&self.state);
        state.next += 1;
        Box::new(VirtualAlarm { clock: self.clone(), key: (at, state.next) })
    }
}

struct VirtualAlarm {
    clock: VirtualClock,
    key: Key,
}

impl VirtualAlarm {
    fn forget(&self) {
        let _waker = lock(&self.clock.state).alarms.remove(&self.key);
    }
}

impl Alarm for VirtualAlarm {
    fn reset(&mut self, at: Instant) {
        self.forget();
        self.key.0 = at;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let _replaced = {
            let mut state = lock(&self.clock.state);
            if self.key.0 <= state.now {
                return Poll::Ready(());
            }
            state.alarms.insert(self.key, waker)
        };
        Poll::Pending
    }
}

impl Drop for VirtualAlarm {
    fn drop(&mut self) {
        self.forget();
    }
}

/// On a calendar every virtual clock begins at the same time, the second in which Unix counted 1,700,000,000: 14 November 2023.
const EPOCH: Duration = Duration::from_secs(1_700_000_000);
