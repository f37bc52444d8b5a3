//! Both halves against each other, and each against tungstenite, in memory.

use super::{TOY, request_head, start, uri};
use proptest::prelude::*;
use std::{
    cell::RefCell,
    collections::VecDeque,
    io::{self, Read, Write},
    rc::Rc,
};
use tungstenite::{
    HandshakeError,
    client::client_with_config,
    handshake::{MidHandshake, server::NoCallback},
};
use wscope::proto::{
    AcceptConnection, Agreement, ClientEvent, ClientHandshake, HandshakeConfig, RejectConnection, RejectData,
    Request, RequestReader, WebSocketUri,
};

/// One end of a connection: what it has to read, and what it wrote.
#[derive(Clone, Default)]
struct Wire(Rc<RefCell<(VecDeque<u8>, Vec<u8>)>>);

impl Wire {
    fn feed(&self, bytes: &[u8]) {
        self.0.borrow_mut().0.extend(bytes);
    }

    fn written(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut().1)
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.borrow_mut().0.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The handshake that waits for more bytes.
fn interrupted<T, R: tungstenite::handshake::HandshakeRole>(
    result: Result<T, HandshakeError<R>>,
) -> MidHandshake<R> {
    match result {
        Err(HandshakeError::Interrupted(mid)) => mid,
        Err(HandshakeError::Failure(error)) => panic!("{error}"),
        Ok(_) => panic!("done too early"),
    }
}

#[test]
fn tungstenite_as_client_opens_a_connection_with_our_server() {
    for (status, reject) in [(101, None), (403, Some(RejectConnection::new(403).unwrap().with_body("no")))] {
        let wire = Wire::default();
        let mid = interrupted(client_with_config("ws://h:81/chat?x", wire.clone(), None));

        let mut reader = RequestReader::new(HandshakeConfig::default());
        let (mut sent, mut out) = (wire.written(), Vec::new());
        let handshake = reader.receive(&mut &mut sent[..], &mut out).unwrap().unwrap();
        assert_eq!((handshake.request().host(), handshake.request().target()), ("h:81", "/chat?x"));
        match reject {
            None => drop(handshake.accept(AcceptConnection::new(), &mut out).unwrap()),
            Some(reject) => assert!(handshake.reject(reject, &mut out).is_finished()),
        }
        wire.feed(&out);
        match mid.handshake() {
            Ok((_, response)) => assert_eq!(response.status(), status),
            Err(HandshakeError::Failure(tungstenite::Error::Http(response))) => {
                assert_eq!(
                    (response.status().as_u16(), response.body().as_deref()),
                    (status, Some(&b"no"[..]))
                );
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn tungstenite_as_server_opens_a_connection_with_our_client() {
    let wire = Wire::default();
    let accepting = tungstenite::ServerHandshake::start(wire.clone(), NoCallback, None);
    let mid = interrupted(accepting.handshake());
    let (mut client, sent) = start(Request::to(&uri()), HandshakeConfig::default());
    wire.feed(&sent);
    mid.handshake().unwrap();
    let mut answer = wire.written();
    let mut input = &mut answer[..];
    assert!(matches!(client.receive(&mut input), Ok(Some(ClientEvent::AcceptConnection(..)))));
    assert!(input.is_empty());
}

/// Feeds a client in pieces of `size` bytes.
fn feed(client: &mut ClientHandshake, bytes: &[u8], size: usize) -> (Vec<ClientEvent>, Vec<u8>) {
    let (events, error, rest) = super::judge(client, bytes.chunks(size));
    assert_eq!(error, None);
    (events, rest)
}

/// Opens a connection between our two halves; both agreements and the early bytes that came through.
fn open(request: Request, accept: AcceptConnection, size: usize) -> (Agreement, Agreement) {
    let (mut client, mut sent) = start(request, HandshakeConfig::default());
    sent.extend_from_slice(b"early client");
    let (handshake, mut out, early) = super::serve(HandshakeConfig::default(), sent.chunks(size));
    assert_eq!(early, b"early client");
    let served = handshake.unwrap().unwrap().accept(accept, &mut out).unwrap();
    out.extend_from_slice(b"early server");
    let (mut events, early) = feed(&mut client, &out, size);
    assert_eq!(early, b"early server");
    let Some(ClientEvent::AcceptConnection(_, opened)) = events.pop() else { panic!("{events:?}") };
    (opened, served)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn our_two_halves_agree(
        path in "/[ -~é]{0,20}",
        userinfo in "([a-z]{1,4}(:[a-z]{0,4})?@)?",
        offers in prop::collection::hash_set("[a-zA-Z0-9.-]{1,8}", 1..5),
        pick in prop::option::of(any::<prop::sample::Index>()),
        extension in any::<(bool, bool)>(),
        size in 1_usize..400,
    ) {
        let Ok(uri) = format!("ws://{userinfo}h{path}").parse::<WebSocketUri>() else { return Ok(()) };
        let offers: Vec<String> = offers.into_iter().collect();
        let mut request = Request::to(&uri).with_subprotocols(offers.iter().cloned()).unwrap();
        let mut accept = AcceptConnection::new();
        let picked = pick.map(|pick| offers[pick.index(offers.len())].clone());
        if let Some(picked) = &picked {
            accept = accept.with_subprotocol(picked.clone());
        }
        if extension.0 {
            request = request.with_extension(TOY.arc());
        }
        if extension.1 {
            accept = accept.with_extension(TOY.arc());
        }
        let (opened, served) = open(request, accept, size);
        prop_assert_eq!(&opened.subprotocol, &picked);
        prop_assert_eq!(served.subprotocol, picked);
        prop_assert_eq!(opened.extension.is_some(), extension.0 && extension.1);
        prop_assert_eq!(served.extension.is_some(), extension.0 && extension.1);
    }

    #[test]
    fn a_refusal_of_ours_arrives_whole(
        status in 200_u16..=599,
        pieces in prop::collection::vec("[ -~]{0,30}", 0..5),
        size in 1_usize..100,
    ) {
        let Ok(reject) = RejectConnection::new(status) else { return Ok(()) };
        let whole = pieces.concat();
        let handshake = || super::serve_bytes(&request_head().bytes()).unwrap();

        let mut at_once = Vec::new();
        prop_assert!(handshake().reject(reject.clone().with_body(whole.clone()), &mut at_once).is_finished());
        let mut in_pieces = Vec::new();
        let mut rejection = handshake().reject(reject.with_body_to_follow(), &mut in_pieces);
        for piece in pieces {
            rejection.send(RejectData::more(piece), &mut in_pieces).unwrap();
        }
        rejection.send(RejectData::last(""), &mut in_pieces).unwrap();

        for bytes in [at_once, in_pieces] {
            let (mut client, _) = start(Request::to(&uri()), HandshakeConfig::default());
            let (mut events, _) = feed(&mut client, &bytes, size);
            events.extend(client.receive_eof().unwrap());
            let mut body = Vec::new();
            for event in events {
                match event {
                    ClientEvent::RejectConnection(reject) => prop_assert_eq!(reject.status().as_u16(), status),
                    ClientEvent::RejectData(data) => {
                        prop_assert!(!data.is_truncated());
                        body.extend_from_slice(data.data());
                    }
                    other => panic!("{other:?}"),
                }
            }
            prop_assert_eq!(body, whole.as_bytes());
        }
    }
}
