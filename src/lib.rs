//! WebSockets in structured scopes.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod proto;

/// The README and the pages of the book that hold Rust code: `cargo test` compiles and runs it.
/// `tests/book.rs` sees to it that no page is forgotten.
#[cfg(doctest)]
mod book {
    macro_rules! pages {
        ($($page:ident = $path:literal;)*) => { $(#[doc = include_str!($path)] struct $page;)* };
    }

    pages! {
        Readme = "../README.md";
        StructuredConcurrency = "../docs/src/design/structured-concurrency.md";
        ComingFromJoinSet = "../docs/src/guides/coming-from-joinset.md";
        TimeoutsAndCancellation = "../docs/src/guides/timeouts-and-cancellation.md";
    }
}
pub mod runtime;
pub mod scope;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

pub use runtime::sleep;
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub use scope::named;
pub use scope::{
    CancelScope, Cancelled, Child, Nursery, Started, TaskStatus, TooSlow, blocking, defer, fail_after,
    fail_at, move_on_after, move_on_at, nursery, parallel, run, supervisor,
};
