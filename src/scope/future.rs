//! The future that a nursery is: it owns the children, polls them, and ends in order.
//!
//! ```text
//!   Running ── body and children are done, or one of them failed ──▶ Cleaning ── clean-ups are through ──▶ Finished
//!      │          (they are destroyed, services live on)                │    (services are destroyed)
//!      └──────────────────────────── dropped ───────────────────────────┴──▶ all destroyed, clean-ups move outwards
//! ```
//!
//! The body is one more member of the set of children: each is polled only when its own waker was woken.

use std::{
    fmt,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{
    Nursery,
    contain::{Panic, Set, discard},
    inbox::{Child, Inbox, Kind, Shared},
    pool::BadNews,
    waiters::Woken,
};
use crate::runtime::{Ambient, BoxFuture, Sink, Surrounded, current, enter};

/// The future of [`nursery`](super::nursery()) and [`supervisor`](super::supervisor).
#[must_use = "futures do nothing unless polled"]
pub struct NurseryFuture<'env, T, E, B> {
    shared: Arc<Shared<'env, E>>,
    /// Body and children.
    members: Set<Member<'env, E, B>>,
    services: Set<Child<'env, E>>,
    cleanups: Set<BoxFuture<'static, ()>>,
    on_error: Option<OnError<'env, E>>,
    /// What the body returned.
    value: Option<T>,
    /// The first panic of all. Beats any error.
    panic: Option<Panic>,
    phase: Phase<E>,
    /// Its own sink on the runtime of the nursery around; made at the first poll, and away during each.
    ambient: Option<Arc<dyn Surrounded>>,
    /// By whom it is polled.
    waker: Option<Waker>,
}

pub(super) type OnError<'env, E> = Box<dyn FnMut(E) -> Result<(), E> + Send + 'env>;

pub(super) fn open<'env, T, E, F, B>(
    on_error: Option<OnError<'env, E>>,
    body: F,
) -> NurseryFuture<'env, T, E, B>
where
    F: FnOnce(Nursery<'env, E>) -> B,
    B: Future<Output = Result<T, E>>,
{
    // Made before the body is, so that a body that panics before its first await leaves nothing behind.
    let mut nursery = NurseryFuture {
        shared: Arc::new(Shared::new()),
        members: Set::new(),
        services: Set::new(),
        cleanups: Set::new(),
        on_error,
        value: None,
        panic: None,
        phase: Phase::Running,
        ambient: None,
        waker: None,
    };
    let body = body(Nursery { shared: nursery.shared.clone() });
    nursery.members.push(Member::Body(Box::pin(body)));
    nursery
}

enum Phase<E> {
    /// Body and children run.
    Running,
    /// They are gone, one way or another; services run until the clean-ups are through.
    Cleaning(Outcome<E>),
    /// Nothing is left.
    Finished,
}

enum Outcome<E> {
    Complete,
    Failed(E),
    /// The panic is kept beside.
    Panicked,
}

enum Member<'env, E, B> {
    Body(Pin<Box<B>>),
    Child(Child<'env, E>),
}

enum End<T, E> {
    OfBody(Result<T, E>),
    OfChild(Result<(), E>),
}

impl<T, E, B: Future<Output = Result<T, E>>> Future for Member<'_, E, B> {
    type Output = End<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End<T, E>> {
        match self.get_mut() {
            Self::Body(body) => body.as_mut().poll(cx).map(End::OfBody),
            Self::Child(child) => child.as_mut().poll(cx).map(End::OfChild),
        }
    }
}

/// What a look into the inbox yields.
struct Look<E> {
    next: Next<E>,
    bad_news: Vec<BadNews<E>>,
    woken: Woken,
}

enum Next<E> {
    Poll,
    Wait,
    /// There is more to do, but others want their turn.
    Yield,
    End(Outcome<E>),
}

impl<'env, T, E, B: Future<Output = Result<T, E>>> NurseryFuture<'env, T, E, B> {
    /// Ready when nothing is left.
    fn poll_phases(&mut self, cx: &mut Context<'_>, outer: Option<&Arc<Sink>>) -> Poll<()> {
        if let Phase::Running = self.phase {
            let outcome = match self.poll_running(cx) {
                Poll::Ready(outcome) => outcome,
                Poll::Pending if self.poll_cleanups(cx) => Outcome::Panicked,
                Poll::Pending => return Poll::Pending,
            };
            self.phase = Phase::Cleaning(outcome);
            self.stop();
        }
        self.poll_cleaning(cx, outer)
    }

