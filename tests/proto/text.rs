use bytes::Bytes;
use std::{collections::HashSet, ptr};
use wscope::proto::Text;

#[test]
fn text_is_made_of_text_and_reads_as_str() {
    const STATIC: Text = Text::from_static("grün");
    let at_run_time: fn(&'static str) -> Text = Text::from_static;
    for text in [Text::from("grün"), Text::from("grün".to_owned()), STATIC.clone(), at_run_time("grün")] {
        assert_eq!(text, *"grün");
        assert_eq!(text, "grün");
        assert_eq!(text.as_str(), "grün");
        assert_eq!(text.len(), 5);
        assert_eq!(AsRef::<str>::as_ref(&text), "grün");
        assert_eq!(AsRef::<[u8]>::as_ref(&text), "grün".as_bytes());
        assert_eq!(HashSet::from([text]), HashSet::from([STATIC]));
    }
    assert!(Text::default().is_empty());
    assert_eq!([Text::from("b"), Text::from("a")].iter().min(), Some(&Text::from("a")));
}

#[test]
fn text_of_bytes_must_be_utf8() {
    assert_eq!(Text::try_from(Bytes::from_static("ü".as_bytes())).unwrap(), "ü");
    assert_eq!(Text::try_from(Bytes::from_static(b"a\xFF")).unwrap_err().valid_up_to(), 1);
}

#[test]
fn clones_and_conversions_share_the_bytes() {
    let owned = "x".repeat(100);
    let at = owned.as_ptr();
    let text = Text::from(owned);
    assert!(ptr::eq(at, text.as_ptr()));
    assert!(ptr::eq(at, text.clone().as_ptr()));
    assert!(ptr::eq(at, Bytes::from(text).as_ptr()));
}

#[test]
fn text_prints_as_str_does() {
    let text = Text::from("a\n");
    assert_eq!(format!("{text}|{text:>4}|{text:?}"), "a\n|  a\n|\"a\\n\"");
}
