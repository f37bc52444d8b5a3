//! Children in the task that waits for them. No executor takes part: what is measured polls by itself.

use std::{
    any::Any,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::{Stream, stream::FuturesUnordered};
use wscope::{Nursery, nursery};

use crate::{
    Contender, Keeper, Step,
    child::{Bells, Child, Outcome, Parked, Weight, polls, ready},
};

type BoxFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

pub const START: [Contender; 3] =
    [("wscope", start_wscope), ("FuturesUnordered", start_bare), ("moro-local", start_moro)];
/// Woken in the order in which they were started.
pub const WAKE: [Contender; 3] = [
    ("wscope", |count| wake(count, 1, |bells| keep_wscope(count, parked(bells)))),
    ("FuturesUnordered", |count| wake(count, 1, |bells| keep_bare(count, parked(bells)))),
    ("moro-local", |count| wake(count, 1, |bells| keep_moro(count, parked(bells)))),
];
/// Woken in an order that no cache can guess.
pub const WAKE_SCATTERED: [Contender; 3] = [
    ("wscope", |count| wake(count, STRIDE, |bells| keep_wscope(count, parked(bells)))),
    ("FuturesUnordered", |count| wake(count, STRIDE, |bells| keep_bare(count, parked(bells)))),
    ("moro-local", |count| wake(count, STRIDE, |bells| keep_moro(count, parked(bells)))),
];
pub const KEEP: [Keeper; 3] = [
    ("wscope `start_soon`", |count| begun(keep_wscope(count, Weight::new))),
    ("FuturesUnordered", |count| begun(keep_bare(count, Weight::new))),
    ("moro-local", |count| begun(keep_moro(count, Weight::new))),
];

/// Prime, and so it comes to every child.
const STRIDE: usize = 40_503;

/// Something that goes on with its children each time it is called.
type Turn = Box<dyn FnMut()>;

fn start_wscope(count: usize) -> Step {
    Box::new(move || {
        let all = nursery(async |n: Nursery<'_, ()>| {
            (0..count).for_each(|index| n.start_soon(ready(index)));
            Ok(())
        });
        assert_eq!(finish(all), Ok(()));
    })
}

fn start_bare(count: usize) -> Step {
    Box::new(move || {
        let mut all = FuturesUnordered::<BoxFuture>::new();
        (0..count).for_each(|index| all.push(Box::pin(ready(index))));
        let mut cx = Context::from_waker(Waker::noop());
        let mut left = count;
        while left > 0 {
            if let Poll::Ready(outcome) = Pin::new(&mut all).poll_next(&mut cx) {
                assert_eq!(outcome, Some(Ok(())));
                left -= 1;
            }
        }
    })
}

fn start_moro(count: usize) -> Step {
    Box::new(move || {
        finish(async {
            let all = moro_local::async_scope!(|scope| {
                (0..count).for_each(|index| drop(scope.spawn(ready(index))));
            });
            all.await
        });
    })
}

fn finish<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Wakes one of `count` parked children, and polls.
fn wake(count: usize, stride: usize, keep: impl FnOnce(Arc<Bells>) -> Turn) -> Step {
    let bells = Bells::new(count);
    let mut turn = keep(bells.clone());
    let before = polls();
    turn();
    assert_eq!(polls() - before, count);
    let mut next = 0;
    Box::new(move || {
        bells.ring(next);
        next = (next + stride) % count;
        turn();
    })
}

fn parked(bells: Arc<Bells>) -> impl Fn(usize) -> Parked {
    move |index| Parked::new(&bells, index)
}

fn begun(mut turn: Turn) -> Box<dyn Any> {
    turn();
    Box::new(turn)
}

fn keep_wscope<F: Child>(count: usize, child: impl Fn(usize) -> F + 'static) -> Turn {
    turn_of(nursery(async move |n: Nursery<'_, ()>| {
        (0..count).for_each(|index| n.start_soon(child(index)));
        std::future::pending::<Outcome>().await
    }))
}

fn keep_bare<F: Child>(count: usize, child: impl Fn(usize) -> F) -> Turn {
    let mut all = FuturesUnordered::<BoxFuture>::new();
    (0..count).for_each(|index| all.push(Box::pin(child(index))));
    Box::new(move || {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut all).poll_next(&mut cx).is_pending());
    })
}

fn keep_moro<F: Child>(count: usize, child: impl Fn(usize) -> F + 'static) -> Turn {
    turn_of(async move {
        let all = moro_local::async_scope!(|scope| {
            (0..count).for_each(|index| drop(scope.spawn(child(index))));
            std::future::pending::<()>().await
        });
        all.await
    })
}

fn turn_of<F: Future + 'static>(future: F) -> Turn {
    let mut future = Box::pin(future);
    Box::new(move || {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
    })
}
