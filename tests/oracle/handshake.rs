//! Opening handshakes between the oracle and us, and both on the same requests and answers.
//!
//! The tables at the end say of each request and of each answer who accepts it. Where the two differ we are the stricter
//! one, but for lists: `Upgrade` and `Connection` are lists (RFC 6455 §4.1, §4.2.1), which the oracle does not always read
//! as such, and an interim answer (1xx) is not the answer.

#![allow(clippy::result_large_err, reason = "so the oracle's callback is declared")]

use crate::peer::{Peer, Stream};
use tungstenite::{
    ClientHandshake as OracleClient, Error, HandshakeError, Message as OracleMessage,
    client::{ClientRequestBuilder, client},
    handshake::{
        MidHandshake, derive_accept_key,
        server::{ErrorResponse, Request as OracleRequest, Response as OracleResponse},
    },
};
use wscope::proto::{
    AcceptConnection, Event, RejectConnection, Request, WebSocketUri, WsConnection, WsEvent,
};

const URI: &str = "ws://example.com/chat?x=1";

/// An oracle that has sent its request; the request.
fn oracle_client() -> (MidHandshake<OracleClient<Stream>>, Vec<u8>) {
    let request = ClientRequestBuilder::new(URI.parse().expect("a URI")).with_sub_protocol("chat");
    let Err(HandshakeError::Interrupted(mut handshake)) = client(request, Stream::default()) else {
        panic!("no answer has come yet")
    };
    let request = std::mem::take(&mut handshake.get_mut().get_mut().outgoing);
    (handshake, request)
}

/// A server of ours that has received the oracle's request.
fn our_server(request: &[u8]) -> WsConnection {
    let mut server = WsConnection::server();
    let Ok(Some(WsEvent::Request(request))) = server.receive(&mut &mut request.to_vec()[..]) else {
        panic!("the oracle sends a request")
    };
    assert_eq!((request.host(), request.target()), ("example.com", "/chat?x=1"));
    assert_eq!(request.subprotocols(), ["chat"]);
    server
}

/// A client of ours that has sent its request; the request.
fn our_client() -> (WsConnection, Vec<u8>) {
    let (mut client, mut wire) = (WsConnection::client(), Vec::new());
    let uri: WebSocketUri = URI.parse().expect("a URI");
    let request = Request::to(&uri).with_subprotocols(["chat"]).expect("a token");
    client.send(request, &mut wire).expect("the first event");
    (client, wire)
}

/// The oracle as a server that is given `request`, and what it writes; it answers as `answer` says.
fn oracle_server(
    request: &[u8],
    answer: impl FnOnce(&OracleRequest, OracleResponse) -> Result<OracleResponse, ErrorResponse> + Unpin,
) -> Result<(Peer, Vec<u8>), Error> {
    match tungstenite::accept_hdr(Stream::of(request), answer) {
        Ok(mut socket) => {
            let written = std::mem::take(&mut socket.get_mut().outgoing);
            Ok((Peer::after(socket), written))
        }
        Err(HandshakeError::Failure(error)) => Err(error),
        Err(HandshakeError::Interrupted(_)) => panic!("the whole request was there"),
    }
}

#[test]
fn the_oracles_client_is_accepted_by_our_server() {
    let (mut handshake, request) = oracle_client();
    let mut server = our_server(&request);
    let mut wire = Vec::new();
    server.send(AcceptConnection::new().with_subprotocol("chat"), &mut wire).expect("a request waits");
    server.send("early", &mut wire).expect("an open connection"); // in the segment of the answer
    handshake.get_mut().get_mut().incoming.extend(&wire);
    let (socket, response) = handshake.handshake().expect("a right answer");
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat");

    let mut peer = Peer::after(socket);
    assert!(matches!(peer.receive(&[]), (received, None) if received == [OracleMessage::text("early")]));
    let mut wire = peer.send("hello".into());
    let Ok(Some(WsEvent::Connection(event))) = server.receive(&mut &mut wire[..]) else {
        panic!("a message")
    };
    assert_eq!(event, Event::from("hello"));
}

#[test]
fn our_client_is_accepted_by_the_oracles_server() {
    let (mut client, wire) = our_client();
    let accepted = oracle_server(&wire, |request, mut response| {
        assert_eq!(request.uri(), "/chat?x=1");
        assert_eq!(request.headers()["host"], "example.com");
        let picked = request.headers()["sec-websocket-protocol"].clone();
        response.headers_mut().insert("sec-websocket-protocol", picked);
        Ok(response)
    });
    let (mut peer, mut wire) = accepted.expect("a right request");
    wire.extend(peer.send("early".into()));
    let mut input = &mut wire[..];
    let Ok(Some(WsEvent::AcceptConnection(accept))) = client.receive(&mut input) else {
        panic!("an acceptance")
    };
    assert_eq!(accept.subprotocol(), Some("chat"));
    let Ok(Some(WsEvent::Connection(event))) = client.receive(&mut input) else { panic!("a message") };
    assert_eq!(event, Event::from("early"));

    let mut wire = Vec::new();
    client.send("hello", &mut wire).expect("an open connection");
    assert!(matches!(peer.receive(&wire), (received, None) if received == [OracleMessage::text("hello")]));
}

