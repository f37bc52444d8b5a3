//! Errors of the protocol engine itself, without a connection around it: faults of the peer that `proto` does not provoke,
//! and misuse by whoever drives an engine.

use std::sync::Arc;

use http::Response;
use wscope::proto::{
    AcceptConnection, ClientHandshake, CloseCode, CloseConnection, CloseReason, Config, Connection,
    ExtensionItem, Failed, HandshakeConfig, HeaderError, Piece, Ping, RandomSource, RejectConnection,
    RejectData, Request, RequestError, RequestReader, ResponseError, Role, ServerHandshake, Token,
    Utf8Validator, WebSocketUri, WsConnection,
    extension::{Extension, PermessageDeflate, WindowBits},
};

use crate::{
    support::REQUEST,
    texts::{Texts, text},
};

pub(crate) fn texts(texts: &mut Texts) {
    values(texts);
    lists(texts);
    headers(texts);
    requests(texts);
    responses(texts);
    answers(texts);
    frames(texts);
    misuse(texts);
    whole(texts);
}

/// A fault of a client, and of its head if that is where it is.
pub(crate) fn request(texts: &mut Texts, error: &RequestError) {
    texts.variant("proto::RequestError", error);
    if let RequestError::Head(head) = error {
        texts.variant("proto::HeadError", head);
    }
}

/// A fault of a server, and of its head if that is where it is.
pub(crate) fn response(texts: &mut Texts, error: &ResponseError) {
    texts.variant("proto::ResponseError", error);
    if let ResponseError::Head(head) = error {
        texts.variant("proto::HeadError", head);
    }
}

fn failed(texts: &mut Texts, error: &Failed) {
    texts.variant("proto::Failed", error);
    if let Failed::Peer(fault) = error {
        texts.variant("proto::ProtocolError", fault);
    }
}

/// What is refused before anything is sent.
fn values(texts: &mut Texts) {
    text!(texts, CloseCode::new(1006).unwrap_err(), proto::InvalidCloseCode);
    let reason = CloseReason::new(CloseCode::GOING_AWAY, "s3cret".repeat(21));
    text!(texts, reason.unwrap_err(), proto::ReasonTooLong);
    text!(texts, Ping::new(&[0; 126]).unwrap_err(), proto::ControlTooLong);
    text!(texts, RejectConnection::new(101).unwrap_err(), proto::InvalidStatus);
    text!(texts, WindowBits::new(8).unwrap_err(), proto::extension::InvalidWindowBits);
    text!(texts, Token::new("s3cret,").unwrap_err(), proto::NotAToken);
    let text = Utf8Validator::new().push(b"\xff", &mut String::new());
    text!(texts, text.unwrap_err(), proto::InvalidUtf8);
    let uri = "ws://s3cret%3A:s3cret@h/".parse::<WebSocketUri>();
    text!(texts, uri.unwrap_err(), proto::UriError::InvalidUserinfo);
}

/// Our own offers, and a peer's.
fn lists(texts: &mut Texts) {
    let offers: [&[&str]; 3] = [&[], &["chat", "s3cret,"], &["chat", "s3cret", "chat"]];
    for offer in offers {
        texts.variant("proto::ListError", &example().with_subprotocols(offer.to_vec()).unwrap_err());
    }
    let many = "s3cret,".repeat(65);
    for list in ["s3cret s3cret", "s3cret;", &many] {
        texts.variant("proto::ListError", &ExtensionItem::parse_list([list.as_bytes()]).unwrap_err());
    }
}

fn headers(texts: &mut Texts) {
    for (name, value) in [("x s3cret", "1"), ("x-token", "s3cret\n"), ("host", "s3cret")] {
        texts.variant("proto::HeaderError", &example().with_header(name, value).unwrap_err());
    }
    let full = (0..HeaderError::MAX_HEADERS)
        .try_fold(example(), |request, number| request.with_header(format!("x-{number}"), "s3cret"));
    let one_more = full.unwrap().with_header("x", "s3cret").unwrap_err();
    text!(texts, one_more, proto::HeaderError::TooMany);
}

fn requests(texts: &mut Texts) {
    let mut reader = RequestReader::new(HandshakeConfig::new());
    reader.receive(&mut &mut b"GET /s3cret".to_vec()[..], &mut Vec::new()).unwrap();
    let late = reader.time_out(&mut Vec::new()).unwrap_err();
    text!(texts, late, proto::RequestError::TimedOut);
    // A name longer than the `http` crate keeps.
    let config = HandshakeConfig::new().max_line(100_000).max_head(200_000);
    let mut bytes = format!("GET / HTTP/1.1\r\n{}: 1\r\n\r\n", "s".repeat(70_000)).into_bytes();
    let unkept = RequestReader::new(config).receive(&mut &mut bytes[..], &mut Vec::new()).unwrap_err();
    request(texts, &unkept);
}

