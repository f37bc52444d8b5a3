//! Requests, as a client builds them.

use super::{TOY, Toy, uri};
use wscope::proto::{HeaderError, ListError, MAX_ELEMENTS, Request, WebSocketUri};

fn to(text: &str) -> Request {
    Request::to(&text.parse::<WebSocketUri>().unwrap())
}

#[test]
fn request_names_what_the_uri_names() {
    for (text, host, target, path, query) in [
        ("ws://h", "h", "/", "/", None),
        ("ws://h:81/a/b?c=d?e", "h:81", "/a/b?c=d?e", "/a/b", Some("c=d?e")),
        ("wss://[::1]/?", "[::1]", "/?", "/", Some("")),
    ] {
        let request = to(text);
        let read = (request.host(), request.target(), request.path(), request.query());
        assert_eq!(read, (host, target, path, query), "{text}");
    }
}

#[test] // RFC 7617 §2
fn userinfo_becomes_the_authorization_header_unless_one_is_given() {
    assert_eq!(to("ws://a:b@h").headers()["authorization"], "Basic YTpi");
    let given = to("ws://a:b@h").with_header("Authorization", "Bearer x").unwrap();
    assert!(given.headers().get_all("authorization").iter().eq(["Bearer x"]));
    assert!(to("ws://h").headers().is_empty());
}

#[test]
fn request_takes_headers_as_often_as_they_are_added() {
    let request = to("ws://h").with_header("X-A", "1").unwrap().with_header("x-a", "2").unwrap();
    assert!(request.headers().get_all("x-a").iter().eq(["1", "2"]));
}

#[test] // a doubled header would be read in two ways
fn request_refuses_headers_that_the_handshake_writes() {
    for name in [
        "Host",
        "Connection",
        "Upgrade",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Accept",
        "Content-Length",
        "Transfer-Encoding",
    ] {
        let error = to("ws://h").with_header(name, "x").unwrap_err();
        assert!(
            matches!(&error, HeaderError::Reserved { name: found } if found.as_str() == name.to_lowercase()),
            "{error:?}"
        );
        assert!(error.to_string().ends_with("is written by the handshake itself"));
    }
}

#[test]
fn request_cannot_hold_line_breaks_or_control_characters() {
    for text in ["a\r\nEvil: yes", "a\nb", "a\rb", "a\0b", "\x7f"] {
        assert_eq!(to("ws://h").with_header(text, "x").unwrap_err(), HeaderError::InvalidName);
        let error = to("ws://h").with_header("x", text).unwrap_err();
        assert!(matches!(error, HeaderError::InvalidValue { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("Evil"));
        let error = to("ws://h").with_subprotocols([text]).unwrap_err();
        assert_eq!(error, ListError::NotAToken { index: 0 });
    }
    assert_eq!(to("ws://h").with_header("", "x").unwrap_err(), HeaderError::InvalidName);
}

#[test]
fn request_bounds_its_headers() {
    let limit = HeaderError::MAX_HEADERS;
    let mut request = to("ws://h");
    for count in 0..limit {
        request = request.with_header(format!("x-{count}"), "x").unwrap();
    }
    assert_eq!(request.with_header("x", "x").unwrap_err(), HeaderError::TooMany { limit });
}

#[test] // RFC 6455 §4.1
fn request_offers_unique_subprotocols() {
    let offer = |list: &[&str]| to("ws://h").with_subprotocols(list.iter().copied());
    assert_eq!(offer(&["b", "a"]).unwrap().subprotocols(), ["b", "a"]);
    assert_eq!(offer(&[]).unwrap_err(), ListError::Empty);
    assert_eq!(offer(&["a", ""]).unwrap_err(), ListError::NotAToken { index: 1 });
    assert_eq!(offer(&["a,b"]).unwrap_err(), ListError::NotAToken { index: 0 });
    assert_eq!(offer(&["a", "b", "a"]).unwrap_err(), ListError::Repeated { index: 2 });
    let many = (0..=MAX_ELEMENTS).map(|n| n.to_string());
    assert_eq!(to("ws://h").with_subprotocols(many).unwrap_err(), ListError::TooMany { limit: MAX_ELEMENTS });
    assert_eq!(offer(&["a"]).unwrap().with_subprotocols(["b"]).unwrap().subprotocols(), ["b"]);
}

#[test]
fn request_offers_an_extension_under_its_own_name_only() {
    let toy = Toy { offers: &["x-toy; a", "other", "x-toy"], ..TOY };
    let request = to("ws://h").with_extension(toy.arc());
    let offers: Vec<String> = request.extensions().iter().map(ToString::to_string).collect();
    assert_eq!(offers, ["x-toy; a", "x-toy"]);
    assert!(request.without_extension().extensions().is_empty());
}

#[test]
fn secrets_of_a_request_are_not_printed() {
    let request = to("ws://ann:s3cret@h/path?token=s3cret")
        .with_header("Cookie", "id=s3cret")
        .unwrap()
        .with_header("Proxy-Authorization", "s3cret")
        .unwrap();
    let shown = format!("{request:?} {request:#?}");
    assert!(shown.contains("/path?...") && shown.contains("cookie"), "{shown}");
    assert!(!shown.contains("s3cret") && !shown.contains("czNjcmV0"), "{shown}");
    let request = Request::to(&uri()).with_header("Authorization", "s3cret").unwrap();
    assert!(!format!("{request:?}").contains("s3cret"));
    let request = Request::to(&uri()).with_header("Origin", "http://h").unwrap();
    assert!(format!("{request:?}").contains("http://h"));
}