#[test]
fn the_oracles_client_is_refused_by_our_server() {
    let (mut handshake, request) = oracle_client();
    let mut wire = Vec::new();
    let reject = RejectConnection::new(403).expect("a status").with_body("members only");
    our_server(&request).send(reject, &mut wire).expect("a request waits");
    handshake.get_mut().get_mut().incoming.extend(&wire);
    let Err(HandshakeError::Failure(Error::Http(response))) = handshake.handshake() else {
        panic!("a refusal")
    };
    assert_eq!(response.status(), 403);
    assert_eq!(response.body().as_deref(), Some(&b"members only"[..]));
}

#[test]
fn our_client_is_refused_by_the_oracles_server() {
    let (mut client, request) = our_client();
    let mut stream = Stream::of(&request);
    let refuse = |_: &OracleRequest, _| {
        let mut refusal = ErrorResponse::new(Some("members only".to_owned()));
        *refusal.status_mut() = http::StatusCode::FORBIDDEN;
        Err(refusal)
    };
    let refused = tungstenite::accept_hdr(&mut stream, refuse);
    assert!(matches!(refused, Err(HandshakeError::Failure(Error::Http(_)))));

    let mut input = &mut stream.outgoing[..];
    let Ok(Some(WsEvent::RejectConnection(reject))) = client.receive(&mut input) else { panic!("a refusal") };
    assert_eq!(reject.status(), 403);
    let Ok(Some(WsEvent::RejectData(data))) = client.receive(&mut input) else { panic!("its body") };
    assert_eq!(data.data(), &b"members only"[..]);
}

/// Who accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepts {
    Both,
    Neither,
    OnlyWe,
    OnlyTheOracle,
}

impl Accepts {
    const fn of(ours: bool, oracle: bool) -> Self {
        match (ours, oracle) {
            (true, true) => Self::Both,
            (false, false) => Self::Neither,
            (true, false) => Self::OnlyWe,
            (false, true) => Self::OnlyTheOracle,
        }
    }
}

/// A text with one part of it replaced.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in {text}");
    text.replacen(from, to, 1)
}

