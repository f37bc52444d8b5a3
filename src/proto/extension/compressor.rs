//! Compression of what we send (RFC 7692 §7.2.1).

use super::{OutboundTransform, pool::Kind};
use flate2::{Compress, FlushCompress};
use std::fmt;

/// The sending direction of one connection.
pub(super) struct Compressor {
    kind: Kind,
    takeover: bool,
    /// Shorter messages go out plain.
    threshold: usize,
    /// Made when it is first needed. With takeover it stays; without, it goes at the end of each message.
    stream: Option<Compress>,
}

impl Compressor {
    pub(super) const fn new(kind: Kind, takeover: bool, threshold: usize) -> Self {
        Self { kind, takeover, threshold, stream: None }
    }

    /// Compresses `payload` and flushes, so that what a fragment holds can be read when it comes; the octets of the flush
    /// stay. At the end of a message without takeover the flush also forgets it, which costs less than to begin anew.
    fn compress(&mut self, mut payload: &[u8], last: bool, output: &mut Vec<u8>) {
        let Self { kind, takeover, stream, .. } = self;
        let stream = stream.get_or_insert_with(|| if *takeover { kind.make() } else { kind.take() });
        let flush = if last && !*takeover { FlushCompress::Full } else { FlushCompress::Sync };
        loop {
            output.reserve(payload.len() / 2 + SPARE);
            let before = stream.total_in();
            // The one error is that of a stream which was never set up.
            stream.compress_vec(payload, output, flush).expect("a compressor that was set up");
            payload = &payload[(stream.total_in() - before) as usize..];
            if payload.is_empty() && output.len() < output.capacity() {
                return;
            }
        }
    }

    /// The message is over, and forgotten where it must be.
    fn end(&mut self) {
        if !self.takeover
            && let Some(stream) = self.stream.take()
        {
            self.kind.give(stream);
        }
    }
}

impl OutboundTransform for Compressor {
    fn wants(&self, len: usize) -> bool {
        len > 0 && len >= self.threshold
    }

    /// The peer's window holds more than ours then, which is no harm: we point back less far.
    fn discard(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.reset();
        }
        self.end();
    }

    fn transform(&mut self, payload: &[u8], first: bool, last: bool, output: &mut Vec<u8>) -> bool {
        let (whole, start) = (first && last, output.len());
        // How long a message in fragments becomes, its first one does not tell.
        if whole && !self.wants(payload.len()) {
            return false;
        }
        if last && payload.is_empty() {
            output.push(0); // the fragment before ended with a flush: an empty block (RFC 7692 §7.2.3.6)
            if !self.takeover {
                self.discard(); // that flush forgot nothing
            }
            return true;
        }
        self.compress(payload, last, output);
        if !last {
            return true;
        }
        output.truncate(output.len() - TAIL.len());
        self.end();
        // With takeover the message is in the window already, and later ones will point at it; unless it is all that is in there.
        let kept = self.takeover && payload.len() < 1 << self.kind.window_bits;
        let pays = kept || !whole || output.len() - start < payload.len();
        if !pays {
            output.truncate(start);
            self.discard();
        }
        pays
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("kind", &self.kind)
            .field("takeover", &self.takeover)
            .field("threshold", &self.threshold)
            .finish_non_exhaustive()
    }
}

/// Sends everything plain, which is always allowed: for a window that zlib-rs cannot keep to.
#[derive(Debug)]
pub(super) struct Plain;

impl OutboundTransform for Plain {
    fn wants(&self, _: usize) -> bool {
        false
    }

    fn transform(&mut self, _: &[u8], _: bool, _: bool, _: &mut Vec<u8>) -> bool {
        false
    }
}

/// What a flush ends with, and a message leaves out (RFC 7692 §7.2.1).
pub(super) const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Room for what a flush adds, and for a message that does not shrink by half.
const SPARE: usize = 64;
