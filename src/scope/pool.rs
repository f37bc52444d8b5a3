//! The children of a nursery that run on the executor.
//!
//! They are registered here, not among the nursery's own futures: a child that ends well costs the nursery's task no wake-up,
//! and none of what the nursery's own children cost is paid for them.
//!
//! Nothing of a user's is dropped and nobody is woken under the lock.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, OnceLock},
    thread,
};

use slab::Slab;

use super::{
    contain::{Panic, discard},
    inbox::Child,
    job::{Job, Launch, PATIENCE, Report},
};
use crate::runtime::{
    Ambient, Sink,
    sync::{Patience, lock},
};

pub(super) struct Pool<E> {
    state: Mutex<State<E>>,
    sink: Arc<Sink>,
    /// Known from the first poll of the nursery on, and so before any child is launched.
    ambient: OnceLock<Ambient>,
}

struct State<E> {
    jobs: Slab<Arc<dyn Launch>>,
    started: u64,
    /// What the nursery has to know: it is woken for each.
    bad_news: Vec<BadNews<E>>,
    /// A child has ended since the nursery last looked.
    ended: bool,
    /// Somebody waits for any child to end.
    watched: bool,
    /// The nursery has nothing left but these children.
    awaited: bool,
    stopping: bool,
}

/// How a child ended that did not end well.
pub(super) enum BadNews<E> {
    Failed(E),
    Panicked(Panic),
}

/// What the nursery finds when it looks.
pub(super) struct News<E> {
    pub(super) bad: Vec<BadNews<E>>,
    pub(super) ended: bool,
    pub(super) running: usize,
}

#[derive(Default)]
pub(super) struct Census {
    pub(super) running: usize,
    pub(super) started: u64,
}

impl<E> Pool<E> {
    /// `stopping`: it is too late, children are dropped unpolled.
    pub(super) fn new(sink: Arc<Sink>, ambient: Option<Ambient>, stopping: bool) -> Self {
        let state = State {
            jobs: Slab::new(),
            started: 0,
            bad_news: Vec::new(),
            ended: false,
            watched: false,
            awaited: false,
            stopping,
        };
        Self { state: Mutex::new(state), sink, ambient: ambient.map_or_else(OnceLock::new, OnceLock::from) }
    }

    /// Launches the children that came before the nursery was polled for the first time, and lets later ones start at once.
    pub(super) fn open(&self, ambient: &Ambient) {
        let waiting: Vec<_> = {
            let state = lock(&self.state);
            if self.ambient.set(ambient.clone()).is_err() {
                return;
            }
            state.jobs.iter().map(|(_, job)| job.clone()).collect()
        };
        waiting.into_iter().for_each(|job| job.launch(&ambient.runtime));
    }

    /// Refuses new children, and destroys those there are, here or, where a poll is in flight, on the thread that polls.
    pub(super) fn stop(&self) {
        let (jobs, news) = {
            let mut state = lock(&self.state);
            state.stopping = true;
            (mem::take(&mut state.jobs), mem::take(&mut state.bad_news))
        };
        news.into_iter().for_each(discard);
        // First stop them all, then wait, so that the patience is spent once.
        let in_flight: Vec<_> = jobs.into_iter().map(|(_, job)| job).filter(|job| job.stop()).collect();
        if !in_flight.is_empty() {
            let patience = Patience::of(PATIENCE);
            in_flight.into_iter().for_each(|job| job.wait(&patience));
        }
    }

    /// Collects what has happened. Not to be called with a lock held that a user's code might want.
    pub(super) fn news(&self) -> News<E> {
        let mut state = lock(&self.state);
        News {
            bad: mem::take(&mut state.bad_news),
            ended: mem::take(&mut state.ended),
            running: state.jobs.len(),
        }
    }

    /// Asks to be woken when the last child has ended. Says whether any is left.
    pub(super) fn await_last(&self) -> bool {
        let mut state = lock(&self.state);
        state.awaited = true;
        !state.jobs.is_empty() || !state.bad_news.is_empty()
    }

    /// Asks to be woken when any child has ended; says how many there are.
    pub(super) fn watch(&self) -> usize {
        let mut state = lock(&self.state);
        state.watched = true;
        state.jobs.len()
    }

    pub(super) fn census(&self) -> Census {
        let state = lock(&self.state);
        Census { running: state.jobs.len(), started: state.started }
    }
}

impl<E: Send + 'static> Pool<E> {
    /// Starts `child`, at once if the nursery has been polled before. Gives it back when it is too late.
    pub(super) fn spawn(self: &Arc<Self>, child: Child<'static, E>) -> Result<(), Child<'static, E>> {
        let (job, ambient) = {
            let mut state = lock(&self.state);
            if state.stopping {
                return Err(child);
            }
            state.started += 1;
            let entry = state.jobs.vacant_entry();
            let job = Arc::new(Job::new(child, Entry { pool: self.clone(), key: entry.key() }));
            entry.insert(job.clone());
            (job, self.ambient.get())
        };
        if let Some(ambient) = ambient {
            job.launch(&ambient.runtime);
        }
        Ok(())
    }
}

/// A child's place in the pool.
struct Entry<E> {
    pool: Arc<Pool<E>>,
    key: usize,
}

impl<E: Send + 'static> Report<Result<(), E>> for Entry<E> {
    fn ambient(&self) -> &Ambient {
        self.pool.ambient.get_or_init(Ambient::default) // it has been set, or nobody would be polling
    }

    fn finished(&self, outcome: thread::Result<Result<(), E>>) {
        let bad_news = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(BadNews::Failed(error)),
            Err(panic) => Some(BadNews::Panicked(panic)),
        };
        let mut state = lock(&self.pool.state);
        if state.stopping {
            drop(state);
            return discard(bad_news); // another was first
        }
        let wake = bad_news.is_some() || state.watched || (state.awaited && state.jobs.len() == 1);
        state.ended = true;
        state.bad_news.extend(bad_news);
        let job = state.jobs.remove(self.key);
        state.watched &= !wake;
        drop(state);
        drop(job);
        if wake {
            self.pool.sink.bell.ring();
        }
    }
}

impl<E> fmt::Debug for Pool<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("running", &self.census().running).finish_non_exhaustive()
    }
}
