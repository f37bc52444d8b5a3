//! Asynchronous clean-up from synchronous `Drop`.
//!
//! Every nursery owns a sink, and while the nursery or one of its children is polled, on whatever thread, that sink is the
//! current one. A value that is dropped by a cancellation is dropped during somebody's poll; so the current sink is that of the
//! innermost nursery that is still running, and that nursery does not finish before the clean-up does.

use std::time::Duration;

use super::move_on_after;
use crate::runtime::{Adoption, BoxFuture, current};

/// Hands `cleanup` to the innermost running nursery, which waits for it, but for no longer than `limit`. To be called from
/// `Drop`.
///
/// The limit counts from the first poll. A clean-up that was handed to a nursery which is itself dropped moves to the nursery
/// around that one.
///
/// ```
/// use std::time::Duration;
/// use wscope::{Nursery, defer, move_on_after, nursery};
///
/// struct Guest;
///
/// impl Drop for Guest {
///     fn drop(&mut self) {
///         let goodbye = async { println!("goodbye, said asynchronously") };
///         if let Err(_goodbye) = defer(Duration::from_secs(1), goodbye) {
///             println!("no nursery here: leave without a word");
///         }
///     }
/// }
///
/// wscope::run(async {
///     let stay = nursery(async |n: Nursery| {
///         let guest = Guest;
///         std::future::pending::<()>().await;
///         drop(guest);
///         Ok(())
///     });
///     move_on_after(Duration::from_millis(1), stay).await; // drops the nursery, and the guest with it
/// }); // the goodbye has been said when this returns
/// ```
///
/// # Errors
///
/// Where no nursery is running on this thread `cleanup` is given back: a destructor must then make do with what can be done
/// without waiting, such as polling it once.
pub fn defer<F>(limit: Duration, cleanup: F) -> Result<(), F>
where
    F: Future<Output = ()> + Send + 'static,
{
    match current(|ambient| ambient.sink.clone()) {
        Some(sink) => {
            sink.adopt(Cleanup { limit, cleanup }).map_err(|given_back: Cleanup<F>| given_back.cleanup)
        }
        None => Err(cleanup),
    }
}

struct Cleanup<F> {
    limit: Duration,
    cleanup: F,
}

impl<F: Future<Output = ()> + Send + 'static> Adoption for Cleanup<F> {
    fn boxed(self) -> BoxFuture<'static, ()> {
        let Self { limit, cleanup } = self;
        Box::pin(async move {
            move_on_after(limit, cleanup).await;
        })
    }
}
