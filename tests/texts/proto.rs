//! Faults of the protocol, made of bytes: in URLs, headers, requests, answers and frames.

use futures::{AsyncReadExt, AsyncWriteExt};
use wscope::{
    ClientConfig, ConnectionConfig, Error, Nursery, ServerConfig,
    scope::Join,
    testing::duplex,
    websocket::{CloseCause, HandshakeError},
    wrap_client_stream, wrap_server_stream,
};

use crate::{
    engine,
    support::{REQUEST, server_of_raw, simulated},
    texts::{Texts, text},
};

pub(crate) fn texts(texts: &mut Texts) {
    urls(texts);
    requests(texts);
    answers(texts);
    frames(texts);
}

fn urls(texts: &mut Texts) {
    let urls = [
        "s3cret",
        "http://s3cret/",
        "ws://h/#s3cret",
        "ws:///s3cret",
        "ws://s3cr\u{e9}t/",
        "ws://s3cret s3cret/",
        "ws://h:s3cret/",
        "ws://h/s3cret s3cret",
    ];
    for url in urls {
        let error = ClientConfig::new(url).unwrap_err();
        if let HandshakeError::Uri(error) = &error {
            texts.variant("proto::UriError", error);
        }
        text!(texts, error, websocket::HandshakeError::Uri);
    }
}

/// What clients send, and what `on_error` of a server has in its [`ServerError::Request`](wscope::websocket::ServerError::Request).
fn requests(texts: &mut Texts) {
    let without =
        |line: &str| REQUEST.split_inclusive("\r\n").filter(|there| !there.starts_with(line)).collect();
    let with = |line: &str| REQUEST.replacen("\r\n", &format!("\r\n{line}\r\n"), 1);
    let requests: [String; 29] = [
        "\u{16}\u{3}\u{1} s3cret".to_owned(), // as TLS begins
        "GET s3cret\r\n\r\n".to_owned(),
        "GET /".to_owned(),
        REQUEST.replace("HTTP/1.1", "HTTP/1.0"),
        REQUEST.replace("GET", "POST"),
        REQUEST.replace("GET / ", "GET s3cret "),
        REQUEST.replace("GET / ", &format!("GET /{} ", "s3cret".repeat(20_000))),
        REQUEST.replace("Host: example.com", "Host: s3cret s3cret"),
        REQUEST.replace("Version: 13", "Version: 8"),
        REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "s3cret"),
        without("Host"),
        without("Upgrade"),
        without("Connection"),
        without("Sec-WebSocket-Key"),
        without("Sec-WebSocket-Version"),
        with("Content-Length: 5"),
        with("Sec-WebSocket-Protocol: s3cret s3cret"),
        with("Sec-WebSocket-Protocol: s3cret, s3cret"),
        with("Sec-WebSocket-Extensions: s3cret;"),
        with("X s3cret: 1"),
        with("X(s3cret): 1"),
        with(&format!("X-Token: {}", "s3cret".repeat(2000))),
        with(&format!("X-Token: {0}\r\nX-Token: {0}\r\nX-Token: {0}", "s3cret".repeat(1000))),
        "GET /s3cret HTTP/1.1\rs3cret".to_owned(),
        "GET /s3cret HTTP/1.1\ns3cret".to_owned(),
        with("X-Token : s3cret"),
        with("X-Token: s3cret\r\n s3cret"),
        with("X-Token: s3\u{1}cret"),
        with(&"X-Token: s3cret\r\n".repeat(500)),
    ];
    simulated(async |n| {
        for request in requests {
            let refused = refused(&n, &request).await?;
            if let HandshakeError::Request { error, .. } = &refused {
                engine::request(texts, error);
            }
            text!(texts, refused, websocket::HandshakeError::Request);
        }
        Ok(())
    });
}

/// What a server has to say to these bytes, which are no request.
pub(crate) async fn refused(n: &Nursery<'_, Error>, bytes: &str) -> Result<HandshakeError, Error> {
    let (mut here, there) = duplex(1 << 20);
    here.write_all(bytes.as_bytes()).await?;
    here.close().await?;
    let reading = async {
        let _ = here.read_to_end(&mut Vec::new()).await;
    };
    let config = ServerConfig::new();
    let (request, ()) = (wrap_server_stream(n, there, &config), reading).join().await;
    Ok(request.unwrap_err())
}

/// What servers answer.
fn answers(texts: &mut Texts) {
    const UPGRADE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    let accept = |line: &str| format!("{UPGRADE}Sec-WebSocket-Accept: {line}\r\n\r\n");
    let answers = [
        String::new(),
        "HTTP/1.1 101".to_owned(),
        "SSH-2.0-s3cret\r\n".to_owned(),
        "HTTP/1.1 101 X\r\n\r\n".to_owned(),
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n".to_owned(),
        format!("{UPGRADE}\r\n"),
        accept("s3cret"),
    ];
    simulated(async |n| {
        for answer in answers {
            let (here, mut there) = duplex(1 << 16);
            there.write_all(answer.as_bytes()).await?;
            there.close().await?;
            let refused =
                wrap_client_stream(&n, here, "ws://user:s3cret@example.com/?s3cret").await.unwrap_err();
            if let HandshakeError::Response { error, .. } = &refused {
                engine::response(texts, error);
            }
            text!(texts, refused, websocket::HandshakeError::Response);
        }
        Ok(())
    });
}

/// Frames of a client that break the protocol, or a limit; masked with zeros, which changes no byte.
fn frames(texts: &mut Texts) {
    const MASK: &[u8] = &[0; 4];
    let masked = |head: [u8; 2], payload: &[u8]| [&head[..], MASK, payload].concat();
    let frames = [
        masked([0x83, 0x80], b""),
        masked([0xc1, 0x80], b""),
        masked([0x09, 0x80], b""),
        [&[0x89, 0xfe, 0, 126][..], MASK].concat(),
        vec![0x81, 0x02, b'h', b'i'],
        [&[0x81, 0xfe, 0, 1][..], MASK].concat(),
        [&[0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0][..], MASK].concat(),
        masked([0x80, 0x80], b""),
        [masked([0x01, 0x80], b""), masked([0x81, 0x80], b"")].concat(),
        masked([0x88, 0x81], b"\x03"),
        masked([0x88, 0x82], &1005_u16.to_be_bytes()),
        masked([0x81, 0x81], b"\xff"),
        masked([0x88, 0x83], b"\x03\xe8\xff"),
        masked([0x81, 0x89], b"much text"),
        [vec![0x01, 0x80, 0, 0, 0, 0], [0x00, 0x81, 0, 0, 0, 0, b'x'].repeat(9)].concat(),
        [vec![0x01, 0x80, 0, 0, 0, 0], [0x00, 0x80, 0, 0, 0, 0].repeat(9)].concat(),
    ];
    simulated(async |n| {
        for frame in frames {
            let config = ConnectionConfig::new().max_message_size(8).max_fragments(6).max_empty_fragments(3);
            let (ws, mut stream) = server_of_raw(&n, config).await?;
            stream.write_all(&frame).await?;
            stream.close().await?;
            let closed = ws.wait_closed().await;
            if let CloseCause::Protocol(error) = closed.cause() {
                texts.variant("proto::ProtocolError", error);
            }
            text!(texts, closed.cause().clone(), websocket::CloseCause::Protocol);
        }
        Ok(())
    });
}
