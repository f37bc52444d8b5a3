//! The children: one that ends at once, one that can be woken, one that weighs a known number of bytes.

use std::{
    hint::black_box,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    thread::{self, Thread},
};

use futures::task::AtomicWaker;

/// Polls of children since the process began.
static POLLS: AtomicUsize = AtomicUsize::new(0);

pub type Outcome = Result<(), ()>;

pub trait Child: Future<Output = Outcome> + Send + 'static {}

impl<F: Future<Output = Outcome> + Send + 'static> Child for F {}

/// Ends at once. It owns something, or its box would be free.
pub async fn ready(index: usize) -> Outcome {
    black_box(index);
    Ok(())
}

/// A bell for each child.
pub struct Bells {
    wakers: Vec<AtomicWaker>,
    /// To be told when [`POLLS`] has come to the target.
    waiting: Thread,
    target: AtomicUsize,
}

impl Bells {
    pub fn new(count: usize) -> Arc<Self> {
        let wakers = (0..count).map(|_| AtomicWaker::new()).collect();
        Arc::new(Self { wakers, waiting: thread::current(), target: AtomicUsize::new(usize::MAX) })
    }

    pub fn ring(&self, index: usize) {
        self.wakers[index].wake();
    }

    /// Does `act`, and waits until `count` polls have come of it.
    pub fn poll_after(&self, count: usize, act: impl FnOnce()) {
        let target = POLLS.load(SeqCst) + count;
        self.target.store(target, SeqCst);
        act();
        while POLLS.load(SeqCst) < target {
            thread::park();
        }
    }
}

/// Never ends; polled each time its bell rings.
pub struct Parked {
    bells: Arc<Bells>,
    index: usize,
}

impl Parked {
    pub fn new(bells: &Arc<Bells>, index: usize) -> Self {
        Self { bells: bells.clone(), index }
    }
}

impl Future for Parked {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        self.bells.wakers[self.index].register(cx.waker());
        if POLLS.fetch_add(1, SeqCst) + 1 == self.bells.target.load(SeqCst) {
            self.bells.waiting.unpark();
        }
        Poll::Pending
    }
}

/// Never ends, and is as large as it says.
pub struct Weight([u64; 8]);

impl Weight {
    pub const SIZE: usize = size_of::<Self>();

    pub fn new(index: usize) -> Self {
        Self([index as u64; 8])
    }
}

impl Future for Weight {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Outcome> {
        black_box(&self.0);
        POLLS.fetch_add(1, SeqCst);
        Poll::Pending
    }
}

/// Polls of children so far.
pub fn polls() -> usize {
    POLLS.load(SeqCst)
}