/// Answers that were read elsewhere.
fn responses(texts: &mut Texts) {
    let offer =
        example().with_subprotocols(["chat"]).unwrap().with_extension(Arc::new(PermessageDeflate::shared()));
    let (_, handshake) = ClientHandshake::start_elsewhere(offer, &mut Zeros);
    let answer = |headers: &[(&str, &str)]| {
        let upgrade = [("upgrade", "websocket"), ("connection", "upgrade")];
        let headers = upgrade.iter().chain([&("sec-websocket-accept", ACCEPT_ZEROS)]).chain(headers);
        let response = headers
            .fold(Response::builder().status(101), |response, (name, value)| response.header(*name, *value));
        let (parts, ()) = response.body(()).unwrap().into_parts();
        handshake.accept_parts(&parts).unwrap_err()
    };
    let (protocol, extensions) = ("sec-websocket-protocol", "sec-websocket-extensions");
    let deflate = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for headers in [
        &[(protocol, "chat"), (protocol, "chat")][..],
        &[(protocol, "rude\u{e9}")],
        &[(extensions, "x-rude;")],
        &[(extensions, "x-rude")],
        &[(extensions, deflate), (extensions, deflate)],
        &[(extensions, "permessage-deflate; x-rude=7")],
    ] {
        response(texts, &answer(headers));
    }
    let (parts, ()) = Response::builder().status(503).body(()).unwrap().into_parts();
    response(texts, &handshake.accept_parts(&parts).unwrap_err());
}

/// What a server answers.
fn answers(texts: &mut Texts) {
    let error =
        asked().accept(AcceptConnection::new().with_subprotocol("chat"), &mut Vec::new()).unwrap_err();
    text!(texts, error.kind.clone(), proto::AcceptErrorKind::SubprotocolNotOffered);
    text!(texts, error, proto::AcceptError);
    let mut rejection = asked().reject(RejectConnection::new(403).unwrap(), &mut Vec::new());
    let more = rejection.send(RejectData::last("s3cret"), &mut Vec::new()).unwrap_err();
    text!(texts, more, proto::BodyFinished);
}

fn frames(texts: &mut Texts) {
    let mut client = Connection::new(Role::Client, Config::new());
    let masked = client.receive(&mut &mut [0x81, 0x80, 0, 0, 0, 0][..]).unwrap_err();
    failed(texts, &masked);
    let agreed =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover".parse().unwrap();
    let mut transforms = PermessageDeflate::shared().confirm(&agreed).unwrap();
    let broken = transforms.inbound.transform(&mut &b"\xff\xff"[..], &mut Vec::new(), 100).unwrap_err();
    text!(texts, broken, proto::extension::BrokenStream);
    let transforms = PermessageDeflate::shared().confirm(&agreed).unwrap();
    let mut client = Connection::new(Role::Client, Config::new()).with_transforms(transforms);
    failed(texts, &client.receive(&mut &mut [0xc1, 2, 0xff, 0xff][..]).unwrap_err());
    let mut client = Connection::new(Role::Client, Config::new());
    text!(texts, client.receive_eof().unwrap_err(), proto::Failed::UnexpectedEof);
}

/// By the caller, of a connection.
fn misuse(texts: &mut Texts) {
    let (mut client, mut out) = (Connection::new(Role::Client, Config::new()), Vec::new());
    client.send(Piece::more("s3cret"), &mut out).unwrap();
    let torn = client.send(Piece::more(vec![0]), &mut out).unwrap_err();
    text!(texts, torn, proto::LocalError::MessageUnfinished);
    client.send(CloseConnection::empty(), &mut out).unwrap();
    text!(texts, client.send("s3cret", &mut out).unwrap_err(), proto::LocalError::WrongState);
    let mut client = Connection::new(Role::Client, Config::new());
    let mut begun = [&[0x82, 126, 0xff, 0xff][..], &[0; 20_000]].concat();
    client.receive(&mut &mut begun[..]).unwrap();
    client.fill_payload(|buffer, _| buffer.clear()).unwrap();
    let misused = client.receive(&mut &mut [][..]).unwrap_err();
    text!(texts, misused, proto::Failed::PayloadBufferMisused);
}

/// Handshake and frames in one.
fn whole(texts: &mut Texts) {
    let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
    let unasked = client.send("s3cret", &mut Vec::new()).unwrap_err();
    text!(texts, unasked, proto::WsLocalError::State);
    let refused = WsConnection::server().receive(&mut &mut b"s3cret\r\n".to_vec()[..]).unwrap_err();
    text!(texts, refused, proto::WsFailed::Request);
    client.send(example(), &mut Vec::new()).unwrap();
    let refused = client.receive(&mut &mut b"s3cret".to_vec()[..]).unwrap_err();
    text!(texts, refused, proto::WsFailed::Response);
    server.receive(&mut &mut REQUEST.to_owned().into_bytes()[..]).unwrap();
    let accept = AcceptConnection::new().with_subprotocol("chat");
    text!(texts, server.send(accept, &mut Vec::new()).unwrap_err(), proto::WsLocalError::Accept);
    server.send(AcceptConnection::new(), &mut Vec::new()).unwrap();
    text!(texts, server.receive_eof().unwrap_err(), proto::WsFailed::Connection);
    assert_eq!(server.connection().and_then(Connection::failed), Some(Failed::UnexpectedEof));
}

fn example() -> Request {
    Request::to(&"ws://example.com/?s3cret".parse::<WebSocketUri>().unwrap())
}

/// A request that waits for its answer.
fn asked() -> ServerHandshake {
    let mut bytes = REQUEST.to_owned().into_bytes();
    RequestReader::new(HandshakeConfig::new())
        .receive(&mut &mut bytes[..], &mut Vec::new())
        .unwrap()
        .expect("the request is complete")
}

/// No random source at all.
#[derive(Debug)]
struct Zeros;

impl RandomSource for Zeros {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// The `Sec-WebSocket-Accept` for a key of zeros.
const ACCEPT_ZEROS: &str = "ICX+Yqv66kxgM0FcWaLWlFLwTAI=";
