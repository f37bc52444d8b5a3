use crate::{
    handshake::TOY,
    wire::{CLOSE, FIN, RSV3, TEXT, frame, header},
};
use wscope::proto::{
    AcceptConnection, AcceptErrorKind, CloseCode, CloseConnection, Config, ConnectionState::*, Event, Failed,
    HandshakeConfig, HeadError, HeaderError, LocalError, ProtocolError, RejectConnection, RejectData,
    Request, RequestError, ResponseError, Role, WebSocketUri, WsConnection, WsEvent, WsFailed, WsLocalError,
};

fn request() -> Request {
    let uri: WebSocketUri = "ws://example.com/chat?x=1".parse().unwrap();
    Request::to(&uri).with_subprotocols(["chat"]).unwrap()
}

/// What `sender` has to say, as bytes.
fn said(sender: &mut WsConnection, event: impl Into<WsEvent>) -> Vec<u8> {
    let mut out = Vec::new();
    sender.send(event, &mut out).unwrap();
    out
}

fn transmitted(engine: &mut WsConnection) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(engine.wants_transmit(), {
        engine.transmit(&mut out);
        !out.is_empty()
    });
    assert!(!engine.wants_transmit());
    out
}

fn receive(engine: &mut WsConnection, bytes: &[u8]) -> Result<Vec<WsEvent>, WsFailed> {
    let mut bytes = bytes.to_vec();
    let (mut input, mut events) = (&mut bytes[..], Vec::new());
    while let Some(event) = engine.receive(&mut input)? {
        events.push(event);
    }
    assert!(input.is_empty());
    Ok(events)
}

