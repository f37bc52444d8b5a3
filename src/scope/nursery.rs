//! Nurseries: what opens one, and the handle with which children are started.

use std::{fmt, future::Future, sync::Arc};

use super::{
    Cancelled, Child, Error, NurseryFuture, Started, Statistics, TaskStatus, blocking, future,
    inbox::{Kind, Shared},
    start,
};

/// Opens a nursery, runs `body` in it, and waits for `body` and every child it starts.
///
/// - The first `Err`, from the body or a child, drops everything else and is returned.
/// - A panic in a child does the same, and then goes on in the caller, with its payload.
/// - When the returned future is dropped, body and children have been destroyed before the drop returns, also those that were
///   running on other threads. [The essay of this module](super) names the two exceptions.
///
/// Children may borrow what outlives the call:
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use wscope::{Nursery, nursery};
///
/// async fn length(url: &str) -> Result<usize, std::io::Error> {
///     Ok(url.len())
/// }
///
/// wscope::run(async {
///     let urls = vec!["ws://a", "ws://bb"];
///     let total = AtomicUsize::new(0);
///     nursery(async |n: Nursery<'_, std::io::Error>| {
///         for url in &urls {
///             n.start_soon(async {
///                 total.fetch_add(length(url).await?, Ordering::Relaxed);
///                 Ok(())
///             });
///         }
///         Ok(())
///     })
///     .await
///     .unwrap();
///     assert_eq!(total.into_inner(), 13);
/// });
/// ```
///
/// Where the compiler cannot infer the error, because the result goes through `?`, name it: `async |n: Nursery<'_, MyError>|`,
/// or `async |n: Nursery|` for [`scope::Error`](Error).
///
/// The future may be dropped at any time; what it was doing stops, and clean-ups that are not through move to the nursery
/// around it.
pub fn nursery<'env, T, E, F, B>(body: F) -> NurseryFuture<'env, T, E, B>
where
    F: FnOnce(Nursery<'env, E>) -> B,
    B: Future<Output = Result<T, E>>,
{
    future::open(None, body)
}

/// Opens a nursery in which a child's error does not stop its siblings: `on_error` is called with it instead. When that returns
/// an error it escalates, as in a plain [`nursery`]. The body's own error ends the nursery in any case, and so does a panic.
///
/// ```
/// use wscope::{Nursery, supervisor};
///
/// let mut failures = 0;
/// let outcome = wscope::run(supervisor(
///     |error: std::io::Error| {
///         failures += 1;
///         if failures < 3 { Ok(()) } else { Err(error) }
///     },
///     async |n| {
///         for _ in 0..2 {
///             n.start_soon(async { Err(std::io::ErrorKind::BrokenPipe.into()) });
///         }
///         Ok("served")
///     },
/// ));
/// assert_eq!((outcome.unwrap(), failures), ("served", 2));
/// ```
///
/// The future may be dropped at any time, as that of [`nursery`].
pub fn supervisor<'env, T, E, F, B>(
    on_error: impl FnMut(E) -> Result<(), E> + Send + 'env,
    body: F,
) -> NurseryFuture<'env, T, E, B>
where
    F: FnOnce(Nursery<'env, E>) -> B,
    B: Future<Output = Result<T, E>>,
{
    future::open(Some(Box::new(on_error)), body)
}

/// A handle with which children are started. Cheap to clone, and `Send` to wherever children are to be started from: a child
/// that holds one can start siblings.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use wscope::{Nursery, nursery};
///
/// /// Counts the leaves of a tree, each branch in a child of its own.
/// fn count<'env>(n: &Nursery<'env>, depth: u32, leaves: &'env AtomicU32) {
///     if depth == 0 {
///         leaves.fetch_add(1, Ordering::Relaxed);
///         return;
///     }
///     for _ in 0..2 {
///         let siblings = n.clone();
///         n.start_soon(async move {
///             count(&siblings, depth - 1, leaves);
///             Ok(())
///         });
///     }
/// }
///
/// let leaves = AtomicU32::new(0);
/// wscope::run(nursery(async |n: Nursery| {
///     count(&n, 3, &leaves);
///     Ok(())
/// }))?;
/// assert_eq!(leaves.into_inner(), 8);
/// # Ok::<(), wscope::scope::Error>(())
/// ```
pub struct Nursery<'env, E = Error> {
    pub(super) shared: Arc<Shared<'env, E>>,
}