#[test]
fn servers_differ_only_where_the_table_says_so() {
    use Accepts::{Both, Neither, OnlyTheOracle, OnlyWe};
    let right = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let extended = |header: &str| with(right, "\r\n\r\n", &format!("\r\n{header}\r\n\r\n"));
    let table = [
        ("right", Both, right.to_owned()),
        ("names in any case", Both, with(right, "Sec-WebSocket-Key", "sec-websocket-KEY")),
        ("websocket in any case", Both, with(right, ": websocket", ": WebSocket")),
        ("connection list", Both, with(right, ": Upgrade", ": keep-alive, upgrade")),
        ("upgrade list", OnlyWe, with(right, ": websocket", ": h2c, websocket")),
        (
            "connection in two lines",
            OnlyWe,
            with(right, "Connection:", "Connection: keep-alive\r\nConnection:"),
        ),
        ("connection list with tabs", OnlyWe, with(right, ": Upgrade", ": keep-alive,\tupgrade")),
        ("post", Neither, with(right, "GET", "POST")),
        ("http/1.0", Neither, with(right, "HTTP/1.1", "HTTP/1.0")),
        ("no upgrade", Neither, with(right, "Upgrade: websocket\r\n", "")),
        ("no connection", Neither, with(right, "Connection: Upgrade\r\n", "")),
        ("no key", Neither, with(right, "Sec-WebSocket-Key", "X-Key")),
        ("short key", Neither, with(right, "dGhl", "")),
        ("key not base64", Neither, with(right, "dGhl", "d?hl")),
        ("key not canonical", Neither, with(right, "ZQ==", "ZR==")),
        (
            "key joined of two",
            OnlyTheOracle,
            with(right, "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub24=Y2U="),
        ),
        ("two keys", OnlyTheOracle, extended("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
        ("no version", Neither, with(right, "Sec-WebSocket-Version", "X-Version")),
        ("version 8", Neither, with(right, ": 13", ": 8")),
        ("two versions", OnlyTheOracle, extended("Sec-WebSocket-Version: 8")),
        ("no host", OnlyTheOracle, with(right, "Host", "X-Host")),
        ("two hosts", OnlyTheOracle, extended("Host: example.com")),
        ("host with a path", OnlyTheOracle, with(right, "example.com", "example.com/x")),
        ("body", OnlyTheOracle, extended("Content-Length: 5")),
        ("chunked body", OnlyTheOracle, extended("Transfer-Encoding: chunked")),
        ("empty body", Both, extended("Content-Length: 0")),
        ("asterisk target", OnlyTheOracle, with(right, "/chat", "*")),
        ("bad target", Neither, with(right, "/chat", "chat#x y")),
        ("line ends without cr", OnlyTheOracle, with(right, "example.com\r\n", "example.com\n")),
        ("cr in a value", Neither, with(right, "example.com", "exa\rmple.com")),
        ("nul in a value", Neither, with(right, "example.com", "exa\0mple.com")),
        ("folded line", Neither, with(right, "Host: ", "Host:\r\n ")),
        ("space before colon", Neither, with(right, "Host:", "Host :")),
        ("subprotocols not a list", OnlyTheOracle, extended("Sec-WebSocket-Protocol: a b")),
        ("subprotocol twice", OnlyTheOracle, extended("Sec-WebSocket-Protocol: a, a")),
        ("extensions not a list", OnlyTheOracle, extended("Sec-WebSocket-Extensions: a;;b")),
    ];
    for (name, expected, request) in table {
        let received = WsConnection::server().receive(&mut &mut request.clone().into_bytes()[..]);
        let ours = matches!(received, Ok(Some(WsEvent::Request(_))));
        let oracle = oracle_server(request.as_bytes(), |_, response| Ok(response));
        assert_eq!(Accepts::of(ours, oracle.is_ok()), expected, "{name}: {received:?}, {:?}", oracle.err());
    }
}

#[test]
fn clients_differ_only_where_the_table_says_so() {
    use Accepts::{Both, Neither, OnlyTheOracle, OnlyWe};
    let right = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    let extended = |header: &str| with(right, "\r\n\r\n", &format!("\r\n{header}\r\n\r\n"));
    let table = [
        ("right", Both, right.to_owned()),
        ("values in any case", Both, with(&with(right, "websocket", "WebSocket"), ": Upgrade", ": upgrade")),
        ("another phrase", Both, with(right, "Switching Protocols", "Go on")),
        ("no phrase", Both, with(right, " Switching Protocols", "")),
        ("connection list", OnlyWe, with(right, ": Upgrade", ": keep-alive, Upgrade")),
        ("upgrade list", OnlyWe, with(right, ": websocket", ": h2c, websocket")),
        ("after an interim answer", OnlyWe, format!("HTTP/1.1 103 Early Hints\r\n\r\n{right}")),
        ("no subprotocol", OnlyWe, with(right, "Sec-WebSocket-Protocol", "X-Protocol")),
        ("other subprotocol", Neither, with(right, ": chat", ": other")),
        ("two subprotocols", OnlyTheOracle, extended("Sec-WebSocket-Protocol: chat")),
        ("http/1.0", Neither, with(right, "HTTP/1.1", "HTTP/1.0")),
        ("status 200", Neither, with(right, "101", "200")),
        ("no upgrade", Neither, with(right, "Upgrade: websocket\r\n", "")),
        ("no connection", Neither, with(right, "Connection: Upgrade\r\n", "")),
        ("no accept", Neither, with(right, "Sec-WebSocket-Accept", "X-Accept")),
        ("wrong accept", Neither, with(right, "{accept}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")),
        ("accept in another case", Neither, with(right, "{accept}", "{lower}")),
        ("two accepts", OnlyTheOracle, extended("Sec-WebSocket-Accept: {accept}")),
        ("extension not offered", OnlyTheOracle, extended("Sec-WebSocket-Extensions: permessage-deflate")),
        ("line ends without cr", OnlyTheOracle, with(right, "websocket\r\n", "websocket\n")),
        ("folded line", Neither, with(right, "Upgrade: ", "Upgrade:\r\n ")),
        ("space before colon", Neither, with(right, "Upgrade:", "Upgrade :")),
    ];
    for (name, expected, template) in table {
        let answer = |request: &[u8]| {
            let request = str::from_utf8(request).expect("ASCII");
            let key =
                request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
            let accept = derive_accept_key(key.as_bytes());
            template.replace("{accept}", &accept).replace("{lower}", &accept.to_lowercase()).into_bytes()
        };
        let (mut client, request) = our_client();
        let received = client.receive(&mut &mut answer(&request)[..]);
        let ours = matches!(received, Ok(Some(WsEvent::AcceptConnection(_))));
        let (mut handshake, request) = oracle_client();
        handshake.get_mut().get_mut().incoming.extend(answer(&request));
        let oracle = handshake.handshake();
        assert_eq!(Accepts::of(ours, oracle.is_ok()), expected, "{name}: {received:?}, {:?}", oracle.err());
    }
}
