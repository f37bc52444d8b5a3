//! What can go wrong with scoped work itself, and the error type of those who have none of their own.

use std::{error, io, time::Duration};

/// The work was stopped before it had a result: by a [`CancelScope`](super::CancelScope), by
/// [`Nursery::cancel`](super::Nursery::cancel), or, for a [`Child`](super::Child), by whatever ended the child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, thiserror::Error)]
#[error("cancelled")]
#[expect(clippy::exhaustive_structs, reason = "there is nothing more to say, and callers match it by name")]
pub struct Cancelled;

/// The work did not finish in time; it has been dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("did not finish within {limit:?}")]
#[expect(clippy::exhaustive_structs, reason = "callers match it, and make their own where they give up")]
pub struct TooSlow {
    /// The time it was allowed.
    pub limit: Duration,
}

/// The error of a nursery for which no other is named: `async |n: Nursery| ..`.
///
/// It takes in whatever such a nursery usually meets; bring an enum of your own where callers are to tell more apart.
///
/// ```
/// use wscope::{Nursery, nursery, scope};
///
/// let outcome: Result<(), scope::Error> = wscope::run(nursery(async |n: Nursery| {
///     n.start_soon(async { Err(std::io::Error::from(std::io::ErrorKind::AddrInUse).into()) });
///     Ok(())
/// }));
/// assert!(matches!(outcome, Err(scope::Error::Io(_))));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// See [`Cancelled`].
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// See [`TooSlow`].
    #[error(transparent)]
    TooSlow(#[from] TooSlow),
    /// The network, or another part of the system.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Anything else a child may fail with; [`Error::other`] puts it here.
    #[error(transparent)]
    Other(#[from] Box<dyn error::Error + Send + Sync>),
}

impl Error {
    /// An error of any other type, or a text.
    ///
    /// ```
    /// assert_eq!(wscope::scope::Error::other("no such room").to_string(), "no such room");
    /// ```
    pub fn other(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}