impl<'env, E> Nursery<'env, E> {
    /// Starts a child in the nursery's own task: concurrent with its siblings, not parallel, and free to borrow whatever
    /// outlives the nursery. A child that computes for long holds its siblings up; [`spawn`](Self::spawn) does not.
    ///
    /// In a nursery that is being stopped the child is dropped unpolled.
    ///
    /// What the body owns does not outlive the nursery:
    ///
    /// ```compile_fail,E0373
    /// use wscope::{Nursery, nursery};
    ///
    /// nursery(async |n: Nursery| {
    ///     let text = String::from("of the body");
    ///     n.start_soon(async { println!("{text}"); Ok(()) }); // error: may outlive borrowed value `text`
    ///     Ok(())
    /// });
    /// ```
    ///
    /// What surrounds the nursery does:
    ///
    /// ```
    /// use wscope::{Nursery, nursery};
    ///
    /// # wscope::run(async {
    /// let text = String::from("from around");
    /// nursery(async |n: Nursery| {
    ///     n.start_soon(async { println!("{text}"); Ok(()) });
    ///     Ok(())
    /// })
    /// .await
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// When the nursery has finished, which takes a handle that has escaped from it.
    pub fn start_soon(&self, child: impl Future<Output = Result<(), E>> + Send + 'env) {
        self.shared.start(Box::pin(child), Kind::Child);
    }

    /// Starts a child on the executor: in parallel with its siblings, and therefore unable to borrow.
    ///
    /// It starts at once, or with the first poll of the nursery. In all else it is like a child of
    /// [`start_soon`](Self::start_soon): waited for, stopped with the others, and gone when the nursery is.
    ///
    /// ```
    /// use wscope::{Nursery, nursery};
    ///
    /// wscope::run(nursery(async |n: Nursery| {
    ///     let text = String::from("its own");
    ///     n.spawn(async move { println!("{text}"); Ok(()) });
    ///     Ok(())
    /// }))
    /// .unwrap();
    /// ```
    ///
    /// With a borrow the same does not compile:
    ///
    /// ```compile_fail,E0597
    /// use wscope::{Nursery, nursery};
    ///
    /// # wscope::run(async {
    /// let text = String::from("on the stack");
    /// nursery(async |n: Nursery| {
    ///     let text = &text;
    ///     n.spawn(async move { println!("{text}"); Ok(()) }); // error: `text` does not live long enough
    ///     Ok(())
    /// })
    /// .await
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// When the nursery has finished.
    pub fn spawn(&self, child: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: Send + 'static,
    {
        if let Err(too_late) = self.shared.pool_or_new().spawn(Box::pin(child)) {
            self.shared.refuse(too_late);
        }
    }

    /// Starts a child that blocks its thread, on a thread that may be blocked. Short for
    /// `start_soon(async { blocking(work).await })`.
    ///
    /// Such a child is waited for and never stopped half-way: a nursery that fails returns only when the child is through. When
    /// the nursery is *dropped* meanwhile, the wait moves to the nursery around it. Work that has not begun when the nursery is
    /// stopped is dropped instead. More at [`blocking`](super::blocking()).
    ///
    /// ```
    /// use wscope::{Nursery, nursery};
    ///
    /// wscope::run(nursery(async |n: Nursery| {
    ///     n.spawn_blocking(|| Ok(std::fs::write(std::env::temp_dir().join("wscope-doc"), b"blocks")?));
    ///     Ok(())
    /// }))
    /// .unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// When the nursery has finished.
    pub fn spawn_blocking(&self, work: impl FnOnce() -> Result<(), E> + Send + 'static)
    where
        E: Send + 'static,
    {
        self.start_soon(blocking(work));
    }

    /// Starts a child that serves the others: it is stopped, rather than waited for, once the body and all ordinary children
    /// are done. It is stopped last, so that what they have left to clean up can rely on it.
    ///
    /// A service that returns `Ok` is fine at any time; one that fails, fails the nursery, unless body and children are done.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wscope::{Nursery, nursery, sleep};
    ///
    /// wscope::run(nursery(async |n: Nursery| {
    ///     n.start_service(async {
    ///         loop {
    ///             sleep(Duration::from_secs(20)).await; // a heartbeat; ends with the work it serves
    ///         }
    ///     });
    ///     Ok(())
    /// }))
    /// .unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// When the nursery has finished.
    pub fn start_service(&self, service: impl Future<Output = Result<(), E>> + Send + 'env) {
        self.shared.start(Box::pin(service), Kind::Service);
    }

    /// Starts a child whose value is wanted. A failure is the nursery's, as with any child.
    ///
    /// ```
    /// use wscope::{Nursery, nursery, parallel};
    ///
    /// let sum = wscope::run(nursery(async |n: Nursery| {
    ///     let a = n.child(async { Ok(40) });
    ///     let b = n.child(parallel(async { Ok(2) }));
    ///     Ok(a.await? + b.await?)
    /// }));
    /// assert_eq!(sum.unwrap(), 42);
    /// ```
    ///
    /// # Panics
    ///
    /// When the nursery has finished.
    pub fn child<T: Send + 'env>(&self, child: impl Future<Output = Result<T, E>> + Send + 'env) -> Child<T> {
        let (sender, receipt) = Child::receipt();
        self.start_soon(async move {
            let value = child.await?;
            drop(sender.send(value)); // the receipt may have been thrown away
            Ok(())
        });
        receipt
    }

    /// Starts a child and waits until it reports that it is ready, by [`TaskStatus::started`]; then goes on without it.
    ///
    /// Until then the child runs *inside* this call: its error is returned from here and does not reach the nursery, and
    /// a dropped call drops the child. Afterwards it is a child like any other. Without a timeout of its own: put it under
    /// [`fail_after`](super::fail_after()) where a child may never be ready.
    ///
    /// ```
    /// use wscope::{Nursery, nursery};
    ///
    /// let port = wscope::run(nursery(async |n: Nursery| {
    ///     n.start(async |status| {
    ///         let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    ///         let started = status.started(listener.local_addr()?.port());
    ///         // serve for a while
    ///         Ok(started)
    ///     })
    ///     .await
    /// }));
    /// assert_ne!(port.unwrap(), 0);
    /// ```
    ///
    /// The child gives back the [`Started`] that it got for reporting; so a child that ends well without having reported does
    /// not compile:
    ///
    /// ```compile_fail,E0308
    /// use wscope::{Nursery, TaskStatus, nursery};
    ///
    /// nursery(async |n: Nursery| {
    ///     n.start(async |status: TaskStatus<u16>| Ok(())).await // error: expected `Started`, found `()`
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// That of the child, if it fails before it has reported.
    ///
    /// # Panics
    ///
    /// When the nursery has finished; and when the child gives back the `Started` of another without having reported.
    pub async fn start<V, F, Fut>(&self, child: F) -> Result<V, E>
    where
        E: Send + 'env,
        V: Send + 'env,
        F: FnOnce(TaskStatus<V>) -> Fut,
        Fut: Future<Output = Result<Started, E>> + Send + 'env,
    {
        start::start(self, child, Kind::Child).await
    }

    /// [`start`](Self::start) for a [service](Self::start_service): a server that never returns is started so, and stopped when
    /// body and children are done. A dropped call drops the service.
    ///
    /// ```
    /// use wscope::{Nursery, nursery};
    ///
    /// let port = wscope::run(nursery(async |n: Nursery| {
    ///     n.start_service_with(async |status| {
    ///         let started = status.started(8080);
    ///         std::future::pending::<()>().await;
    ///         Ok(started)
    ///     })
    ///     .await
    /// }));
    /// assert_eq!(port.unwrap(), 8080);
    /// ```
    ///
    /// # Errors
    ///
    /// That of the service, if it fails before it has reported.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn start_service_with<V, F, Fut>(&self, service: F) -> Result<V, E>
    where
        E: Send + 'env,
        V: Send + 'env,
        F: FnOnce(TaskStatus<V>) -> Fut,
        Fut: Future<Output = Result<Started, E>> + Send + 'env,
    {
        start::start(self, service, Kind::Service).await
    }

    /// Stops the nursery: body and children are dropped at its next turn, then it returns `error`. Does nothing when it is
    /// already being stopped.
    pub fn fail(&self, error: E) {
        self.shared.fail(error);
    }

    /// Stops the nursery, which then returns [`Cancelled`] as an error.
    ///
    /// To stop one from outside, and without a word in its error type, see [`CancelScope`](super::CancelScope).
    pub fn cancel(&self)
    where
        E: From<Cancelled>,
    {
        self.fail(Cancelled.into());
    }

    /// How many children are running; the body and services do not count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.running()
    }

