//! Both halves against each other; `tests/oracle` has each of them against tungstenite.

use super::{TOY, request_head, start, uri};
use proptest::prelude::*;
use wscope::proto::{
    AcceptConnection, Agreement, ClientEvent, ClientHandshake, HandshakeConfig, RejectConnection, RejectData,
    Request, WebSocketUri,
};

/// Feeds a client in pieces of `size` bytes.
fn feed(client: &mut ClientHandshake, bytes: &[u8], size: usize) -> (Vec<ClientEvent>, Vec<u8>) {
    let (events, error, rest) = super::judge(client, bytes.chunks(size));
    assert_eq!(error, None);
    (events, rest)
}

/// Opens a connection between our two halves; both agreements and the early bytes that came through.
fn open(request: Request, accept: AcceptConnection, size: usize) -> (Agreement, Agreement) {
    let (mut client, mut sent) = start(request, HandshakeConfig::new());
    sent.extend_from_slice(b"early client");
    let (handshake, mut out, early) = super::serve(HandshakeConfig::new(), sent.chunks(size));
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
            let (mut client, _) = start(Request::to(&uri()), HandshakeConfig::new());
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
