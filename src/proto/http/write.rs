//! Heads that we send. Start lines and headers come as types that cannot hold CR, LF or NUL.
//!
//! Everything is appended to the caller's buffer: it may hold bytes that are not sent yet, and a whole answer goes out in
//! one write.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Appends the head of a GET request. `target` comes from a [`WebSocketUri`](crate::proto::WebSocketUri), which keeps it
/// visible ASCII.
pub(crate) fn write_request_head(target: &str, headers: &HeaderMap, out: &mut Vec<u8>) {
    out.extend_from_slice(b"GET ");
    out.extend_from_slice(target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    write_headers(headers, out);
}

/// Appends the head of a response.
pub(crate) fn write_response_head(status: StatusCode, headers: &HeaderMap, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    // The space stays when there is no phrase (RFC 9112 §4).
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
    write_headers(headers, out);
}

/// A header value of a text that we built of tokens, base64, digits or hosts.
pub(crate) fn header_value(text: String) -> HeaderValue {
    // Invariant: every caller's text is visible ASCII and spaces, which a header value may hold.
    HeaderValue::try_from(text).expect("visible ASCII is a header value")
}

/// Header lines in the order in which they were put in, and the empty line.
fn write_headers(headers: &HeaderMap, out: &mut Vec<u8>) {
    for (name, value) in headers {
        write_name(name, out);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Names have no case (RFC 9110 §5.1), but hand-written peers look for the spelling of RFC 6455: `Sec-WebSocket-Key`.
fn write_name(name: &HeaderName, out: &mut Vec<u8>) {
    let mut rest = name.as_str();
    if let Some(ours) = rest.strip_prefix("sec-websocket-") {
        out.extend_from_slice(b"Sec-WebSocket-");
        rest = ours;
    }
    let mut capital = true;
    for byte in rest.bytes() {
        out.push(if capital { byte.to_ascii_uppercase() } else { byte });
        capital = byte == b'-';
    }
}
