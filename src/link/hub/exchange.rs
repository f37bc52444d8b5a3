//! The switchboard under its lock: one input at a time, its effects into outboxes, and who is to be woken once the lock is free.

use std::{
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard},
    task::{Poll, Waker},
};

use super::{assembly::Incoming, contained::Fuse, outbox::Outbox, timekeeper::Timekeeper};
use crate::{
    link::{
        id::Id,
        switchboard::{Effect, Farewell, Switchboard},
        time::Timestamp,
    },
    runtime::sync::lock,
};

/// What all links of a hub share.
pub(super) struct Exchange {
    core: Mutex<Core>,
    pub(super) time: Timekeeper,
    fuse: Fuse,
}

struct Core {
    board: Switchboard,
    /// Of the links that the switchboard knows.
    outboxes: BTreeMap<Id, Arc<Outbox>>,
    /// Links that are served, those included that are only being closed.
    links: usize,
    /// Who waits until there are none.
    waiting: Vec<Waker>,
}

impl Exchange {
    /// `fuse`: that of what the switchboard was made of.
    pub(super) fn new(board: Switchboard, fuse: Fuse) -> Self {
        let core = Core { board, outboxes: BTreeMap::new(), links: 0, waiting: Vec::new() };
        Self { core: Mutex::new(core), time: Timekeeper::new(), fuse }
    }

    /// A link is to be served.
    pub(super) fn attach(&self) -> (Id, Arc<Outbox>) {
        let mut wake = Vec::new();
        let attached = {
            let (mut core, now) = self.lock();
            let (id, outbox) = (core.board.attach(now), Arc::<Outbox>::default());
            core.outboxes.insert(id, outbox.clone());
            core.links += 1;
            self.settle(&mut core, &mut wake);
            (id, outbox)
        };
        wake.into_iter().for_each(Waker::wake);
        attached
    }

    /// A link is not to be written to any more.
    pub(super) fn detach(&self, link: Id, wake: &mut Vec<Waker>) {
        let (mut core, now) = self.lock();
        core.board.detach(link, now);
        core.outboxes.remove(&link);
        if self.time.leave(link)
            && let Some(next) = core.outboxes.values().next()
        {
            next.nudge(wake);
        }
        self.settle(&mut core, wake);
    }

    /// A link is served no more.
    pub(super) fn leave(&self, wake: &mut Vec<Waker>) {
        let (mut core, _) = self.lock();
        core.links -= 1; // each was counted when it was attached
        if core.links == 0 {
            wake.append(&mut core.waiting);
        }
    }

    /// A message has come. Gives the limit of the next one.
    pub(super) fn receive(
        &self,
        link: Id,
        outbox: &Outbox,
        incoming: &Incoming,
        wake: &mut Vec<Waker>,
    ) -> usize {
        self.on_link(link, outbox, wake, |board, now| {
            match incoming {
                Incoming::Message(message) => board.receive(link, message.as_bytes(), now),
                Incoming::TooLarge(size) => board.refuse_oversize(link, *size, now),
            }
            board.message_limit(link)
        })
    }

    /// So many bytes have left the outbox for good.
    pub(super) fn sent(&self, link: Id, outbox: &Outbox, bytes: usize, wake: &mut Vec<Waker>) {
        self.on_link(link, outbox, wake, |board, now| board.sent(link, bytes, now));
    }

    /// An input of one link, which is closed when an adapter or the store has panicked over it.
    fn on_link<T>(
        &self,
        link: Id,
        outbox: &Outbox,
        wake: &mut Vec<Waker>,
        act: impl FnOnce(&mut Switchboard, Timestamp) -> T,
    ) -> T {
        let (mut core, now) = self.lock();
        let outcome = act(&mut core.board, now);
        if self.fuse.has_blown() {
            core.board.hang_up(link, Farewell::Failed, now);
        }
        self.settle(&mut core, wake);
        outbox.let_in(core.board.wants_input(link), wake);
        outcome
    }

    /// An input of nobody's in particular; whoever has to act on it is woken.
    pub(super) fn input<T>(&self, act: impl FnOnce(&mut Switchboard, Timestamp) -> T) -> T {
        let mut wake = Vec::new();
        let outcome = {
            let (mut core, now) = self.lock();
            let outcome = act(&mut core.board, now);
            self.settle(&mut core, &mut wake);
            outcome
        };
        wake.into_iter().for_each(Waker::wake);
        outcome
    }

    /// Looks at the switchboard.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Switchboard) -> T) -> T {
        look(&lock(&self.core).board)
    }

    /// Waits until no link is served.
    pub(super) async fn empty(&self) {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut core = lock(&self.core);
            if core.links == 0 {
                return Poll::Ready(());
            }
            if !core.waiting.iter().any(|waiting| waiting.will_wake(&waker)) {
                core.waiting.push(waker);
            }
            Poll::Pending
        })
        .await;
    }

    /// What time it is, with the lock; what was due has been seen to, even if nobody keeps the time just now.
    fn lock(&self) -> (MutexGuard<'_, Core>, Timestamp) {
        let mut core = lock(&self.core);
        let now = self.time.now();
        if core.board.deadline().is_some_and(|at| at <= now) {
            core.board.wake(now);
        }
        (core, now)
    }

    /// The end of each input. What a panic in it was over is not known, unless it was a link's.
    fn settle(&self, core: &mut Core, wake: &mut Vec<Waker>) {
        let _ = self.fuse.has_blown();
        while let Some(effect) = core.board.next_effect() {
            match effect {
                Effect::Send { endpoint, message } => {
                    if let Some(outbox) = core.outboxes.get(&endpoint) {
                        outbox.push(message, wake);
                    }
                }
                Effect::Close { endpoint, farewell } => {
                    if let Some(outbox) = core.outboxes.remove(&endpoint) {
                        outbox.end(farewell, wake);
                    }
                }
            }
        }
        self.time.set(core.board.deadline(), wake);
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("stats", &self.look(Switchboard::stats)).finish_non_exhaustive()
    }
}
