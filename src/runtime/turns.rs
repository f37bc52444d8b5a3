//! A queue of tasks that wait for one thing: who came first goes first, and who leaves makes room for the next.

use std::{collections::VecDeque, task::Waker};

/// What is done once a lock is released. A waker runs its executor's code when it is dropped, so that waits until then.
pub(crate) trait DropLater {
    fn drop_later(&mut self, waker: Waker);
}

/// The place of one future in the queue. It must [`leave`](Turns::leave) when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

#[derive(Default)]
pub(crate) struct Turns {
    waiting: VecDeque<(Ticket, Waker)>,
    next: u64,
}

impl Turns {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether it is the turn of who holds `ticket`, or of who has none yet.
    pub(crate) fn is_first(&self, ticket: Option<Ticket>) -> bool {
        self.waiting.front().is_none_or(|(first, _)| Some(*first) == ticket)
    }

    /// Waits at the place of `ticket`, or takes a place at the end.
    pub(crate) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker, after: &mut impl DropLater) {
        match ticket.and_then(|ticket| self.place(ticket)) {
            Some(place) => {
                let kept = &mut self.waiting[place].1;
                if !kept.will_wake(waker) {
                    after.drop_later(std::mem::replace(kept, waker.clone()));
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
    pub(crate) fn leave(&mut self, ticket: &mut Option<Ticket>, after: &mut impl DropLater) -> bool {
        let Some(place) = ticket.take().and_then(|ticket| self.place(ticket)) else { return false };
        if let Some((_, waker)) = self.waiting.remove(place) {
            after.drop_later(waker);
        }
        place == 0
    }

    /// The waker of who is first.
    pub(crate) fn first(&self) -> Option<&Waker> {
        self.waiting.front().map(|(_, waker)| waker)
    }

    /// The wakers of all, who keep their places.
    pub(crate) fn wakers(&self) -> impl Iterator<Item = Waker> {
        self.waiting.iter().map(|(_, waker)| waker.clone())
    }

    /// Nobody waits any more: to be woken, all of them.
    pub(crate) fn dissolve(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_iter().map(|(_, waker)| waker)
    }

    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.waiting.binary_search_by_key(&ticket, |(ticket, _)| *ticket).ok()
    }
}
