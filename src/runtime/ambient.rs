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

/// Who has an ambient. A child on the pool enters with a reference to itself, so that children of one nursery do not all count
/// on the same reference counter, on all threads at once.
pub(crate) trait Surrounded: Send + Sync {
    fn ambient(&self) -> &Ambient;
}

impl Surrounded for Ambient {
    fn ambient(&self) -> &Ambient {
        self
    }
}

type Current = Option<Arc<dyn Surrounded>>;

/// Makes the ambient of `inner` the current one until the guard is dropped.
pub(crate) fn enter(inner: Arc<dyn Surrounded>) -> Entered {
    Entered { outer: replace(Some(inner)), left: false }
}

/// Shows the current ambient to `look`, which must neither enter nor drop anything of a user's.
pub(crate) fn current<T>(look: impl Fn(&Ambient) -> T) -> T {
    let seen = CURRENT.try_with(|current| match &*current.borrow() {
        Some(inner) => look(inner.ambient()),
        None => look(&NOTHING),
    });
    // A destructor of this thread's locals may be asking.
    seen.unwrap_or_else(|_gone| look(&NOTHING))
}

/// Puts back what was current before.
pub(crate) struct Entered {
    outer: Current,
    left: bool,
}

impl Entered {
    /// Who adopts in the nursery around.
    pub(crate) fn outer_sink(&self) -> Option<&Arc<Sink>> {
        self.outer.as_ref().and_then(|outer| outer.ambient().sink.as_ref())
    }

    /// Leaves, and gives back what was entered: to be entered again, at no cost.
    pub(crate) fn leave(mut self) -> Current {
        self.left = true;
        replace(self.outer.take())
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if !self.left {
            drop(replace(self.outer.take()));
        }
    }
}

fn replace(new: Current) -> Current {
    let mut new = Some(new);
    CURRENT.try_with(|current| current.replace(new.take().flatten())).ok().flatten()
}

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(None) };
}

static NOTHING: Ambient = Ambient { sink: None, runtime: Runtime::ASYNC_STD };
