//! Limits.

use wscope::proto::HandshakeConfig;

#[test]
fn defaults_are_those_of_the_documentation() {
    let config = HandshakeConfig::new();
    let read = [config.max_head, config.max_line, config.max_header_lines, config.max_reject_body];
    assert_eq!(read, [16 * 1024, 8 * 1024, 100, 64 * 1024]);
}

#[test]
fn setters_set_what_they_name() {
    let config = HandshakeConfig::new().max_head(1).max_line(2).max_header_lines(3).max_reject_body(4);
    assert_eq!(
        [config.max_head, config.max_line, config.max_header_lines, config.max_reject_body],
        [1, 2, 3, 4]
    );
}
