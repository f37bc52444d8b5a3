//! WebSocket URIs.

use proptest::prelude::*;
use wscope::proto::{UriError, WebSocketUri};

fn parse(text: &str) -> Result<WebSocketUri, UriError> {
    text.parse()
}

/// The credentials of a URI as `user:password`.
fn credentials(text: &str) -> Option<String> {
    let uri = parse(text).unwrap();
    let value = uri.authorization()?;
    assert!(value.is_sensitive());
    let encoded = value.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
    Some(String::from_utf8(data_encoding::BASE64.decode(encoded.as_bytes()).unwrap()).unwrap())
}

#[test] // RFC 6455 §3
fn uri_names_host_port_and_target() {
    for (text, secure, host, port, target, host_header) in [
        ("ws://example.com", false, "example.com", 80, "/", "example.com"),
        ("wss://example.com", true, "example.com", 443, "/", "example.com"),
        ("WSS://EXAMPLE.com/A", true, "example.com", 443, "/A", "example.com"),
        ("ws://h:80/x", false, "h", 80, "/x", "h"),
        ("ws://h:443/x", false, "h", 443, "/x", "h:443"),
        ("wss://h:80/x", true, "h", 80, "/x", "h:80"),
        ("wss://h:443/x", true, "h", 443, "/x", "h"),
        ("ws://h:65535", false, "h", 65535, "/", "h:65535"),
        ("ws://h:/x", false, "h", 80, "/x", "h"),
        ("ws://h:0081/x", false, "h", 81, "/x", "h:81"),
        ("ws://127.0.0.1:8000/", false, "127.0.0.1", 8000, "/", "127.0.0.1:8000"),
        ("ws://[::1]/x", false, "::1", 80, "/x", "[::1]"),
        ("ws://[2001:DB8::1]:9/x", false, "2001:db8::1", 9, "/x", "[2001:db8::1]:9"),
        ("wss://[::ffff:1.2.3.4]:443", true, "::ffff:1.2.3.4", 443, "/", "[::ffff:1.2.3.4]"),
        ("ws://h?a=b", false, "h", 80, "/?a=b", "h"),
        ("ws://h/?a=b&c=%20", false, "h", 80, "/?a=b&c=%20", "h"),
        ("ws://h/a?b?c/d@e:f", false, "h", 80, "/a?b?c/d@e:f", "h"),
        ("ws://h//double//slash", false, "h", 80, "//double//slash", "h"),
        ("ws://h/%E8%8A%9D", false, "h", 80, "/%E8%8A%9D", "h"),
        ("ws://h/芝?q=é", false, "h", 80, "/%E8%8A%9D?q=%C3%A9", "h"),
        ("ws://my_host.local/", false, "my_host.local", 80, "/", "my_host.local"),
    ] {
        let uri = parse(text).unwrap();
        let read = (uri.secure(), uri.host(), uri.port(), uri.target());
        assert_eq!(read, (secure, host, port, target), "{text}");
        assert_eq!(uri.host_header(), host_header, "{text}");
        assert_eq!(parse(&uri.to_string()).unwrap(), uri, "{text} prints as {uri}");
    }
}

#[test]
fn uri_refuses_what_cannot_be_connected_to_or_asked_for() {
    for (text, error) in [
        ("", UriError::MissingScheme),
        ("example.com", UriError::MissingScheme),
        ("ws:example.com", UriError::MissingScheme),
        ("ann:secret@://h", UriError::MissingScheme),
        ("://h", UriError::MissingScheme),
        ("averyveryverylongscheme://h", UriError::MissingScheme),
        ("http://h/", UriError::UnsupportedScheme { scheme: "http".into() }),
        ("ws://h/#", UriError::Fragment),
        ("ws://h/a?b#c", UriError::Fragment),
        ("ws://h#c", UriError::Fragment),
        ("ws://", UriError::MissingHost),
        ("ws:///path", UriError::MissingHost),
        ("ws://:80/", UriError::MissingHost),
        ("ws://ann@/", UriError::MissingHost),
        ("ws://芝士汉堡/", UriError::NonAsciiHost),
        ("ws://a b/", UriError::InvalidHost),
        ("ws://a\r\nb/", UriError::InvalidHost),
        ("ws://a%2Fb/", UriError::InvalidHost),
        ("ws://a\\b/", UriError::InvalidHost),
        ("ws://[::1/", UriError::InvalidHost),
        ("ws://[::1]80/", UriError::InvalidHost),
        ("ws://[]/", UriError::InvalidHost),
        ("ws://[v1.x]/", UriError::InvalidHost),
        ("ws://[fe80::1%25eth0]/", UriError::InvalidHost),
        ("ws://::1/", UriError::MissingHost),
        ("ws://h:0/", UriError::InvalidPort),
        ("ws://h:65536/", UriError::InvalidPort),
        ("ws://h:+80/", UriError::InvalidPort),
        ("ws://h:80:80/", UriError::InvalidPort),
        ("ws://h:eighty/", UriError::InvalidPort),
        ("ws://h:99999999999999999999/", UriError::InvalidPort),
        ("ws://a%3Ab@h/", UriError::InvalidUserinfo),
        ("ws://a:b%0D%0AEvil@h/", UriError::InvalidUserinfo),
        ("ws://a\u{7f}@h/", UriError::InvalidUserinfo),
        ("ws://h/a b", UriError::InvalidTarget),
        ("ws://h/a\r\nEvil: yes", UriError::InvalidTarget),
        ("ws://h/\0", UriError::InvalidTarget),
        ("ws://h/?\t", UriError::InvalidTarget),
    ] {
        assert_eq!(parse(text), Err(error), "{text:?}");
    }
    let long = format!("ws://h/{}", "x".repeat(70_000));
    assert_eq!(parse(&long), Err(UriError::InvalidTarget));
}