    /// Polls body, children and services until none can go on.
    fn poll_running(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<E>> {
        let mut round = 0;
        loop {
            let look = self.look(round);
            look.woken.wake();
            if let Some(outcome) = self.hear(look.bad_news) {
                discard(look.next);
                return Poll::Ready(outcome);
            }
            match look.next {
                Next::Poll => {}
                Next::Wait => return Poll::Pending,
                Next::Yield => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Next::End(outcome) => return Poll::Ready(outcome),
            }
            if let Err(outcome) = self.poll_members(cx) {
                return Poll::Ready(outcome);
            }
            round += 1;
        }
    }

    /// Lets in those whom the members have started, or who came from other threads, and decides what to do next.
    ///
    /// That there is nothing to do is found out, and said to those who would ring, under one lock: nobody is missed.
    fn look(&mut self, round: u32) -> Look<E> {
        let Self { shared, members, services, .. } = self;
        let mut inbox = shared.lock();
        let news = shared.pool().map(|pool| pool.news());
        let (bad_news, pool_ended, pool_running) = match news {
            Some(news) => (news.bad, news.ended, news.running),
            None => (Vec::new(), false, 0),
        };
        let ended = shared.settle(&mut inbox) || pool_ended;
        let woken = if ended { inbox.waiting.take() } else { Woken::default() };
        if let Some(error) = inbox.failed.take() {
            return Look { next: Next::End(Outcome::Failed(error)), bad_news, woken };
        }
        let arrivals = let_in(&mut inbox, members, services);
        if members.is_empty() && bad_news.is_empty() {
            // Without members nobody is left who could start any, but children on the pool.
            let left = pool_running > 0 && shared.pool().is_some_and(|pool| pool.await_last());
            if !left {
                return Look { next: Next::End(Outcome::Complete), bad_news, woken };
            }
        }
        let again = round == 0 || arrivals || !woken.is_empty() || !bad_news.is_empty();
        inbox.attended = again && round < BUDGET;
        let next = match (again, round < BUDGET) {
            (false, _) => Next::Wait,
            (true, true) => Next::Poll,
            (true, false) => Next::Yield,
        };
        Look { next, bad_news, woken }
    }

    /// Whether, and how, what happened on the pool is the end of the nursery. An error that comes after that is too late.
    fn hear(&mut self, news: Vec<BadNews<E>>) -> Option<Outcome<E>> {
        let mut outcome = None;
        for news in news {
            match news {
                BadNews::Failed(error) if outcome.is_none() => outcome = self.judge(error),
                BadNews::Failed(too_late) => discard(too_late),
                BadNews::Panicked(panic) => discard(outcome.replace(self.panicked(panic))),
            }
        }
        outcome
    }

    /// Polls those who were woken. `Err` when the end of one of them is the end of the nursery.
    fn poll_members(&mut self, cx: &mut Context<'_>) -> Result<(), Outcome<E>> {
        while let Poll::Ready(Some(end)) = self.members.poll(cx) {
            match end {
                Ok(End::OfBody(Ok(value))) => self.value = Some(value),
                Ok(End::OfBody(Err(error))) => return Err(Outcome::Failed(error)),
                Ok(End::OfChild(end)) => self.child_ended(end, Kind::Child)?,
                Err(panic) => return Err(self.panicked(panic)),
            }
        }
        while let Poll::Ready(Some(end)) = self.services.poll(cx) {
            match end {
                Ok(end) => self.child_ended(end, Kind::Service)?,
                Err(panic) => return Err(self.panicked(panic)),
            }
        }
        Ok(())
    }

    /// `Err` when this is the end of the nursery.
    fn child_ended(&mut self, end: Result<(), E>, kind: Kind) -> Result<(), Outcome<E>> {
        self.shared.ended(kind);
        match end {
            Ok(()) => Ok(()),
            Err(error) => self.judge(error).map_or(Ok(()), Err),
        }
    }

    /// Whether, and how, the error of a child is the end of the nursery.
    fn judge(&mut self, error: E) -> Option<Outcome<E>> {
        let Some(on_error) = &mut self.on_error else { return Some(Outcome::Failed(error)) };
        match catch_unwind(AssertUnwindSafe(|| on_error(error))) {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Outcome::Failed(error)),
            Err(panic) => Some(self.panicked(panic)),
        }
    }

    /// Polls adopted clean-ups, and the services they may need, until they are through.
    fn poll_cleaning(&mut self, cx: &mut Context<'_>, outer: Option<&Arc<Sink>>) -> Poll<()> {
        loop {
            self.poll_cleanups(cx);
            if !self.cleanups.is_empty() {
                // What a service returns no longer matters: it is about to be stopped.
                while let Poll::Ready(Some(end)) = self.services.poll(cx) {
                    match end {
                        Ok(end) => discard(end),
                        Err(panic) => drop(self.panicked(panic)),
                    }
                }
                return Poll::Pending;
            }
            self.services.clear(); // they may leave something to clean up as well
            if self.shared.sink.close_if_empty(outer) {
                return Poll::Ready(());
            }
        }
    }

