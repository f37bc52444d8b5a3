//! Decompression of what the peer sends, in bounded steps (RFC 7692 §7.2.2).

use super::{BrokenStream, InboundTransform, Step, compressor::TAIL, pool};
use flate2::{Decompress, FlushDecompress, Status};
use std::fmt;

/// The receiving direction of one connection.
pub(super) struct Decompressor {
    takeover: bool,
    /// Made when it is first needed. With takeover it stays; without, it goes at the end of each message.
    stream: Option<Decompress>,
    /// Something was fed since the message began, or since the last final block of it.
    fed: bool,
    /// What is still to be fed after the last byte of the message.
    tail: Option<&'static [u8]>,
}

impl Decompressor {
    pub(super) const fn new(takeover: bool) -> Self {
        Self { takeover, stream: None, fed: false, tail: None }
    }

    fn inflate(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        mut room: usize,
    ) -> Result<Step, BrokenStream> {
        let Self { takeover, stream, fed, .. } = self;
        let stream =
            stream.get_or_insert_with(|| if *takeover { pool::inflater() } else { pool::take_inflater() });
        while room > 0 {
            let (start, mut now) = (output.len(), room.min(expected(input.len())));
            let before = (stream.total_in(), stream.total_out());
            if start == 0 {
                output.reserve_exact(now);
            } else {
                output.reserve(now);
            }
            let spare = output.capacity() - start;
            let status = if spare <= room {
                now = spare;
                stream.decompress_vec(input, output, FlushDecompress::None)
            } else {
                output.resize(start + now, 0); // its spare capacity is more than may be filled
                stream.decompress(input, &mut output[start..], FlushDecompress::None)
            };
            let used = (stream.total_in() - before.0) as usize;
            let made = (stream.total_out() - before.1) as usize;
            output.truncate(start + made);
            *input = &input[used..];
            *fed |= used > 0;
            room -= made;
            match status {
                Ok(Status::StreamEnd) => {
                    // A final block ends a stream, and with it the window; another may begin (RFC 7692 §7.2.3.4).
                    stream.reset(false);
                    *fed = false;
                    if input.is_empty() {
                        return Ok(Step::Done);
                    }
                }
                Ok(Status::Ok | Status::BufError) if made == now => {} // there may be more
                Ok(Status::Ok | Status::BufError) if input.is_empty() => return Ok(Step::Done),
                Ok(Status::Ok | Status::BufError) if used > 0 || made > 0 => {}
                Ok(Status::Ok | Status::BufError) | Err(_) => return Err(BrokenStream::new()),
            }
        }
        Ok(Step::Full)
    }

    /// What ends the message. Where no later message depends on the stream, a final block shows whether this one is complete.
    const fn ending(&self) -> &'static [u8] {
        match (self.fed, self.takeover) {
            (false, _) => &[], // an empty payload, or a final block was the last: nothing is open
            (true, true) => &TAIL,
            (true, false) => &TAIL_AND_END,
        }
    }
}

impl InboundTransform for Decompressor {
    fn transform(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<Step, BrokenStream> {
        self.inflate(input, output, room)
    }

    fn finish(&mut self, output: &mut Vec<u8>, room: usize) -> Result<Step, BrokenStream> {
        let mut tail = self.tail.take().unwrap_or_else(|| self.ending());
        let step = self.inflate(&mut tail, output, room)?;
        match step {
            Step::Full => self.tail = Some(tail),
            Step::Done if self.takeover => self.fed = false,
            Step::Done if self.fed => return Err(BrokenStream::new()),
            // Its final block has ended the stream, and made it as new.
            Step::Done => {
                if let Some(stream) = self.stream.take() {
                    pool::give_inflater(stream);
                }
            }
        }
        Ok(step)
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").field("takeover", &self.takeover).finish_non_exhaustive()
    }
}

/// How many bytes to make room for at a time.
const fn expected(compressed: usize) -> usize {
    let expected = compressed.saturating_mul(4);
    if expected < LEAST_STEP { LEAST_STEP } else { expected }
}

/// [`TAIL`], and an empty final block.
const TAIL_AND_END: [u8; 9] = [0x00, 0x00, 0xFF, 0xFF, 0x01, 0x00, 0x00, 0xFF, 0xFF];

/// A little for text in tiny fragments; a step is cleared before it is filled.
const LEAST_STEP: usize = 256;
