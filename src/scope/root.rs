//! The nursery around everything.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{Nursery, nursery};
use crate::runtime::{Ambient, Runtime, block_on, current, enter};

/// Runs `main` to completion on this thread, inside a nursery that adopts every clean-up [`defer`](super::defer)red by a value
/// dropped anywhere below. The `main` of a program that uses this crate.
///
/// ```
/// use std::time::Duration;
///
/// let answer = wscope::run(async {
///     wscope::sleep(Duration::from_millis(1)).await;
///     42
/// });
/// assert_eq!(answer, 42);
/// ```
pub fn run<F: Future>(main: F) -> F::Output {
    block_on(root(Runtime::default(), main))
}

/// Runs `main` inside a nursery, as [`run`] does, on another [`Runtime`]: all below uses its executor and its clock.
///
/// Somebody has to poll it; the `Simulation` of feature `testing` does so for its own. [`Runtime::new`] has an example of another one.
///
/// ```
/// use wscope::{runtime::{Runtime, block_on}, scope::root};
///
/// assert_eq!(block_on(root(Runtime::default(), async { 42 })), 42); // which is `wscope::run`
/// ```
///
/// A dropped call is that of a nursery: `main` and all below have been destroyed before the drop returns, and their clean-ups move to
/// the nursery around, if there is one.
pub async fn root<F: Future>(runtime: Runtime, main: F) -> F::Output {
    let future = nursery(|_: Nursery<'_, Infallible>| async { Ok(main.await) });
    match (On { runtime, future }).await {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

pin_project! {
    /// A future with a runtime in force.
    struct On<F> {
        runtime: Runtime,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for On<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let sink = current(|ambient| ambient.sink.clone());
        let _entered = enter(Arc::new(Ambient { sink, runtime: this.runtime.clone() }));
        this.future.poll(cx)
    }
}
