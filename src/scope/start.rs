//! Starting a child and waiting until it is ready.

use std::{
    future::{Future, poll_fn},
    sync::{Arc, Mutex},
    task::{Poll, Waker},
};

use super::{
    Nursery,
    inbox::{Child, Kind},
};
use crate::runtime::sync::lock;

/// Given to a child by [`Nursery::start`], to report that it is ready.
///
/// A function that is to be started so takes one, and gives back the [`Started`]:
///
/// ```
/// use wscope::{Nursery, Started, TaskStatus, nursery, scope};
///
/// async fn serve(status: TaskStatus<&'static str>) -> Result<Started, scope::Error> {
///     let started = status.started("ready");
///     wscope::sleep(std::time::Duration::from_millis(1)).await;
///     Ok(started)
/// }
///
/// let said = wscope::run(nursery(async |n: Nursery| n.start(serve).await))?;
/// assert_eq!(said, "ready");
/// # Ok::<(), scope::Error>(())
/// ```
#[derive(Debug)]
pub struct TaskStatus<V> {
    report: Arc<Mutex<Report<V>>>,
}

impl<V> TaskStatus<V> {
    /// Reports readiness: [`Nursery::start`] returns `value`, and the child becomes the nursery's.
    pub fn started(self, value: V) -> Started {
        let waiting = {
            let mut report = lock(&self.report);
            report.value = Some(value);
            report.waiting.take()
        };
        waiting.into_iter().for_each(Waker::wake); // the child may have had it done by somebody else
        Started(())
    }
}

/// Proof that a child has reported itself [`started`](TaskStatus::started). [`TaskStatus`] has an example.
#[must_use = "the child gives it back"]
#[derive(Debug)]
pub struct Started(());

#[derive(Debug)]
struct Report<V> {
    value: Option<V>,
    waiting: Option<Waker>,
}

/// How the wait for a child ended.
enum Outcome<'env, V, E> {
    Started(V, Child<'env, E>),
    Ended(V),
    /// It reported and then failed in one go: that is the nursery's business.
    Failed(V, E),
    NeverStarted(E),
}

pub(super) async fn start<'env, V, E, F, Fut>(
    nursery: &Nursery<'env, E>,
    child: F,
    kind: Kind,
) -> Result<V, E>
where
    E: Send + 'env,
    V: Send + 'env,
    F: FnOnce(TaskStatus<V>) -> Fut,
    Fut: Future<Output = Result<Started, E>> + Send + 'env,
{
    match wait(child).await {
        Outcome::Started(value, child) => {
            nursery.shared.start(child, kind);
            Ok(value)
        }
        Outcome::Ended(value) => Ok(value),
        Outcome::Failed(value, error) => {
            nursery.shared.start(Box::pin(async { Err(error) }), kind);
            Ok(value)
        }
        Outcome::NeverStarted(error) => Err(error),
    }
}

async fn wait<'env, V, E, F, Fut>(child: F) -> Outcome<'env, V, E>
where
    E: 'env,
    F: FnOnce(TaskStatus<V>) -> Fut,
    Fut: Future<Output = Result<Started, E>> + Send + 'env,
{
    let report = Arc::new(Mutex::new(Report { value: None, waiting: None }));
    let mut child = Box::pin(child(TaskStatus { report: report.clone() }));
    let (value, polled) = poll_fn(|cx| {
        let waker = cx.waker().clone();
        let replaced = lock(&report).waiting.replace(waker); // before the child is polled, or its report could be missed
        drop(replaced);
        let polled = child.as_mut().poll(cx);
        let value = lock(&report).value.take();
        if value.is_none() && polled.is_pending() { Poll::Pending } else { Poll::Ready((value, polled)) }
    })
    .await;
    match (value, polled) {
        (Some(value), Poll::Pending) => {
            Outcome::Started(value, Box::pin(async { child.await.map(|Started(())| ()) }))
        }
        (Some(value), Poll::Ready(Ok(Started(())))) => Outcome::Ended(value),
        (Some(value), Poll::Ready(Err(error))) => Outcome::Failed(value, error),
        (None, Poll::Ready(Err(error))) => Outcome::NeverStarted(error),
        // A bug of the caller's, of which `Nursery::start` tells: there is no value to give to who waits.
        (None, Poll::Ready(Ok(Started(()))) | Poll::Pending) => {
            panic!("a child gave back the `Started` of another, and has not reported itself")
        }
    }
}
