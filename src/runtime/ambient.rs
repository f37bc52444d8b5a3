//! What is in force on this thread while a nursery, or a child of it, is polled there.
//!
//! A nursery enters its [`Ambient`] at the start of each poll and leaves it at the end, and so do its children on other
//! threads. So code far below finds, without a parameter, who adopts its clean-up, who runs its tasks and what time it is; and
//! since `Drop` runs during somebody's poll, "current" is always the innermost nursery that is still running.

use std::{cell::RefCell, sync::Arc};

use super::{Runtime, Sink};

/// Who adopts clean-ups, and which executor and clock are in force.
#[derive(Clone, Default)]
pub(crate) struct Ambient {
    /// `None` where no nursery is being polled.
    pub(crate) sink: Option<Arc<Sink>>,
    pub(crate) runtime: Runtime,
}

/// Makes `ambient` the current one until the guard is dropped.
pub(crate) fn enter(ambient: Ambient) -> Entered {
    Entered { outer: replace(ambient) }
}

/// Shows the current ambient to `look`, which must neither enter nor drop anything of a user's.
pub(crate) fn current<T>(look: impl Fn(&Ambient) -> T) -> T {
    match CURRENT.try_with(|current| look(&current.borrow())) {
        Ok(seen) => seen,
        Err(_gone) => look(&Ambient::default()), // a destructor of this thread's locals is asking
    }
}

/// Puts back what was current before.
pub(crate) struct Entered {
    outer: Ambient,
}

impl Entered {
    /// What was current before: that of the nursery around.
    pub(crate) fn outer(&self) -> &Ambient {
        &self.outer
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _inner = replace(std::mem::take(&mut self.outer));
    }
}

fn replace(ambient: Ambient) -> Ambient {
    let mut ambient = Some(ambient);
    let replaced = CURRENT.try_with(|current| current.replace(ambient.take().unwrap_or_default()));
    replaced.unwrap_or_default()
}

thread_local! {
    static CURRENT: RefCell<Ambient> = const { RefCell::new(Ambient { sink: None, runtime: Runtime::ASYNC_STD }) };
}
