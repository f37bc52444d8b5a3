//! What sockets are read into: one buffer per thread, not one per connection.

use std::cell::Cell;

/// Bytes of one read.
pub(super) const LEN: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Lends the buffer to `read`. It is taken out of its place and put back, because a read may read: a WebSocket that runs inside the
/// byte view of another does.
pub(super) fn lend<R>(read: impl FnOnce(&mut [u8]) -> R) -> R {
    let mut scratch =
        SCRATCH.try_with(Cell::take).ok().flatten().unwrap_or_else(|| vec![0; LEN].into_boxed_slice());
    let outcome = read(&mut scratch);
    let _ = SCRATCH.try_with(|place| place.set(Some(scratch))); // on a thread that ends there is no place
    outcome
}
