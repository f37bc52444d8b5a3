//! Structured concurrency: tasks that cannot outlive the block of code that started them.
//!
//! ```text
//!   run ─▶ nursery ─┬─ body
//!                   ├─ start_soon   in the nursery's own task, may borrow       ─┐
//!                   ├─ spawn        on the executor, in parallel                 ├─ waited for; the first error, or panic,
//!                   ├─ spawn_blocking, child, start                             ─┘  stops all
//!                   ├─ start_service                                             stopped last
//!                   └─ clean-ups    adopted from whatever was dropped, bounded in time
//! ```
//!
//! | want | use |
//! |---|---|
//! | run children, wait for all, the first error stops the rest | [`nursery()`], [`Nursery`] |
//! | the same, but errors of children are handled one by one | [`supervisor`] |
//! | a child's value; a child that is ready | [`Nursery::child`]; [`Nursery::start`] |
//! | a child that serves the others and ends with them | [`Nursery::start_service`], [`Nursery::start_service_with`] |
//! | another thread; a thread that may block | [`parallel()`]; [`blocking()`] |
//! | give up after a while | [`fail_after`], [`move_on_after`] |
//! | cancel from elsewhere, or ask politely first | [`CancelScope`] |
//! | asynchronous clean-up from `Drop` | [`defer`] |
//! | a few futures of a fixed number, together or the first of them | [`Join`], [`TryJoin`], [`Race`], [`RaceOk`] |
//!
//! # What is promised
//!
//! When a nursery returns, or the drop of its future does, nothing of its children exists any more: not their futures, not what
//! they owned, not the errors they failed with. This holds for every way out (a value, an error, a panic, a timeout around it,
//! a drop half-way) and for every kind of child. The exceptions, each a property of the language or of threads:
//!
//! - A nursery that is *forgotten* (`mem::forget`) cannot do anything. Its own children stop where they are, those on the
//!   executor run on; they borrow nothing.
//! - A poll in flight on another thread is waited for, but no longer than one second; then the child is left to finish that one
//!   poll, and is destroyed right after, on that thread. The same goes for a child that drops its own nursery.
//! - A blocking child cannot be stopped. A nursery that ends waits for it; when the nursery is dropped, the one around it does.
//!
//! # Rules
//!
//! - Cancelling is dropping. So it cannot be ignored, it takes effect at an `.await`, and a stopped child cannot produce a second
//!   error: one error comes out, never a group.
//! - The order of an end: body and children, then their clean-ups while services still run, then services, then theirs.
//! - A timeout belongs around a nursery, or inside a child.
//! - A panic beats an error. A destructor that panics keeps nobody alive; while things are being stopped it is reported by the
//!   panic hook alone.
//! - Children need `Send`, also those in the nursery's own task, because the nursery's future may move between threads. There is
//!   no second kind of nursery for others: a handle is shared through a lock around boxes of `dyn Future + Send`, and without
//!   `Send` that would be another handle, another inbox and another set, for no new guarantee. A body need not be `Send`: what
//!   must stay on its thread runs there, beside children, with [`Join`] or a set of its own.
//! - `async_std::task::spawn` and its like leave the nursery. Use [`Nursery::spawn`] or [`parallel()`].
//!
//! # What it never does
//!
//! Detach a task, keep anything of a child that has ended, lose a panic, wait without a bound for a clean-up, or wake or drop
//! anything of a user's under a lock.

mod blocking;
mod cancel;
mod checkpoint;
mod child;
mod cleanup;
mod contain;
mod error;
mod future;
mod inbox;
mod job;
#[cfg(feature = "tracing")]
mod named;
mod nursery;
mod parallel;
mod pool;
mod root;
mod slot;
mod start;
mod statistics;
mod timeout;
mod waiters;

pub use blocking::{Blocking, blocking};
pub use cancel::CancelScope;
pub(crate) use checkpoint::checkpoint;
pub use child::Child;
pub use cleanup::defer;
pub use error::{Cancelled, Error, TooSlow};
pub use future::NurseryFuture;
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub use named::{Named, named};
pub use nursery::{Nursery, nursery, supervisor};
pub use parallel::{Parallel, parallel};
pub use root::{root, run};
pub use start::{Started, TaskStatus};
pub use statistics::Statistics;
pub use timeout::{FailAfter, MoveOnAfter, fail_after, fail_at, move_on_after, move_on_at};

pub use futures_concurrency::future::{Join, Race, RaceOk, TryJoin};