/// A server that has received a request, and the client that sent it.
fn asked() -> (WsConnection, WsConnection) {
    let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
    let asked = said(&mut client, request());
    let events = receive(&mut server, &asked).unwrap();
    let [WsEvent::Request(request)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((request.host(), request.target()), ("example.com", "/chat?x=1"));
    assert_eq!((client.state(), server.state()), (Connecting, Connecting));
    (client, server)
}

/// Both ends of an open connection.
fn open() -> (WsConnection, WsConnection) {
    let (mut client, mut server) = asked();
    let accepted = said(&mut server, AcceptConnection::new().with_subprotocol("chat"));
    let events = receive(&mut client, &accepted).unwrap();
    let [WsEvent::AcceptConnection(accept)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(accept.subprotocol(), Some("chat"));
    assert_eq!((client.state(), server.state()), (Open, Open));
    (client, server)
}

fn wrong_state(what: &'static str, state: wscope::proto::ConnectionState) -> WsLocalError {
    LocalError::WrongState { what, state }.into()
}

#[test]
fn a_conversation_from_the_request_to_the_last_close_frame() {
    let (mut client, mut server) = open();
    let hello = said(&mut client, "hello");
    let events = receive(&mut server, &hello).unwrap();
    assert!(matches!(&events[..], [WsEvent::Connection(event)] if *event == Event::from("hello")));
    let close = said(&mut server, CloseConnection::new(CloseCode::GOING_AWAY));
    receive(&mut client, &close).unwrap();
    assert_eq!((client.state(), server.state()), (RemoteClosing, LocalClosing));
    let answer = transmitted(&mut client);
    receive(&mut server, &answer).unwrap();
    assert_eq!((client.state(), server.state()), (Closed, Closed));
    for engine in [&mut client, &mut server] {
        assert!(engine.receive_eof().unwrap().is_none());
        assert!(engine.connection().unwrap().close_frames().received.is_some());
    }
}

#[test]
fn what_the_engine_of_frames_alone_can_do_is_reached_through_it() {
    let (mut client, mut server) = asked();
    assert!(server.connection_mut().is_none() && client.connection_mut().is_none());
    let accepted = said(&mut server, AcceptConnection::new());
    receive(&mut client, &accepted).unwrap();
    let mut out = Vec::new();
    server.connection_mut().unwrap().send_message(&[b'x'; 40_000], &mut out).unwrap();
    let (now, later) = out.split_at(20_000);
    assert!(receive(&mut client, now).unwrap().is_empty());
    let filled = client.connection_mut().unwrap().fill_payload(|buffer, wanted| {
        let now = wanted.min(later.len());
        buffer.extend_from_slice(&later[..now]);
        now
    });
    let events = receive(&mut client, &later[filled.unwrap()..]).unwrap();
    let message = Event::from(vec![b'x'; 40_000]);
    assert!(matches!(&events[..], [WsEvent::Connection(event)] if *event == message));
}

#[test]
fn any_cut_of_the_bytes_gives_the_same_events() {
    let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
    let asked = said(&mut client, request());
    for byte in &asked[..asked.len() - 1] {
        assert!(receive(&mut server, &[*byte]).unwrap().is_empty());
    }
    assert_eq!(receive(&mut server, &asked[asked.len() - 1..]).unwrap().len(), 1);
    let mut answer = said(&mut server, AcceptConnection::new());
    answer.extend(said(&mut server, "early"));
    let events: Vec<_> = answer.iter().flat_map(|byte| receive(&mut client, &[*byte]).unwrap()).collect();
    assert!(matches!(&events[..], [WsEvent::AcceptConnection(_), WsEvent::Connection(_)]), "{events:?}");
}

#[test]
fn frames_behind_a_request_wait_in_the_input_until_it_is_answered() {
    let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
    let early = frame(Role::Client, FIN | TEXT, b"early");
    let mut bytes = [said(&mut client, request()), early.clone()].concat();
    let mut input = &mut bytes[..];
    assert!(matches!(server.receive(&mut input), Ok(Some(WsEvent::Request(_)))));
    assert!(server.receive(&mut input).unwrap().is_none());
    assert_eq!(input, early);
    said(&mut server, AcceptConnection::new());
    let Ok(Some(WsEvent::Connection(event))) = server.receive(&mut input) else { panic!("the early frame") };
    assert_eq!((event, input.len()), (Event::from("early"), 0));
}

#[test]
fn a_refusal_with_its_body_at_once_or_in_pieces_reaches_the_client() {
    let (mut client, mut server) = asked();
    let refusal = said(&mut server, RejectConnection::new(403).unwrap().with_body("members only"));
    assert_eq!(server.state(), Closed);
    let events = receive(&mut client, &refusal).unwrap();
    let [WsEvent::RejectConnection(reject), WsEvent::RejectData(data)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (reject.status().as_u16(), &data.data()[..], data.is_finished()),
        (403, &b"members only"[..], true)
    );
    assert_eq!(client.state(), Closed);

    let (mut client, mut server) = asked();
    let mut refusal = said(&mut server, RejectConnection::new(503).unwrap().with_body_to_follow());
    assert_eq!(server.state(), Rejecting);
    assert!(receive(&mut server, b"whatever still comes").unwrap().is_empty());
    refusal.extend(said(&mut server, RejectData::more("try ")));
    refusal.extend(said(&mut server, RejectData::last("later")));
    assert_eq!(server.state(), Closed);
    let mut body = Vec::new();
    for event in receive(&mut client, &refusal).unwrap() {
        if let WsEvent::RejectData(data) = event {
            body.extend_from_slice(data.data());
        }
    }
    assert_eq!(
        (&body[..], client.state()),
        (&b"try later"[..], Rejecting),
        "the end of the stream ends the body"
    );
    assert!(matches!(client.receive_eof(), Ok(Some(WsEvent::RejectData(data))) if data.is_finished()));
    assert_eq!(client.state(), Closed);
    assert!(receive(&mut client, b"more").unwrap().is_empty());
    assert!(client.receive_eof().unwrap().is_none());
    assert!(server.receive_eof().unwrap().is_none());
}

#[test]
fn a_refusal_without_a_body_is_one_event() {
    let (mut client, mut server) = asked();
    let refusal = said(&mut server, RejectConnection::new(404).unwrap());
    let events = receive(&mut client, &refusal).unwrap();
    assert!(matches!(&events[..], [WsEvent::RejectConnection(reject)] if !reject.has_body()), "{events:?}");
    assert_eq!(client.state(), Closed);
}

#[test]
fn what_is_no_handshake_is_refused_by_the_engine_itself() {
    let mut server = WsConnection::server();
    let error = receive(&mut server, b"POST / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap_err();
    assert_eq!(error, WsFailed::Request(RequestError::Method));
    assert_eq!(server.state(), Closed);
    assert!(transmitted(&mut server).starts_with(b"HTTP/1.1 405 Method Not Allowed\r\n"));
    assert_eq!(receive(&mut server, b"GET / HTTP/1.1\r\n").unwrap_err(), error, "sticky");
    assert_eq!(server.receive_eof().unwrap_err(), error);
    assert_eq!(transmitted(&mut server), b"");
}

#[test]
fn what_is_no_answer_fails_the_client() {
    let mut client = WsConnection::client();
    said(&mut client, request());
    let error = receive(&mut client, b"HTTP/1.1 101 Switching Protocols\r\n\r\n").unwrap_err();
    assert_eq!(error, WsFailed::Response(ResponseError::MissingUpgrade));
    assert_eq!((client.state(), transmitted(&mut client)), (Closed, vec![]));
    assert_eq!(receive(&mut client, b"x").unwrap_err(), error);
}

#[test]
fn an_end_of_stream_before_the_handshake_is_over_is_a_failure() {
    let mut unasked = WsConnection::client();
    let mut bytes = *b"early";
    let mut input = &mut bytes[..];
    assert!(unasked.receive(&mut input).unwrap().is_none());
    assert_eq!(input, b"early", "nothing is used before we have asked");
    assert_eq!(unasked.receive_eof().unwrap_err(), Failed::UnexpectedEof.into());
    let (mut client, mut server) = asked();
    assert!(matches!(client.receive_eof(), Err(WsFailed::Response(ResponseError::UnexpectedEof { .. }))));
    assert_eq!(
        server.receive_eof().unwrap_err(),
        Failed::UnexpectedEof.into(),
        "the client left while we decided"
    );
    let mut reading = WsConnection::server();
    receive(&mut reading, b"GET /").unwrap();
    assert!(matches!(
        reading.receive_eof(),
        Err(WsFailed::Request(RequestError::UnexpectedEof { received: 5 }))
    ));
    for engine in [unasked, client, server, reading] {
        assert_eq!(engine.state(), Closed);
    }
}

#[test] // RFC 9110 §15.5.9
fn a_request_that_is_not_complete_in_time_is_answered_with_408() {
    let mut server = WsConnection::server();
    receive(&mut server, b"GET / HT").unwrap();
    server.time_out();
    assert!(transmitted(&mut server).starts_with(b"HTTP/1.1 408 "));
    assert!(matches!(
        receive(&mut server, b"x"),
        Err(WsFailed::Request(RequestError::TimedOut { received: 8 }))
    ));
    let (_, mut complete) = asked();
    complete.time_out();
    assert_eq!(complete.state(), Connecting);
}

#[test]
fn events_out_of_place_are_refused_and_change_nothing() {
    let accept = || WsEvent::from(AcceptConnection::new());
    let reject = || WsEvent::from(RejectConnection::new(403).unwrap());
    let data = || WsEvent::from(RejectData::last("x"));
    let all = || [accept(), reject(), data(), request().into(), WsEvent::from("x")];
    let (client, server) = asked();
    let (open_client, open_server) = open();
    // what is legal in each phase, by its place in `all`
    let phases = [
        (WsConnection::client(), Some(3)),
        (WsConnection::server(), None),
        (client, None),
        (server, None), // decided below
        (open_client, Some(4)),
        (open_server, Some(4)),
    ];
    for (mut engine, legal) in phases {
        let deciding = engine.role() == Role::Server && engine.connection().is_none();
        for (at, event) in all().into_iter().enumerate() {
            if legal == Some(at) || deciding && at < 2 {
                continue;
            }
            let (mut out, state) = (Vec::new(), engine.state());
            let error = engine.send(event, &mut out).unwrap_err();
            assert!(
                matches!(error, WsLocalError::State(LocalError::WrongState { state: at, .. }) if at == state)
            );
            assert_eq!((engine.state(), out), (state, vec![]));
        }
    }
    let mut reading = WsConnection::server();
    assert_eq!(reading.send(accept(), &mut Vec::new()), Err(wrong_state("an acceptance", Connecting)));
    assert_eq!(reading.send(reject(), &mut Vec::new()), Err(wrong_state("a refusal", Connecting)));
    let (_, mut closed) = asked();
    said(&mut closed, reject());
    assert_eq!(closed.send("x", &mut Vec::new()), Err(wrong_state("a message", Closed)));
    assert_eq!(closed.send(data(), &mut Vec::new()), Err(wrong_state("the body of a refusal", Closed)));
    assert_eq!(closed.send(request(), &mut Vec::new()), Err(wrong_state("a request", Closed)));
}

#[test]
fn a_subprotocol_that_was_not_offered_can_be_corrected() {
    let (_, mut server) = asked();
    let error = server.send(AcceptConnection::new().with_subprotocol("other"), &mut Vec::new()).unwrap_err();
    let kind = AcceptErrorKind::SubprotocolNotOffered { subprotocol: "other".into() };
    assert_eq!(error, WsLocalError::Accept(kind));
    said(&mut server, AcceptConnection::new().with_subprotocol("chat"));
    assert_eq!(server.state(), Open);
}

#[test]
fn a_request_parsed_elsewhere_comes_as_the_first_event() {
    let parsed = http::Request::get("/chat")
        .header("Host", "h")
        .header("Upgrade", "websocket")
        .header("Connection", "upgrade")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let (parts, ()) = parsed.body(()).unwrap().into_parts();
    let mut server = WsConnection::from_parts(&parts).unwrap();
    assert!(matches!(&receive(&mut server, b"").unwrap()[..], [WsEvent::Request(_)]));
    assert!(said(&mut server, AcceptConnection::new()).starts_with(b"HTTP/1.1 101 "));
    let (plain, ()) = http::Request::get("/").body(()).unwrap().into_parts();
    assert!(WsConnection::from_parts(&plain).is_err());
}

#[test]
fn limits_and_the_random_source_are_the_callers() {
    let limits = HandshakeConfig::new().max_line(10);
    let mut server = WsConnection::server().with_handshake_config(limits);
    assert!(matches!(receive(&mut server, b"GET /longer-than-that"), Err(WsFailed::Request(_))));
    assert!(transmitted(&mut server).starts_with(b"HTTP/1.1 414 "));

    let mut client = WsConnection::client().with_random(Box::new(Fixed)).with_handshake_config(limits);
    let asked = String::from_utf8(said(&mut client, request())).unwrap();
    assert!(
        asked.contains("\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n")
            || asked.to_lowercase().contains("sec-websocket-key: aaaaaaaaaaaaaaaaaaaaaa=="),
        "{asked}"
    );
    assert!(matches!(receive(&mut client, b"HTTP/1.1 101 Switching"), Err(WsFailed::Response(_))));

    let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
    server = server.with_config(Config::new().max_message_size(3));
    let asked = said(&mut client, request());
    receive(&mut server, &asked).unwrap();
    said(&mut server, AcceptConnection::new());
    let refused = receive(&mut server, &header(Role::Client, FIN | TEXT, 4)).unwrap_err();
    let fault = ProtocolError::MessageTooBig { size: 4, limit: 3 };
    assert_eq!(refused, Failed::Peer(fault).into());
    let told = [&1009_u16.to_be_bytes(), fault.to_string().as_bytes()].concat();
    assert_eq!(transmitted(&mut server), frame(Role::Server, FIN | CLOSE, &told));
}

/// Zeros, of any number.
#[derive(Debug)]
struct Fixed;

impl wscope::proto::RandomSource for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

#[test]
fn the_random_source_goes_on_to_mask_frames() {
    let (mut client, mut server) =
        (WsConnection::client().with_random(Box::new(Fixed)), WsConnection::server());
    let asked = said(&mut client, request());
    receive(&mut server, &asked).unwrap();
    let accepted = said(&mut server, AcceptConnection::new());
    receive(&mut client, &accepted).unwrap();
    assert_eq!(said(&mut client, "x"), [FIN | TEXT, 0x81, 0, 0, 0, 0, b'x']);
}

/// The lines of the head that `event` becomes, in lower case.
fn head(engine: &mut WsConnection, event: impl Into<WsEvent>) -> Vec<String> {
    let mut head = String::from_utf8(said(engine, event)).unwrap();
    head.truncate(head.find("\r\n\r\n").unwrap());
    head.split("\r\n").map(str::to_lowercase).collect()
}

fn received_request(bytes: &[u8]) -> (WsConnection, Request) {
    let mut server = WsConnection::server();
    let Ok(Some(WsEvent::Request(request))) = server.receive(&mut &mut bytes.to_vec()[..]) else { panic!() };
    (server, request)
}

#[test] // a proxy: what one handshake received, the other sends on
fn events_that_were_received_can_be_sent_on() {
    let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
    let (mut inner_client, mut inner_server) = (WsConnection::client(), WsConnection::server());
    let request = request().with_header("Origin", "http://example.com").unwrap();
    let asked = said(&mut client, request);
    let Some(WsEvent::Request(request)) = receive(&mut server, &asked).unwrap().pop() else { panic!() };

    let asked = said(&mut inner_client, request);
    let Some(WsEvent::Request(request)) = receive(&mut inner_server, &asked).unwrap().pop() else { panic!() };
    assert_eq!((request.host(), request.target()), ("example.com", "/chat?x=1"));
    assert_eq!(request.headers()["origin"], "http://example.com");
    let accept = AcceptConnection::new().with_subprotocol("chat").with_header("Set-Cookie", "a=1").unwrap();
    let accepted = said(&mut inner_server, accept);
    let Some(WsEvent::AcceptConnection(accept)) = receive(&mut inner_client, &accepted).unwrap().pop() else {
        panic!()
    };

    let accepted = said(&mut server, accept);
    let Some(WsEvent::AcceptConnection(accept)) = receive(&mut client, &accepted).unwrap().pop() else {
        panic!()
    };
    assert_eq!(
        (accept.subprotocol(), &accept.headers()["set-cookie"]),
        (Some("chat"), &"a=1".parse().unwrap())
    );
}

#[test]
fn both_sides_know_whether_an_extension_was_agreed_on_and_use_it() {
    for (offered, accepted) in [(true, true), (true, false), (false, true)] {
        let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
        let request = if offered { request().with_extension(TOY.arc()) } else { request() };
        let asked = said(&mut client, request);
        receive(&mut server, &asked).unwrap();
        let accept = AcceptConnection::new();
        let accept = if accepted { accept.with_extension(TOY.arc()) } else { accept };
        let answer = said(&mut server, accept);
        receive(&mut client, &answer).unwrap();
        for engine in [&client, &server] {
            assert_eq!(engine.connection().unwrap().has_extension(), offered && accepted);
        }
        let hello = said(&mut server, "hello");
        assert_eq!(hello[0], FIN | TEXT | if offered && accepted { RSV3 } else { 0 });
        let events = receive(&mut client, &hello).unwrap();
        assert!(matches!(&events[..], [WsEvent::Connection(event)] if *event == Event::from("hello")));
    }
}

#[test] // a `HeaderMap` panics when it is full
fn requests_and_answers_of_any_number_of_headers_are_refused_or_sent_on() {
    let limit = HeaderError::MAX_HEADERS;
    let config = HandshakeConfig::new().max_head(usize::MAX).max_header_lines(usize::MAX);
    for (more, fits) in [(limit - 5, true), (limit - 4, false), (40_000, false)] {
        let lines: String = (0..more).map(|n| format!("x-{n}: x\r\n")).collect();
        let head = "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let request = format!("GET / HTTP/1.1\r\n{head}{lines}\r\n");
        let mut server = WsConnection::server().with_handshake_config(config);
        match receive(&mut server, request.as_bytes()).map(|mut events| events.pop()) {
            Ok(Some(WsEvent::Request(request))) if fits => {
                let lines = self::head(&mut WsConnection::client(), request.clone());
                assert!(lines.contains(&format!("x-{}: x", more - 1)));
                assert_eq!(request.with_header("x", "x").unwrap_err(), HeaderError::TooMany { limit });
            }
            Err(WsFailed::Request(RequestError::Head(HeadError::TooManyHeaders { limit: found })))
                if !fits =>
            {
                assert_eq!(found, limit);
            }
            other => panic!("{more}: {other:?}"),
        }

        let mut client = WsConnection::client().with_handshake_config(config);
        said(&mut client, self::request());
        let refusal = format!("HTTP/1.1 403 x\r\n{lines}Content-Length: 0\r\n\r\n");
        let refused = receive(&mut client, refusal.as_bytes());
        assert_eq!(refused.is_ok(), more < limit, "{more}");
    }
}

#[test] // nobody here could judge the answer to them
fn offers_of_extensions_are_not_sent_on() {
    let asked = said(&mut WsConnection::client(), request());
    let end = asked.len() - 2;
    let offer = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let (_, request) = received_request(&[&asked[..end], offer].concat());
    assert_eq!(request.extensions().len(), 1);
    let lines = head(&mut WsConnection::client(), request);
    assert!(!lines.iter().any(|line| line.starts_with("sec-websocket-extensions")), "{lines:?}");
}

#[test] // RFC 9112 §6.3, §11.1: a framing that no longer fits the body would split the response
fn refusals_that_were_received_are_framed_anew() {
    for (framing, body) in [
        ("Content-Length: 2\r\n", "no"),
        ("Transfer-Encoding: chunked\r\n", "2\r\nno\r\n0\r\n\r\n"),
        ("", "no"),
        ("Content-Length: 0\r\n", ""),
    ] {
        let mut client = WsConnection::client();
        let asked = said(&mut client, request());
        let refused = format!(
            "HTTP/1.1 403 Forbidden\r\nX-A: b\r\nUpgrade: h2c\r\nConnection: upgrade\r\n{framing}\r\n{body}"
        );
        let mut events = receive(&mut client, refused.as_bytes()).unwrap().into_iter();
        let Some(WsEvent::RejectConnection(reject)) = events.next() else { panic!("{framing}") };
        let has_body = reject.has_body();

        let (mut server, _) = received_request(&asked);
        let lines = head(&mut server, reject);
        let framed: Vec<_> =
            lines.iter().filter(|line| line.contains("-length") || line.contains("-enc")).collect();
        assert_eq!(framed.is_empty(), has_body, "{lines:?}");
        assert!(lines.iter().any(|line| line == "x-a: b"), "{lines:?}");
        assert_eq!(server.state(), if has_body { Rejecting } else { Closed });
    }
}

#[test] // RFC 9110 §6.4.1, §8.6
fn refusals_without_content_that_were_received_get_no_body() {
    for status in [204, 304] {
        let mut client = WsConnection::client();
        let asked = said(&mut client, request());
        let refused = format!("HTTP/1.1 {status} x\r\nContent-Length: 5\r\n\r\n");
        let Some(WsEvent::RejectConnection(reject)) = receive(&mut client, refused.as_bytes()).unwrap().pop()
        else {
            panic!("{status}")
        };
        for reject in [reject.clone(), reject.clone().with_body("smuggled"), reject.with_body_to_follow()] {
            let (mut server, _) = received_request(&asked);
            let bytes = said(&mut server, reject);
            assert!(bytes.ends_with(b"\r\nConnection: close\r\n\r\n"), "{}", bytes.escape_ascii());
            assert_eq!(server.state(), Closed);
        }
    }
}

#[test]
fn failures_say_whose_they_are() {
    let texts = [
        WsFailed::from(RequestError::Method).to_string(),
        WsFailed::from(ResponseError::WrongAccept).to_string(),
        WsFailed::from(Failed::UnexpectedEof).to_string(),
        wrong_state("a request", Open).to_string(),
    ];
    assert_eq!(
        texts,
        [
            "the client sent no opening handshake: the method of the request is not GET (RFC 6455 §4.1)",
            "the server's answer is no opening handshake: the response's Sec-WebSocket-Accept does not belong to our key (RFC 6455 §4.1)",
            "the stream ended without a closing handshake (1006, RFC 6455 §7.1.5)",
            "a request was not sent: the connection is in state \"open\", which forbids it (RFC 6455 §7.1)",
        ]
    );
}
