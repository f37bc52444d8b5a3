//! Incremental UTF-8 against `str::from_utf8`.

use crate::cases;
use proptest::{collection::vec, prelude::*, sample::Index};
use std::str;
use wscope::proto::{InvalidUtf8, Utf8Validator};

/// Texts and no texts: every form of RFC 3629 §4 at its borders, and what it forbids next to them.
const CORPUS: [&[u8]; 34] = [
    b"",
    b"plain",
    "grüße, κόσμε, 你好, 🦀".as_bytes(),
    "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}".as_bytes(),
    "\u{d7ff}\u{e000}\u{fffd}\u{feff}\0".as_bytes(),
    b"\x80",                         // a continuation of nothing
    b"a\xBFb",                       // the same, inside
    b"\xC0\x80",                     // overlong, two bytes
    b"\xC1\xBF",                     // overlong, the largest of two
    b"\xC2",                         // cut
    b"\xC2\x7F",                     // no continuation
    b"\xC2\xC0",                     // no continuation, from above
    b"\xDF\xBF",                     // the largest of two bytes
    b"\xE0\x80\x80",                 // overlong, three bytes
    b"\xE0\x9F\xBF",                 // overlong, the largest of three
    b"\xE0\xA0\x80",                 // the smallest of three bytes
    b"\xE2\x82",                     // cut
    b"\xE2\x82\x28",                 // no continuation at the end
    b"\xED\x9F\xBF",                 // just below the surrogates
    b"\xED\xA0\x80",                 // the first surrogate
    b"\xED\xBF\xBF",                 // the last surrogate
    b"\xEE\x80\x80",                 // just above
    b"\xF0\x80\x80\x80",             // overlong, four bytes
    b"\xF0\x8F\xBF\xBF",             // overlong, the largest of four
    b"\xF0\x90\x80\x80",             // the smallest of four bytes
    b"\xF0\x9F\xA6",                 // cut
    b"\xF0\x9F\xA6\xC0",             // no continuation at the end
    b"\xF4\x8F\xBF\xBF",             // U+10FFFF
    b"\xF4\x90\x80\x80",             // above U+10FFFF
    b"\xF5\x80\x80\x80",             // far above
    b"\xF8\x88\x80\x80\x80",         // five bytes
    b"\xFC\x84\x80\x80\x80\x80",     // six bytes
    b"\xFE\xFF",                     // never in UTF-8
    b"a long text before the fault, long enough for vector instructions, \xE2\x82\xAC\xE2\x82\xAC then \xED\xA0",
];

/// Feeds pieces to a validator and compares each answer with what the standard library says of all bytes so far: text
/// grows by whole characters, and an error comes with the first piece after which no continuation is valid.
fn judge(pieces: &[&[u8]]) {
    let (mut utf8, mut text, mut all) = (Utf8Validator::new(), String::new(), Vec::new());
    for piece in pieces {
        all.extend_from_slice(piece);
        let (answer, expected) = (utf8.push(piece, &mut text), str::from_utf8(&all));
        let lost = expected.err().and_then(|error| error.error_len()).is_some();
        assert_eq!(answer.is_err(), lost, "{:?} of {pieces:02X?}", all.escape_ascii().to_string());
        if lost {
            assert_eq!(answer, Err(InvalidUtf8::new()));
            return;
        }
        let valid = expected.map_or_else(|error| error.valid_up_to(), str::len);
        assert_eq!(text.as_bytes(), &all[..valid], "whole characters of {pieces:02X?}");
        assert_eq!(utf8.finish().is_ok(), expected.is_ok(), "the end of {pieces:02X?}");
    }
}

#[test]
fn judges_as_the_standard_library_at_every_cut() {
    for text in CORPUS {
        judge(&[text]);
        judge(&text.iter().map(std::slice::from_ref).collect::<Vec<_>>());
        for first in 0..=text.len() {
            for second in first..=text.len() {
                judge(&[&text[..first], &text[first..second], &text[second..]]);
            }
        }
    }
}

#[test]
fn judges_every_form_of_four_bytes_byte_by_byte() {
    // Each class of byte by its borders: all that any rule of RFC 3629 §4 can tell apart.
    let bytes = [
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
        0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ];
    for text in (0..bytes.len().pow(4)).map(|n| [n / 13_824, n / 576, n / 24, n].map(|n| bytes[n % 24])) {
        let [a, b, c, d] = &text;
        judge(&[&[*a], &[*b], &[*c], &[*d]]);
        judge(&[&[*a, *b], &[*c, *d]]);
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn judges_random_bytes_as_the_standard_library(
        bytes in prop_oneof![
            vec(any::<u8>(), 0..8),
            vec(0x80_u8.., 0..8),
            (".{0,100}", vec(any::<u8>(), 0..4)).prop_map(|(text, end)| [text.as_bytes(), &end].concat()),
        ],
        cuts in vec(any::<Index>(), 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        judge(&cuts.windows(2).map(|piece| &bytes[piece[0]..piece[1]]).collect::<Vec<_>>());
    }
}
