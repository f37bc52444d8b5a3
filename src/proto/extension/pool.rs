//! Streams between two messages: a few idle ones a thread, which all connections without context takeover share.
//!
//! A message takes a stream when it begins and gives it back when it ends, on whatever thread that is. A connection holds
//! one only in the middle of a message, so what ten thousand of them cost is what their threads keep.

use flate2::{Compress, Compression, Decompress};
use std::cell::RefCell;

/// A compressor as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// 9 to 15.
    pub(super) window_bits: u8,
    /// 1 to 9.
    pub(super) level: u8,
}

impl Kind {
    /// A new compressor, of raw deflate.
    pub(super) fn make(self) -> Compress {
        Compress::new_with_window_bits(Compression::new(self.level.into()), false, self.window_bits)
    }

    /// An idle compressor of this kind, or a new one.
    pub(super) fn take(self) -> Compress {
        let idle = POOL.try_with(|pool| {
            let idle = &mut pool.borrow_mut().compressors;
            let at = idle.iter().position(|(kind, _)| *kind == self)?;
            Some(idle.swap_remove(at).1)
        });
        idle.ok().flatten().unwrap_or_else(|| self.make())
    }

    /// Keeps a compressor of this kind for the next message. It must have forgotten the one before.
    pub(super) fn give(self, compress: Compress) {
        // A thread that is ending keeps nothing.
        let _ = POOL.try_with(|pool| keep(&mut pool.borrow_mut().compressors, (self, compress)));
    }
}

/// A new inflater, of raw deflate. Its window is the largest, whatever was agreed on: zlib-rs sets aside the same memory for
/// each, and a peer that uses less fits in.
pub(super) fn inflater() -> Decompress {
    Decompress::new(false)
}

/// An idle inflater, or a new one.
pub(super) fn take_inflater() -> Decompress {
    let idle = POOL.try_with(|pool| pool.borrow_mut().inflaters.pop());
    idle.ok().flatten().unwrap_or_else(inflater)
}

/// Keeps an inflater for the next message. It must have forgotten the one before.
pub(super) fn give_inflater(inflater: Decompress) {
    let _ = POOL.try_with(|pool| keep(&mut pool.borrow_mut().inflaters, inflater));
}

/// Keeps `stream`, and lets the oldest go where there are enough.
fn keep<T>(idle: &mut Vec<T>, stream: T) {
    if idle.len() == MAX_IDLE {
        idle.remove(0);
    }
    idle.push(stream);
}

#[derive(Default)]
struct Pool {
    compressors: Vec<(Kind, Compress)>,
    inflaters: Vec<Decompress>,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// Idle streams of each direction that a thread keeps. One does while messages are sent whole and come in one read; a second
/// serves a message that came in between.
const MAX_IDLE: usize = 2;