    /// Whether one of them panicked.
    fn poll_cleanups(&mut self, cx: &mut Context<'_>) -> bool {
        let mut panicked = false;
        for cleanup in self.shared.sink.take() {
            self.cleanups.push(cleanup);
        }
        while let Poll::Ready(Some(end)) = self.cleanups.poll(cx) {
            if let Err(panic) = end {
                self.panicked(panic);
                panicked = true;
            }
        }
        panicked
    }

    /// Finds the runtime, and launches the children that came before there was one.
    fn begin(&self) -> Arc<dyn Surrounded> {
        let runtime = current(|ambient| ambient.runtime.clone());
        let ambient = Ambient { sink: Some(self.shared.sink.clone()), runtime };
        self.shared.open(&ambient);
        Arc::new(ambient)
    }

    /// How it ends.
    ///
    /// # Panics
    ///
    /// With the panic of whoever panicked first.
    fn finish(&mut self) -> Result<T, E> {
        self.end();
        let phase = mem::replace(&mut self.phase, Phase::Finished);
        let value = self.value.take();
        if let Some(panic) = self.panic.take() {
            discard(phase); // one that panics while a panic is under way would end the process
            discard(value);
            resume_unwind(panic);
        }
        match (phase, value) {
            (Phase::Cleaning(Outcome::Failed(error)), _) => Err(error),
            (Phase::Cleaning(Outcome::Complete), Some(value)) => Ok(value),
            // `Complete` has a value, and `Panicked` a panic: so it was ready before. Nobody polls a future again that was ready: that
            // is the contract of `Future`.
            (
                Phase::Cleaning(Outcome::Complete | Outcome::Panicked) | Phase::Running | Phase::Finished,
                _,
            ) => {
                panic!("a nursery was polled after it had finished")
            }
        }
    }
}

/// Says whether anybody was waiting.
fn let_in<'env, E, B>(
    inbox: &mut Inbox<'env, E>,
    members: &mut Set<Member<'env, E, B>>,
    services: &mut Set<Child<'env, E>>,
) -> bool {
    let arrivals = !(inbox.children.is_empty() && inbox.services.is_empty());
    for child in mem::take(&mut inbox.children) {
        members.push(Member::Child(child));
    }
    for service in mem::take(&mut inbox.services) {
        services.push(service);
    }
    arrivals
}

impl<T, E, B> NurseryFuture<'_, T, E, B> {
    /// From now on a handle is one that has escaped.
    fn end(&self) {
        self.shared.finish();
        self.shared.sink.bell.take_down();
    }

    /// Refuses new children, and destroys the body and those there are. The nursery's own go first: one on the pool may be
    /// waiting for something that one of them holds.
    fn stop(&mut self) {
        self.shared.close();
        self.members.clear();
        let too_late = self.shared.pool().map_or_else(Vec::new, |pool| pool.stop());
        for news in too_late {
            match news {
                BadNews::Failed(error) => discard(error), // another was first
                BadNews::Panicked(panic) => drop(self.panicked(panic)),
            }
        }
    }

    fn panicked(&mut self, panic: Panic) -> Outcome<E> {
        match self.panic {
            None => self.panic = Some(panic),
            Some(_) => discard(panic), // the first one is kept
        }
        Outcome::Panicked
    }
}

impl<T, E, B: Future<Output = Result<T, E>>> Future for NurseryFuture<'_, T, E, B> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.shared.sink.bell.hang(cx.waker(), &mut this.waker);
        let ambient = this.ambient.take().unwrap_or_else(|| this.begin());
        let entered = enter(ambient);
        let polled = this.poll_phases(cx, entered.outer_sink());
        this.ambient = entered.leave();
        polled.map(|()| this.finish())
    }
}

impl<T, E, B> Drop for NurseryFuture<'_, T, E, B> {
    fn drop(&mut self) {
        if let Phase::Finished = self.phase {
            return;
        }
        // Whatever is left to clean up goes to the nursery around this one, if there is one.
        let heir = current(|ambient| ambient.sink.clone());
        self.shared.sink.bequeath(heir.as_ref()).into_iter().for_each(discard);
        self.stop();
        self.services.clear();
        self.end();
        for cleanup in self.cleanups.drain() {
            if let Err(cleanup) = self.shared.sink.adopt(cleanup) {
                discard(cleanup);
            }
        }
        // It may be a panic that drops all this.
        discard(mem::replace(&mut self.phase, Phase::Finished));
        discard(self.value.take());
        discard(self.panic.take());
        discard(self.on_error.take());
    }
}

impl<T, E, B> Unpin for NurseryFuture<'_, T, E, B> {}

impl<T, E, B> fmt::Debug for NurseryFuture<'_, T, E, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Running => "running",
            Phase::Cleaning(_) => "cleaning",
            Phase::Finished => "finished",
        };
        f.debug_struct("NurseryFuture").field("phase", &phase).finish_non_exhaustive()
    }
}

/// How often one poll lets in children that its own children have started, before other tasks get their turn: a child that
/// breeds for ever must not starve them.
const BUDGET: u32 = 256;
