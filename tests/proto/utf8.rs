use wscope::proto::{InvalidUtf8, Utf8Validator};

const VALID: [&[u8]; 8] = [
    b"",
    b"ascii",
    "κόσμε".as_bytes(),
    "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}".as_bytes(),
    "\u{d7ff}\u{e000}".as_bytes(),
    "🦀🦀".as_bytes(),
    "a long text that takes the vectorised way: κόσμε, grüße, 🦀, and so on and on and on and on".as_bytes(),
    "the cut is in the last character of a long text, one of four bytes: ............... 🦀".as_bytes(),
];

/// Text that is wrong, and the number of bytes after which nothing can mend it.
const INVALID: [(&[u8], usize); 14] = [
    (b"\x80", 1), // a continuation without a start
    (b"ok\xBF", 3),
    (b"\xC0\xAF", 1), // overlong
    (b"\xC1\xBF", 1),
    (b"\xE0\x80\x80", 2),
    (b"\xF0\x80\x80\x80", 2),
    (b"\xED\xA0\x80", 2), // a surrogate
    (b"\xED\xBF\xBF", 2),
    (b"\xF4\x90\x80\x80", 2), // above U+10FFFF
    (b"\xF5\x80\x80\x80", 1),
    (b"\xFE", 1),
    (b"\xFF", 1),
    (b"\xC3\x28", 2), // a start without its continuation
    (b"\xF0\x9F\xA6\x28", 4),
];

#[test] // RFC 6455 §8.1
fn valid_text_passes_at_every_pair_of_cuts() {
    for bytes in VALID {
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let (mut utf8, mut text) = (Utf8Validator::new(), String::new());
                for piece in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                    utf8.push(piece, &mut text).unwrap();
                }
                utf8.finish().unwrap();
                assert_eq!(text.as_bytes(), bytes);
            }
        }
    }
}

#[test]
fn invalid_text_fails_with_the_byte_that_breaks_it() {
    for (bytes, broken_at) in INVALID {
        for prefix in
            ["", "a", "a prefix so long that the vectorised validator is the one to find the fault in it"]
        {
            let whole = [prefix.as_bytes(), bytes].concat();
            let mut text = String::new();
            assert_eq!(Utf8Validator::new().push(&whole, &mut text), Err(InvalidUtf8::new()));

            let (mut utf8, mut text) = (Utf8Validator::new(), String::new());
            let fails = whole.iter().position(|byte| utf8.push(&[*byte], &mut text).is_err());
            assert_eq!(fails, Some(prefix.len() + broken_at - 1), "{bytes:x?}");
        }
    }
}

#[test]
fn a_text_that_ends_inside_a_character_is_invalid_at_its_end() {
    for cut in [&b"\xC3"[..], b"\xE2\x82", b"\xF0\x9F\xA6", b"text\xF0"] {
        let (mut utf8, mut text) = (Utf8Validator::new(), String::new());
        utf8.push(cut, &mut text).unwrap();
        utf8.push(b"", &mut text).unwrap();
        assert_eq!(utf8.finish(), Err(InvalidUtf8::default()));
    }
    assert_eq!(InvalidUtf8::new().to_string(), "the text is not valid UTF-8 (RFC 3629)");
}

#[test]
fn text_that_was_wrong_once_stays_wrong() {
    for (bytes, broken_at) in INVALID {
        let (mut utf8, mut text) = (Utf8Validator::new(), String::new());
        let (now, later) = bytes.split_at(broken_at - 1);
        utf8.push(now, &mut text).unwrap();
        for byte in later[..1].iter().chain(b"\x80\xBFnot a character more") {
            assert_eq!(utf8.push(&[*byte], &mut text), Err(InvalidUtf8::new()), "{bytes:x?}");
        }
        assert_eq!(utf8.push(b"nor a whole piece", &mut text), Err(InvalidUtf8::new()), "{bytes:x?}");
        assert_eq!(utf8.finish(), Err(InvalidUtf8::new()), "{bytes:x?}");
    }
}
