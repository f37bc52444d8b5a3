//! The children of a nursery that run on the executor.
//!
//! They are registered here, not among the nursery's own futures: a child that ends well costs the nursery's task no wake-up,
//! and none of what the nursery's own children cost is paid for them.
//!
//! A child that ends well takes no lock either. It is one of many on several threads, and a lock that all of them want at the end
//! of a short life costs more than the life. So the register is swept by those who enter: it never holds more of the dead than of
//! the living, and of the dead only an empty shell.
//!
//! Nothing of a user's is dropped and nobody is woken under a lock.

use std::{
    mem,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use super::{
    contain::Panic,
    inbox::Child,
    job::{Job, Launch, PATIENCE, Report},
};
use crate::runtime::{
    Ambient, Sink,
    sync::{Patience, lock},
};

pub(super) struct Pool<E> {
    register: Mutex<Register>,
    /// What the nursery has to know: it is woken for each.
    bad_news: Mutex<Vec<BadNews<E>>>,
    /// Counted up before a child is launched, down when it has ended and its news, if any, has been left.
    running: AtomicUsize,
    /// Somebody waits for any child to end. Set before `running` is read, read after that is counted down.
    watched: AtomicBool,
    /// A child has ended while somebody was watching.
    ended: AtomicBool,
    /// The nursery has nothing left but these children. As `watched`, for the last of them.
    awaited: AtomicBool,
    sink: Arc<Sink>,
    /// Known from the first poll of the nursery on, and so before any child is launched.
    ambient: OnceLock<Ambient>,
}

struct Register {
    jobs: Vec<Arc<dyn Launch>>,
    started: u64,
    stopping: bool,
}

/// A child that has not been launched.
pub(super) type TooLate<E> = Arc<Job<Result<(), E>, Entry<E>>>;

/// How a child ended that did not end well.
pub(super) enum BadNews<E> {
    Failed(E),
    Panicked(Panic),
}

/// What the nursery finds when it looks.
pub(super) struct News<E> {
    pub(super) bad: Vec<BadNews<E>>,
    /// Whoever waits for a child to end is to be woken.
    pub(super) ended: bool,
    pub(super) running: usize,
}

#[derive(Default)]
pub(super) struct Census {
    pub(super) running: usize,
    pub(super) started: u64,
}

impl<E> Pool<E> {
    /// `stopping`: it is too late, children are given back.
    pub(super) fn new(sink: Arc<Sink>, ambient: Option<Ambient>, stopping: bool) -> Self {
        Self {
            register: Mutex::new(Register { jobs: Vec::new(), started: 0, stopping }),
            bad_news: Mutex::new(Vec::new()),
            running: AtomicUsize::new(0),
            watched: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            awaited: AtomicBool::new(false),
            sink,
            ambient: ambient.map_or_else(OnceLock::new, OnceLock::from),
        }
    }

    /// Launches the children that came before the nursery was polled for the first time, and lets later ones start at once.
    pub(super) fn open(&self, ambient: &Ambient) {
        let waiting = {
            let register = lock(&self.register);
            self.ambient.get_or_init(|| ambient.clone());
            register.jobs.clone()
        };
        waiting.into_iter().for_each(|job| job.launch(&ambient.runtime));
    }

    /// Refuses new children, and destroys those there are, here or, where a poll is in flight, on the thread that polls. Gives
    /// back what has happened meanwhile.
    pub(super) fn stop(&self) -> Vec<BadNews<E>> {
        let jobs = {
            let mut register = lock(&self.register);
            register.stopping = true;
            mem::take(&mut register.jobs)
        };
        // First stop them all, then wait, so that the patience is spent once.
        let in_flight: Vec<_> = jobs.into_iter().filter(|job| !job.has_ended() && job.stop()).collect();
        if !in_flight.is_empty() {
            let patience = Patience::of(PATIENCE);
            in_flight.into_iter().for_each(|job| job.wait(&patience));
        }
        mem::take(&mut *lock(&self.bad_news))
    }

    /// Collects what has happened.
    pub(super) fn news(&self) -> News<E> {
        let ended = self.ended.swap(false, SeqCst);
        if ended {
            self.watched.store(false, SeqCst); // who is woken now will watch again
        }
        let running = self.running.load(SeqCst); // before the news: who is not counted here has left its news before
        News { bad: mem::take(&mut *lock(&self.bad_news)), ended, running }
    }

    /// Asks to be woken when the last child has ended. Says whether any is left.
    pub(super) fn await_last(&self) -> bool {
        self.awaited.store(true, SeqCst);
        self.running.load(SeqCst) > 0 || !lock(&self.bad_news).is_empty()
    }

    /// Asks to be woken when any child has ended; says how many there are.
    pub(super) fn watch(&self) -> usize {
        self.watched.store(true, SeqCst);
        self.running.load(SeqCst)
    }

    pub(super) fn census(&self) -> Census {
        let register = lock(&self.register);
        let running = if register.stopping { 0 } else { self.running.load(SeqCst) };
        Census { running, started: register.started }
    }
}

impl<E: Send + 'static> Pool<E> {
    /// Starts `child`, at once if the nursery has been polled before. Gives it back, unpolled, when it is too late.
    pub(super) fn spawn(self: &Arc<Self>, child: Child<'static, E>) -> Result<(), TooLate<E>> {
        let job = Arc::new(Job::new(child, Entry { pool: self.clone() }));
        let ambient = {
            let mut register = lock(&self.register);
            if register.stopping {
                drop(register);
                return Err(job);
            }
            self.running.fetch_add(1, SeqCst);
            register.enter(job.clone());
            self.ambient.get()
        };
        if let Some(ambient) = ambient {
            job.launch(&ambient.runtime);
        }
        Ok(())
    }
}

impl Register {
    fn enter(&mut self, job: Arc<dyn Launch>) {
        if self.jobs.len() == self.jobs.capacity() {
            self.jobs.retain(|job| !job.has_ended());
            // Room for as many as there are, or the next sweep would come too soon: a sweep costs each child that enters O(1).
            self.jobs.reserve(self.jobs.len());
        }
        self.started += 1;
        self.jobs.push(job);
    }
}

/// A child's way to the pool.
pub(super) struct Entry<E> {
    pool: Arc<Pool<E>>,
}

impl<E: Send + 'static> Report<Result<(), E>> for Entry<E> {
    fn ambient(&self) -> &Ambient {
        self.pool.ambient.get_or_init(Ambient::default) // it has been set, or nobody would be polling
    }

    fn finished(&self, outcome: thread::Result<Result<(), E>>) {
        let pool = &*self.pool;
        let news = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(BadNews::Failed(error)),
            Err(panic) => Some(BadNews::Panicked(panic)),
        };
        let mut ring = news.is_some();
        if let Some(news) = news {
            lock(&pool.bad_news).push(news);
        }
        let last = pool.running.fetch_sub(1, SeqCst) == 1;
        if pool.watched.load(SeqCst) {
            pool.ended.store(true, SeqCst);
            ring = true;
        }
        if ring || (last && pool.awaited.load(SeqCst)) {
            pool.sink.bell.ring();
        }
    }
}
