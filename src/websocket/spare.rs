//! Buffers that a thread keeps while none of its connections needs them. So an idle connection has none, and a busy one finds
//! one that is large enough already, and in the cache.

use std::{cell::Cell, thread::LocalKey};

/// Where a thread keeps them: few, since each is one that a connection has grown.
pub(super) type Spares<T> = LocalKey<Cell<Vec<T>>>;

/// One that was given back, or a new one.
pub(super) fn take<T: Default>(spares: &'static Spares<T>) -> T {
    change(spares, Vec::pop).flatten().unwrap_or_default()
}

/// Keeps an empty buffer for the next who takes one, if there is a place for it.
pub(super) fn give_back<T>(spares: &'static Spares<T>, buffer: T) {
    change(spares, |kept| {
        if kept.len() < MOST {
            kept.push(buffer);
        }
    });
}

/// On a thread that ends there is nothing to change.
fn change<T, R>(spares: &'static Spares<T>, act: impl FnOnce(&mut Vec<T>) -> R) -> Option<R> {
    spares
        .try_with(|place| {
            let mut kept = place.take();
            let outcome = act(&mut kept);
            place.set(kept);
            outcome
        })
        .ok()
}

/// A connection has two under way, what is being written and what is queued; a WebSocket inside a WebSocket has two more.
const MOST: usize = 4;
