use wscope::proto::{Config, MessageDelivery};

#[test]
fn defaults_are_the_documented_ones() {
    let config = Config::default();
    assert_eq!(config, Config::new());
    assert_eq!((config.max_message_size, Config::MAX_MESSAGE_SIZE), (1 << 20, 1 << 20));
    assert_eq!((config.max_fragments, Config::MAX_FRAGMENTS), (131_072, 131_072));
    assert_eq!((config.max_empty_fragments, Config::MAX_EMPTY_FRAGMENTS), (1024, 1024));
    assert_eq!(config.delivery, MessageDelivery::Whole);
    assert!(config.answer_pings && config.answer_close);
}

#[test]
fn each_setter_changes_its_own_field() {
    let config = Config::new()
        .max_message_size(1)
        .max_fragments(2)
        .max_empty_fragments(3)
        .delivery(MessageDelivery::Pieces)
        .answer_pings(false)
        .answer_close(false);
    assert_eq!(
        format!("{config:?}"),
        "Config { max_message_size: 1, max_fragments: 2, max_empty_fragments: 3, delivery: Pieces, \
         answer_pings: false, answer_close: false }"
    );
}
