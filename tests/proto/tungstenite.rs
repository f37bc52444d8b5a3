//! Conversions to and from the messages of tungstenite.

use bytes::Bytes;
use tungstenite::{Message as Theirs, Utf8Bytes};
use wscope::proto::{Message, Text};

#[test]
fn data_goes_over_and_comes_back_without_a_copy() {
    let text = Text::from(String::from("grüße"));
    let theirs = Theirs::from(Message::Text(text.clone()));
    assert_eq!(theirs, Theirs::text("grüße"));
    assert_eq!(theirs.to_text().unwrap().as_ptr(), text.as_ptr());
    assert_eq!(Message::try_from(theirs), Ok(Message::Text(text.clone())));
    assert_eq!(Text::from(Utf8Bytes::from(text.clone())), text);

    let bytes = Bytes::from(vec![1, 2, 3]);
    let theirs = Theirs::from(Message::Binary(bytes.clone()));
    assert_eq!(theirs, Theirs::binary(bytes.clone()));
    assert_eq!(Message::try_from(theirs), Ok(Message::Binary(bytes)));
}

#[test]
fn what_is_no_message_is_given_back() {
    for theirs in [Theirs::Ping(Bytes::new()), Theirs::Pong(Bytes::from_static(b"x")), Theirs::Close(None)] {
        assert_eq!(Message::try_from(theirs.clone()), Err(theirs));
    }
}
