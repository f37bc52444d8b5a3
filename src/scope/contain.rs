//! Panics do not get past here: they become values, and a destructor that panics keeps nobody else alive.

use std::{
    any::Any,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use futures::stream::{FuturesUnordered, Stream};

/// What somebody panicked with.
pub(super) type Panic = Box<dyn Any + Send>;

/// Runs `act`, which is done with even if it panics. What it panicked with is not to be dropped but discarded.
pub(super) fn contain(act: impl FnOnce()) -> Result<(), Panic> {
    catch_unwind(AssertUnwindSafe(act))
}

/// Drops `value` where a panic of its destructor must not get out; the panic hook has reported it.
pub(super) fn discard<T>(value: T) {
    let Err(panic) = contain(|| drop(value)) else { return };
    if let Err(another) = contain(|| drop(panic)) {
        // What one panics with may panic when it is dropped, and so on without an end.
        mem::forget(another);
    }
}

/// A future that panics neither in `poll`, where a panic becomes its output, nor in `drop`.
pub(super) struct Contained<F>(Option<F>);

impl<F> Contained<F> {
    pub(super) fn new(future: F) -> Self {
        Self(Some(future))
    }

    pub(super) fn into_inner(mut self) -> Option<F> {
        self.0.take()
    }
}

impl<F: Future + Unpin> Future for Contained<F> {
    type Output = Result<F::Output, Panic>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.0.as_mut() else { return Poll::Pending };
        match catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => {
                let future = self.0.take();
                match contain(|| drop(future)) {
                    Ok(()) => Poll::Ready(Ok(output)),
                    Err(panic) => {
                        discard(output);
                        Poll::Ready(Err(panic))
                    }
                }
            }
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

impl<F> Drop for Contained<F> {
    fn drop(&mut self) {
        if let Some(future) = self.0.take() {
            discard(future);
        }
    }
}

/// A set of contained futures that costs nothing while it is empty.
pub(super) struct Set<F>(Option<FuturesUnordered<Contained<F>>>);

impl<F> Set<F> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    pub(super) fn push(&mut self, future: F) {
        self.0.get_or_insert_default().push(Contained::new(future));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(FuturesUnordered::is_empty)
    }

    /// Drops them all. (`FuturesUnordered::clear` would make a new, empty set: two allocations.)
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = F>
    where
        F: Unpin,
    {
        self.0.take().into_iter().flatten().filter_map(Contained::into_inner)
    }

    /// The next of them to finish; `Ready(None)` when the set is empty.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<F::Output, Panic>>>
    where
        F: Future + Unpin,
    {
        match &mut self.0 {
            Some(set) if !set.is_empty() => Pin::new(set).poll_next(cx),
            Some(_) | None => Poll::Ready(None),
        }
    }
}
