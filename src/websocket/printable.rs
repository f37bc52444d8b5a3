//! A text of the peer inside of a text of ours: on one line, and without what would move the cursor of whoever prints it.

use std::fmt::{self, Write};

/// Shows `0` with control characters escaped, and no more than [`MAX_CHARS`] of it.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(MAX_CHARS) {
            if moves_the_cursor(character) {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        if characters.next().is_some() { f.write_str("..") } else { Ok(()) }
    }
}

/// Control characters, line ends, and what turns the direction of a line.
fn moves_the_cursor(character: char) -> bool {
    let turns =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns || matches!(character, '\u{2028}' | '\u{2029}')
}

/// More of a stranger's words helps nobody who reads a log. The fields of the error have all of them.
const MAX_CHARS: usize = 500;