#[test]
fn uri_is_put_together_of_parts() {
    let new = |host, port, target| WebSocketUri::new(true, host, port, target).map(|uri| uri.to_string());
    assert_eq!(new("H.example", 443, "").unwrap(), "wss://h.example/");
    assert_eq!(new("[::1]", 8000, "?q").unwrap(), "wss://[::1]:8000/?q");
    assert_eq!(new("::1", 8000, "/é").unwrap(), "wss://[::1]:8000/%C3%A9");
    for (host, port, target, error) in [
        ("", 1, "/", UriError::MissingHost),
        ("h:80", 1, "/", UriError::InvalidHost),
        ("[h]", 1, "/", UriError::InvalidHost),
        ("user@h", 1, "/", UriError::InvalidHost),
        ("h", 0, "/", UriError::InvalidPort),
        ("h", 1, "chat", UriError::InvalidTarget),
        ("h", 1, "*", UriError::InvalidTarget),
        ("h", 1, "/#x", UriError::Fragment),
    ] {
        assert_eq!(new(host, port, target), Err(error), "{host:?} {port} {target:?}");
    }
}

#[test]
fn uri_converts_from_text_of_any_kind() {
    let uri = parse("ws://h/").unwrap();
    assert_eq!(WebSocketUri::try_from("ws://h/").as_ref(), Ok(&uri));
    assert_eq!(WebSocketUri::try_from("ws://h/".to_owned()).as_ref(), Ok(&uri));
}

#[test] // RFC 7617 §2
fn userinfo_becomes_basic_auth() {
    for (text, expected) in [
        ("ws://h/", None),
        ("ws://@h/", None),
        ("ws://ann:secret@h/", Some("ann:secret")),
        ("ws://ann@h/", Some("ann:")),
        ("ws://:secret@h/", Some(":secret")),
        ("ws://ann:a:b@h/", Some("ann:a:b")),
        ("ws://ann:a@b@h/", Some("ann:a@b")),
        ("ws://ann:%40%2F%23@h/", Some("ann:@/#")),
        ("ws://ann:%E2%82%AC%zz@h/", Some("ann:€%zz")),
        ("ws://änn:ß@h/", Some("änn:ß")),
    ] {
        assert_eq!(credentials(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn secrets_of_a_uri_are_never_printed() {
    let uri = parse("ws://ann:s3cret@h/path?token=t0ken").unwrap();
    assert_eq!(uri.to_string(), "ws://h/path?token=t0ken");
    assert_eq!(format!("{uri:?}"), "WebSocketUri(\"ws://h/path?...\")");
    for text in [
        "ann:s3cret@://h",
        "s3cret@h://",
        "ws://ann:s3cret@h:port/",
        "ws://ann:s3cret@h:99999/",
        "ws://ann:s3cret@[h/",
        "ws://ann:s3cret@ü/",
        "ws://ann:s3cret@h/#",
        "ws://ann:s3cret@h/ ",
        "ws://ann:s3cret/x@h/",
        "ws://ann%3A:s3cret@h/",
        "http2s3cretvery-long-scheme://h",
    ] {
        let error = parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{text}: {error:?}");
    }
}

proptest! {
    #[test]
    fn any_text_parses_or_fails_and_what_parses_is_safe_to_send(text in "(wss?://)?[a-z:@/?#\\[\\]%. \r\né0-9]{0,30}") {
        if let Ok(uri) = parse(&text) {
            let sent = format!("{}{}", uri.target(), uri.host_header());
            prop_assert!(sent.bytes().all(|byte| byte.is_ascii_graphic()), "{sent:?}");
            prop_assert!(uri.target().starts_with('/'));
            prop_assert_eq!(parse(&uri.to_string()).unwrap().to_string(), uri.to_string());
        }
    }
}
