//! Requests that wait for their answer.
//!
//! Pure: time is an argument, and who waits is a waker that is handed back to be woken outside of any lock. An id is given
//! once; an answer to one that nobody waits for any more is counted, and that is all it leaves behind. Each call is
//! O(log waiting).

use std::{
    collections::{BTreeMap, BTreeSet},
    task::{Poll, Waker},
    time::Instant,
};

use crate::link::{frame::FrameError, json::Payload, refusal::ErrorCode};

/// What a hub says to a request, or to a hello.
pub(super) type Answer = Result<Payload, Refused>;

/// A refusal as it is on the wire.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

/// How the wait for an answer ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered(Answer),
    /// It came, and cannot be read.
    Unreadable(FrameError),
    /// Its time was over.
    TimedOut,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    waiting: BTreeMap<u64, Call>,
    /// Of those that have one and no outcome.
    deadlines: BTreeSet<(Instant, u64)>,
    last: u64,
    late: u64,
}

#[derive(Debug)]
struct Call {
    deadline: Option<Instant>,
    waker: Option<Waker>,
    outcome: Option<Outcome>,
}

impl Calls {
    /// A request begins. Gives its id.
    pub(super) fn begin(&mut self, deadline: Option<Instant>) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, Call { deadline, waker: None, outcome: None });
        self.deadlines.extend(deadline.map(|deadline| (deadline, self.last)));
        self.last
    }

    /// The wait is over. Gives who is to be woken.
    pub(super) fn finish(&mut self, id: u64, outcome: Outcome) -> Option<Waker> {
        let Some(call) = self.waiting.get_mut(&id).filter(|call| call.outcome.is_none()) else {
            self.late += 1;
            return None;
        };
        call.outcome = Some(outcome);
        if let Some(deadline) = call.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        call.waker.take()
    }

    /// Whether somebody waits for this answer.
    pub(super) fn is_waiting(&self, id: u64) -> bool {
        self.waiting.get(&id).is_some_and(|call| call.outcome.is_none())
    }

    /// An answer for which nobody waits.
    pub(super) fn too_late(&mut self) {
        self.late += 1;
    }

    /// Ends the wait of those whose deadline has passed.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Waker> {
        let mut woken = Vec::new();
        while let Some((deadline, id)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(deadline, id));
            woken.extend(self.finish(id, Outcome::TimedOut));
        }
        woken
    }

    /// The next deadline.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Takes the outcome, or hangs up a waker, in place of one that is given back to be dropped elsewhere.
    pub(super) fn poll(&mut self, id: u64, waker: &Waker) -> (Poll<Outcome>, Option<Waker>) {
        let Some(call) = self.waiting.get_mut(&id) else { return (Poll::Pending, None) };
        if let Some(outcome) = call.outcome.take() {
            return (Poll::Ready(outcome), self.forget(id));
        }
        if call.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return (Poll::Pending, None);
        }
        (Poll::Pending, call.waker.replace(waker.clone()))
    }

    /// Nobody waits for this one any more. Gives its waker back, to be dropped elsewhere.
    pub(super) fn forget(&mut self, id: u64) -> Option<Waker> {
        let call = self.waiting.remove(&id)?;
        if let Some(deadline) = call.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        call.waker
    }

    /// All who wait, to be woken: the link has ended.
    pub(super) fn wakers(&mut self) -> Vec<Waker> {
        self.waiting.values_mut().filter_map(|call| call.waker.take()).collect()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How many answers came for which nobody waited.
    pub(super) const fn late(&self) -> u64 {
        self.late
    }
}
