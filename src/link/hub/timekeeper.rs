//! The one timer of a hub. One of the links keeps the time for all; when it goes, another takes over.
//!
//! So ten thousand idle links have one timer among them, and a hub needs no task of its own.

use std::{
    sync::Mutex,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use crate::{
    link::{id::Id, time::Timestamp},
    runtime::{Timer, now, sync::lock, unix_time},
};

/// What time it is for the hub, and who sees to what is due.
pub(super) struct Timekeeper {
    /// One instant, on both clocks. The wall clock is read once: when it is set, nothing of the hub's falls due early or late.
    began: (Instant, Duration),
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    deadline: Option<Timestamp>,
    /// The link that keeps the time, and its task.
    keeper: Option<(Id, Waker)>,
}

impl Timekeeper {
    pub(super) fn new() -> Self {
        Self { began: (now(), unix_time()), state: Mutex::default() }
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        let passed = now().saturating_duration_since(self.began.0);
        Timestamp::from_nanos(0).after(self.began.1).after(passed)
    }

    /// When that will be on the other clock; `None` when it is past what that can tell.
    fn instant(&self, at: Timestamp) -> Option<Instant> {
        let began = Timestamp::from_nanos(0).after(self.began.1);
        let passed = at.as_nanos().saturating_sub(began.as_nanos());
        self.began.0.checked_add(Duration::from_nanos(passed))
    }

    /// Something is due then, and nothing before. A keeper who would sleep too long is woken.
    pub(super) fn set(&self, deadline: Option<Timestamp>, wake: &mut Vec<Waker>) {
        let mut state = lock(&self.state);
        let sooner = deadline.is_some_and(|at| state.deadline.is_none_or(|set| at < set));
        state.deadline = deadline;
        if sooner {
            wake.extend(state.keeper.as_ref().map(|(_, waker)| waker.clone()));
        }
    }

    /// `link` keeps the time no longer, if it did: then somebody else has to.
    pub(super) fn leave(&self, link: Id) -> bool {
        let left = lock(&self.state).keeper.take_if(|(keeper, _)| *keeper == link);
        left.is_some()
    }

    /// The deadline, if it is for `link` to keep; nobody else does when this is asked, the first who asks does.
    fn keep(&self, link: Id, cx: &Context<'_>) -> Option<Timestamp> {
        let waker = cx.waker().clone();
        let mut state = lock(&self.state);
        if state.keeper.as_ref().is_some_and(|(keeper, _)| *keeper != link) {
            return None;
        }
        let replaced = state.keeper.replace((link, waker));
        let deadline = state.deadline;
        drop(state);
        drop(replaced);
        deadline
    }
}

/// The watch of one link: empty unless it is its turn.
pub(super) struct Watch {
    link: Id,
    timer: Option<(Timer, Timestamp)>,
}

impl Watch {
    pub(super) fn new(link: Id) -> Self {
        Self { link, timer: None }
    }

    /// Ready when something is due that is for this link to see to. To be asked again after that.
    pub(super) fn poll(&mut self, keeper: &Timekeeper, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = keeper.keep(self.link, cx) else { return Poll::Pending };
        if deadline <= keeper.now() {
            return Poll::Ready(());
        }
        let Some(instant) = keeper.instant(deadline) else { return Poll::Pending };
        let (timer, set) = self.timer.get_or_insert_with(|| (Timer::at(instant), deadline));
        // One that goes off too early is set again then: most deadlines are for things that have happened by then.
        if deadline < *set {
            timer.reset(instant);
            *set = deadline;
        }
        while timer.poll(cx).is_ready() {
            if deadline <= keeper.now() {
                return Poll::Ready(());
            }
            timer.reset(instant);
            *set = deadline;
        }
        Poll::Pending
    }
}
