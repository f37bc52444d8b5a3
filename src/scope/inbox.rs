//! What a nursery and its handles share: where children wait to be let in, and who has to be told what.
//!
//! The nursery keeps its children in its own future; a handle only has this inbox. So no part of a nursery refers to another
//! part of it, children may borrow whatever outlives the nursery, and none of it needs `unsafe`.
//!
//! Lock order: inbox, then pool. Nothing of a user's is dropped and nobody is woken under either.

use std::{
    future::poll_fn,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{
            AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    task::{Context, Poll},
};

use super::{
    Statistics,
    contain::discard,
    pool::{Census, Pool},
    waiters::{Ticket, Waiters},
};
use crate::runtime::{Ambient, BoxFuture, Sink, sync::lock};

pub(super) type Child<'env, E> = BoxFuture<'env, Result<(), E>>;

pub(super) struct Shared<'env, E> {
    inbox: Mutex<Inbox<'env, E>>,
    /// Children that have ended and are still counted as running in the inbox. Only the nursery writes it, so that the end of a
    /// child takes no lock; whoever wants to know how many are running reads it under the lock of the inbox.
    ended: AtomicUsize,
    /// Made for the first child that is spawned: most nurseries have none.
    pool: OnceLock<Arc<Pool<E>>>,
    pub(super) sink: Arc<Sink>,
}

pub(super) struct Inbox<'env, E> {
    pub(super) children: Vec<Child<'env, E>>,
    pub(super) services: Vec<Child<'env, E>>,
    pub(super) failed: Option<E>,
    /// Children in the nursery's own task that had not ended when it last looked, whether or not they have been let in.
    running: usize,
    pub(super) services_running: usize,
    started: u64,
    /// Those who wait for the number of children to fall. Woken when a child has ended, and not before, or they would spin.
    pub(super) waiting: Waiters,
    /// The nursery is being polled, and will look in here before it returns.
    pub(super) attended: bool,
    stage: Stage,
    /// Known from the first poll on.
    ambient: Option<Ambient>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stage {
    Open,
    /// Children that come now are dropped unpolled.
    Stopping,
    /// Children that come now come through a handle that has escaped.
    Finished,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Child,
    Service,
}