    /// Whether no child is running.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until fewer than `limit` children are running: back-pressure for whoever starts them. With a limit of zero there
    /// is no such time, and it waits until the nursery is stopped.
    ///
    /// Nothing is reserved: when several wait, the first to be polled may take the place. Clean-ups that children have left behind
    /// do not count; what bounds those is their limit. Cancel-safe.
    ///
    /// ```
    /// use wscope::{Nursery, nursery};
    ///
    /// wscope::run(nursery(async |n: Nursery| {
    ///     for _ in 0..100 {
    ///         n.below(4).await;
    ///         n.spawn(async { Ok(()) }); // never more than four at a time
    ///     }
    ///     Ok(())
    /// }))
    /// .unwrap();
    /// ```
    pub async fn below(&self, limit: usize) {
        self.shared.below(limit).await;
    }

    /// What has happened here so far.
    ///
    /// ```
    /// use wscope::{Nursery, nursery};
    ///
    /// wscope::run(nursery(async |n: Nursery| {
    ///     n.child(async { Ok(()) }).await?;
    ///     let seen = n.statistics();
    ///     assert_eq!((seen.started, seen.finished, seen.running), (1, 1, 0));
    ///     Ok(())
    /// }))
    /// .unwrap();
    /// ```
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.statistics()
    }
}

impl<E> Clone for Nursery<'_, E> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<E> fmt::Debug for Nursery<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nursery").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}
