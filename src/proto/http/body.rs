//! The body of a refusal: how it ends (RFC 9112 §6.3), and no more of it than the caller wants to keep.
//!
//! Memory: what one call hands out, at most the limit, and one line that announces a chunk. The number of chunks is not
//! bounded, only what they hold: a server that dribbles is the caller's deadline to end.

use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use std::mem;

/// Takes a body apart from its framing and bounds it. A body that is longer, ends early or is framed wrongly ends as
/// truncated: a refusal is a refusal, whatever its body looks like.
#[derive(Debug)]
pub(crate) struct BodyReader {
    framing: Framing,
    /// Bytes that may still be handed out.
    room: usize,
    truncated: bool,
}

/// What comes next.
#[derive(Debug)]
enum Framing {
    /// Nothing: the body is complete.
    Done,
    /// So many bytes of the body.
    Length(u64),
    /// The body, until the connection ends.
    UntilEof,
    /// The line that says how long the next chunk is; what has come of it, at most [`MAX_CHUNK_LINE`] bytes.
    ChunkSize(Vec<u8>),
    /// So many bytes of a chunk.
    Chunk(u64),
    /// The rest of the CR LF behind a chunk.
    ChunkEnd(&'static [u8]),
}

impl BodyReader {
    /// The body of a response with this head, of which at most `limit` bytes are handed out.
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, limit: usize) -> Self {
        Self { framing: Framing::of(status, headers), room: limit, truncated: false }
    }

    /// Whether the body is complete, or as complete as it will get.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.framing, Framing::Done)
    }

    /// Whether bytes of the body were dropped or never came.
    pub(crate) const fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Takes all of `input` and gives back what belongs to the body. Bytes behind the body are dropped: the connection
    /// ends with it.
    pub(crate) fn read(&mut self, input: &mut &mut [u8]) -> Vec<u8> {
        let mut rest: &[u8] = mem::take::<&mut [u8]>(input);
        let mut data = Vec::new();
        while !rest.is_empty() {
            self.framing = match mem::replace(&mut self.framing, Framing::Done) {
                Framing::Done => break,
                Framing::Length(left) => match self.take(left, &mut rest, &mut data) {
                    Some(0) | None => Framing::Done,
                    Some(left) => Framing::Length(left),
                },
                // No end is known: as if so much were to come that no connection carries it.
                Framing::UntilEof => match self.take(u64::MAX, &mut rest, &mut data) {
                    Some(_) => Framing::UntilEof,
                    None => Framing::Done,
                },
                Framing::ChunkSize(line) => self.chunk_size(line, &mut rest),
                Framing::Chunk(left) => match self.take(left, &mut rest, &mut data) {
                    Some(0) => Framing::ChunkEnd(b"\r\n"),
                    Some(left) => Framing::Chunk(left),
                    None => Framing::Done,
                },
                Framing::ChunkEnd(expected) => self.chunk_end(expected, &mut rest),
            };
        }
        data
    }

    /// The connection has ended, and with it the body.
    pub(crate) fn read_eof(&mut self) {
        match mem::replace(&mut self.framing, Framing::Done) {
            Framing::Done | Framing::UntilEof => {}
            Framing::Length(_) | Framing::ChunkSize(_) | Framing::Chunk(_) | Framing::ChunkEnd(_) => {
                self.truncated = true;
            }
        }
    }

    /// Moves at most `left` bytes to `data` and returns how many are still to come, or `None` when the limit cuts them.
    fn take(&mut self, left: u64, rest: &mut &[u8], data: &mut Vec<u8>) -> Option<u64> {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let (taken, behind) = rest.split_at(here);
        *rest = behind;
        let kept = here.min(self.room);
        data.extend_from_slice(&taken[..kept]);
        self.room -= kept;
        self.truncated = kept < here;
        // A usize fits a u64 on every platform that Rust has.
        (!self.truncated).then(|| left - here as u64)
    }

    /// Takes one byte of a chunk's size line.
    fn chunk_size(&mut self, mut line: Vec<u8>, rest: &mut &[u8]) -> Framing {
        let (byte, behind) = (rest[0], &rest[1..]);
        *rest = behind;
        // `httparse` would read a line without a digit as 0, the end of the body.
        if line.len() == MAX_CHUNK_LINE || (line.is_empty() && !byte.is_ascii_hexdigit()) {
            return self.broken();
        }
        line.push(byte);
        if byte != b'\n' {
            return Framing::ChunkSize(line);
        }
        match httparse::parse_chunk_size(&line) {
            // Trailers may follow, which nobody needs: the connection ends here.
            Ok(httparse::Status::Complete((_, 0))) => Framing::Done,
            Ok(httparse::Status::Complete((_, size))) => Framing::Chunk(size),
            Ok(httparse::Status::Partial) | Err(_) => self.broken(),
        }
    }

    /// Takes one byte of the CR LF behind a chunk.
    fn chunk_end(&mut self, expected: &'static [u8], rest: &mut &[u8]) -> Framing {
        let (Some((wanted, expected)), Some((byte, behind))) = (expected.split_first(), rest.split_first())
        else {
            return Framing::ChunkEnd(expected); // uncovered: the caller has seen a byte, and `expected` is not used up
        };
        if wanted != byte {
            return self.broken();
        }
        *rest = behind;
        if expected.is_empty() { Framing::ChunkSize(Vec::new()) } else { Framing::ChunkEnd(expected) }
    }

    /// The framing makes no sense from here on, so nothing that follows can be told from the body.
    const fn broken(&mut self) -> Framing {
        self.truncated = true;
        Framing::Done
    }
}

impl Framing {
    /// RFC 9112 §6.3. A length that is no number, or several that differ, tell nothing: then the end of the connection
    /// ends the body.
    fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        if status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Self::Done;
        }
        // A transfer coding overrides a length (RFC 9112 §6.3). Only `chunked`, as the last one, says where the body ends.
        if let Some(coding) = headers.get_all(TRANSFER_ENCODING).iter().next_back() {
            let last = coding.as_bytes().rsplit(|byte| *byte == b',').next().unwrap_or_default();
            return if last.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                Self::ChunkSize(Vec::new())
            } else {
                Self::UntilEof
            };
        }
        let mut lengths = headers
            .get_all(CONTENT_LENGTH)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(parse_length);
        match lengths.next() {
            Some(Some(length)) if lengths.all(|other| other == Some(length)) => {
                if length == 0 {
                    Self::Done
                } else {
                    Self::Length(length)
                }
            }
            Some(_) | None => Self::UntilEof,
        }
    }
}

/// `1*DIGIT` (RFC 9110 §8.6); a sign is not a digit.
fn parse_length(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

/// Longest line that announces a chunk: 16 digits and room for extensions.
const MAX_CHUNK_LINE: usize = 1024;