impl<'env, E> Shared<'env, E> {
    pub(super) fn new() -> Self {
        let inbox = Inbox {
            children: Vec::new(),
            services: Vec::new(),
            failed: None,
            running: 0,
            services_running: 0,
            started: 0,
            waiting: Waiters::default(),
            attended: false,
            stage: Stage::Open,
            ambient: None,
        };
        Self {
            inbox: Mutex::new(inbox),
            ended: AtomicUsize::new(0),
            pool: OnceLock::new(),
            sink: Arc::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inbox<'env, E>> {
        lock(&self.inbox)
    }

    /// The pool, if any child was ever spawned.
    pub(super) fn pool(&self) -> Option<&Arc<Pool<E>>> {
        self.pool.get()
    }

    /// The pool, for a child that is about to be spawned. Made under the lock of the inbox, so that it is not missed by
    /// [`open`](Self::open) or [`close`](Self::close).
    pub(super) fn pool_or_new(&self) -> &Arc<Pool<E>> {
        if let Some(pool) = self.pool.get() {
            return pool;
        }
        let inbox = self.lock();
        let stopping = inbox.stage != Stage::Open;
        self.pool.get_or_init(|| Arc::new(Pool::new(self.sink.clone(), inbox.ambient.clone(), stopping)))
    }

    /// The nursery is polled for the first time.
    pub(super) fn open(&self, ambient: &Ambient) {
        self.lock().ambient = Some(ambient.clone());
        if let Some(pool) = self.pool() {
            pool.open(ambient);
        }
    }

    /// Hands `child` to the nursery. Panics when that has finished.
    pub(super) fn start(&self, child: Child<'env, E>, kind: Kind) {
        let mut inbox = self.lock();
        if inbox.stage != Stage::Open {
            drop(inbox);
            return self.refuse(child);
        }
        match kind {
            Kind::Child => {
                inbox.started += 1;
                inbox.running += 1;
                inbox.children.push(child);
            }
            Kind::Service => {
                inbox.services_running += 1;
                inbox.services.push(child);
            }
        }
        self.ring(inbox);
    }

    /// Takes a member off the count, at once: whoever is polled next may ask for it.
    pub(super) fn ended(&self, kind: Kind) {
        match kind {
            Kind::Child => self.ended.store(self.ended.load(Relaxed) + 1, Release),
            Kind::Service => self.lock().services_running -= 1,
        }
    }

    /// Brings the count in the inbox up to date. Says whether a child has ended since the last time.
    pub(super) fn settle(&self, inbox: &mut Inbox<'env, E>) -> bool {
        let ended = self.ended.load(Relaxed);
        inbox.running -= ended;
        self.ended.store(0, Release);
        ended > 0
    }

    /// Drops a child that comes too late. Panics when the nursery has finished, which takes a handle that has escaped from it.
    pub(super) fn refuse<C>(&self, child: C) {
        discard(child);
        assert!(
            self.lock().stage != Stage::Finished,
            "this nursery has finished; it can start no more children"
        );
    }

    /// Stops the nursery with `error`, unless another was first.
    pub(super) fn fail(&self, error: E) {
        let mut inbox = self.lock();
        if inbox.stage != Stage::Open || inbox.failed.is_some() {
            drop(inbox);
            return discard(error);
        }
        inbox.failed = Some(error);
        self.ring(inbox);
    }

    /// Sees to it that the nursery looks into the inbox again.
    fn ring(&self, inbox: MutexGuard<'_, Inbox<'env, E>>) {
        let attended = inbox.attended;
        drop(inbox);
        if !attended {
            self.sink.bell.ring();
        }
    }

    /// Children in the nursery's own task.
    fn running_here(&self, inbox: &Inbox<'env, E>) -> usize {
        inbox.running - self.ended.load(Acquire)
    }

    pub(super) fn running(&self) -> usize {
        self.running_here(&self.lock()) + self.pool().map_or(0, |pool| pool.census().running)
    }

    /// Waits until fewer than `limit` children are running.
    pub(super) async fn below(&self, limit: usize) {
        let mut waiting = Waiting { shared: self, ticket: None };
        poll_fn(|cx| waiting.poll(limit, cx)).await;
    }

    pub(super) fn statistics(&self) -> Statistics {
        let inbox = self.lock();
        let pool = self.pool().map_or_else(Census::default, |pool| pool.census());
        let running = self.running_here(&inbox) + pool.running;
        let started = inbox.started + pool.started;
        Statistics {
            running,
            services: inbox.services_running,
            started,
            finished: started - running as u64,
            cleanups: self.sink.adopted(),
        }
    }

    /// Refuses new children, and destroys those that have not been let in.
    pub(super) fn close(&self) {
        let (children, services, failed, waiting) = {
            let mut inbox = self.lock();
            inbox.stage = Stage::Stopping;
            self.settle(&mut inbox);
            inbox.running = 0;
            let children = mem::take(&mut inbox.children);
            let services = mem::take(&mut inbox.services);
            inbox.services_running -= services.len();
            (children, services, inbox.failed.take(), inbox.waiting.take())
        };
        children.into_iter().chain(services).for_each(discard);
        discard(failed);
        waiting.wake();
    }

    /// From now on a child can only come through a handle that has escaped.
    pub(super) fn finish(&self) {
        let mut inbox = self.lock();
        inbox.stage = Stage::Finished;
        inbox.services_running = 0;
    }
}

/// A task in [`Shared::below`].
struct Waiting<'a, 'env, E> {
    shared: &'a Shared<'env, E>,
    ticket: Option<Ticket>,
}

impl<E> Waiting<'_, '_, E> {
    fn poll(&mut self, limit: usize, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut inbox = self.shared.lock();
        let running = self.shared.running_here(&inbox) + self.shared.pool().map_or(0, |pool| pool.watch());
        if running < limit || inbox.stage != Stage::Open {
            return Poll::Ready(());
        }
        let replaced = inbox.waiting.sign_in(&mut self.ticket, waker);
        drop(inbox);
        drop(replaced);
        Poll::Pending
    }
}

impl<E> Drop for Waiting<'_, '_, E> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let waker = self.shared.lock().waiting.sign_off(ticket);
            drop(waker);
        }
    }
}
