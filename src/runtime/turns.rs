//! A queue of tasks that wait for one thing: who came first goes first, and who leaves makes room for the next.

use std::{collections::VecDeque, task::Waker};

use super::after::After;

/// The place of one future in the queue. It must [`leave`](Turns::leave) when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

#[derive(Default)]
pub(super) struct Turns {
    waiting: VecDeque<(Ticket, Waker)>,
    next: u64,
}

impl Turns {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether it is the turn of who holds `ticket`, or of who has none yet.
    pub(super) fn is_first(&self, ticket: Option<Ticket>) -> bool {
        self.waiting.front().is_none_or(|(first, _)| Some(*first) == ticket)
    }

    /// Waits at the place of `ticket`, or takes a place at the end.
    pub(super) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker, after: &mut After) {
        match ticket.and_then(|ticket| self.place(ticket)) {
            Some(place) => {
                let kept = &mut self.waiting[place].1;
                if !kept.will_wake(waker) {
                    after.drop(std::mem::replace(kept, waker.clone()));
                }
            }
            None => {
                if self.waiting.capacity() == 0 {
                    self.waiting.reserve_exact(1); // mostly one waits, and that as long as the connection lives
                }
                let new = Ticket(self.next);
                self.next += 1;
                self.waiting.push_back((new, waker.clone()));
                *ticket = Some(new);
            }
        }
    }

    /// Gives the place up, if there is one. Says whether another is first now.
    pub(super) fn leave(&mut self, ticket: &mut Option<Ticket>, after: &mut After) -> bool {
        let Some(place) = ticket.take().and_then(|ticket| self.place(ticket)) else { return false };
        after.drop_waker(self.waiting.remove(place).map(|(_, waker)| waker));
        place == 0
    }

    /// The waker of who is first.
    pub(super) fn first(&self) -> Option<&Waker> {
        self.waiting.front().map(|(_, waker)| waker)
    }

    /// The wakers of all, who keep their places.
    pub(super) fn wakers(&self) -> impl Iterator<Item = Waker> {
        self.waiting.iter().map(|(_, waker)| waker.clone())
    }

    /// Nobody waits any more: to be woken, all of them.
    pub(super) fn dissolve(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_iter().map(|(_, waker)| waker)
    }

    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.waiting.binary_search_by_key(&ticket, |(ticket, _)| *ticket).ok()
    }
}
