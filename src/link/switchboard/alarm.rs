//! What is to happen later, by time.

use std::collections::BTreeSet;

use crate::link::{id::Id, time::Timestamp};

/// Something that is to happen later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// A connection has to hold an agent by now.
    Binding(Id),
    /// All of the invited have to have joined this channel by now.
    Joining(Id),
    /// A channel's time is over.
    Expiry(Id),
    /// Whoever is still there when the hub closes is cut off.
    Drained,
}

/// Alarms in the order of their times. O(log n) each.
#[derive(Debug, Default)]
pub(super) struct Alarms(BTreeSet<(Timestamp, Alarm)>);

impl Alarms {
    pub(super) fn set(&mut self, at: Timestamp, alarm: Alarm) {
        self.0.insert((at, alarm));
    }

    /// An alarm whose thing has gone before its time.
    pub(super) fn unset(&mut self, at: Timestamp, alarm: Alarm) {
        self.0.remove(&(at, alarm));
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.first().map(|(at, _)| *at)
    }

    /// The next one whose time has come.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Alarm> {
        let (at, alarm) = *self.0.first()?;
        if at > now {
            return None;
        }
        self.0.remove(&(at, alarm));
        Some(alarm)
    }
}
