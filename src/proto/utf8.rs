//! UTF-8, checked as it arrives (RFC 6455 §8.1).
//!
//! Cost: O(bytes), never a rescan. State between pieces: the at most three bytes of a character that is not complete.

use std::str;

/// Checks text that comes in pieces cut anywhere, and fails at the first piece that cannot be continued to valid text.
///
/// ```
/// use wscope::proto::{InvalidUtf8, Utf8Validator};
///
/// let (mut utf8, mut text) = (Utf8Validator::new(), String::new());
/// utf8.push(b"gr\xC3", &mut text)?; // the first half of "ü"
/// assert_eq!(text, "gr");
/// utf8.push(b"\xBCn", &mut text)?;
/// assert_eq!(text, "grün");
/// utf8.finish()?;
/// assert_eq!(utf8.push(b"\xED\xA0", &mut text), Err(InvalidUtf8::new())); // would become a surrogate
/// # Ok::<(), InvalidUtf8>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8Validator {
    /// An incomplete character, of which only `len` bytes count.
    partial: [u8; 4],
    len: usize,
}

impl Utf8Validator {
    /// Most bytes of an incomplete character.
    pub(super) const MAX_PARTIAL: usize = 3;

    /// A validator at the start of a text.
    #[must_use]
    pub const fn new() -> Self {
        Self { partial: [0; 4], len: 0 }
    }

    /// Checks the next piece and appends to `text` all characters that are complete now.
    ///
    /// # Errors
    /// [`InvalidUtf8`] when no continuation can make the text valid, and from then on for whatever follows. `text` may
    /// have grown by then.
    pub fn push(&mut self, mut piece: &[u8], text: &mut String) -> Result<(), InvalidUtf8> {
        while self.len > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
            piece = rest;
            self.partial[self.len] = byte;
            self.len += 1;
            match str::from_utf8(&self.partial[..self.len]) {
                Ok(character) => {
                    text.push_str(character);
                    self.len = 0;
                }
                // At most four bytes: a sequence that long is complete or wrong.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(self.fail()),
            }
        }
        let (complete, partial) = piece.split_at(complete_len(piece));
        text.push_str(validate(complete).map_err(|_| self.fail())?);
        if str::from_utf8(partial).is_err_and(|error| error.error_len().is_some()) {
            return Err(self.fail());
        }
        self.partial[..partial.len()].copy_from_slice(partial);
        self.len = partial.len();
        Ok(())
    }

    /// The text is over.
    ///
    /// # Errors
    /// [`InvalidUtf8`] when it ends inside a character.
    pub const fn finish(&self) -> Result<(), InvalidUtf8> {
        if self.len == 0 { Ok(()) } else { Err(InvalidUtf8::new()) }
    }

    /// Goes on as after a byte that no character begins with: nothing that follows is valid, nor is the end.
    const fn fail(&mut self) -> InvalidUtf8 {
        *self = Self { partial: [0xFF, 0, 0, 0], len: 1 };
        InvalidUtf8::new()
    }
}

/// Checks a whole text.
pub(super) fn validate(bytes: &[u8]) -> Result<&str, InvalidUtf8> {
    if bytes.len() < SIMD_FROM {
        str::from_utf8(bytes).map_err(|_| InvalidUtf8::new())
    } else {
        simdutf8::basic::from_utf8(bytes).map_err(|_| InvalidUtf8::new())
    }
}

/// Where the incomplete character at the end of `piece` begins; `piece.len()` when there is none.
fn complete_len(piece: &[u8]) -> usize {
    for (back, &byte) in piece.iter().rev().take(3).enumerate() {
        let needed = match byte {
            0x80..=0xBF => continue,
            0x00..=0x7F => 1,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
        };
        return if back + 1 < needed { piece.len() - back - 1 } else { piece.len() };
    }
    piece.len()
}

/// From this length up the vectorised validator wins; below, its set-up costs more than it saves.
const SIMD_FROM: usize = 64;

/// Text that is not UTF-8, and that no further bytes can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is not valid UTF-8 (RFC 3629)")]
#[non_exhaustive]
pub struct InvalidUtf8;

impl InvalidUtf8 {
    /// The fault.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Default for InvalidUtf8 {
    fn default() -> Self {
        Self::new()
    }
}
