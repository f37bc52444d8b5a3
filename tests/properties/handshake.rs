//! What the caller puts into a handshake is refused, or arrives as it is: nothing can be smuggled into a head.

use crate::cases;
use proptest::{collection::vec, prelude::*};
use wscope::proto::{
    AcceptConnection, ClientEvent, ClientHandshake, HandshakeConfig, RejectConnection, Request,
    RequestReader, ServerHandshake, SystemRandom, WebSocketUri,
};

fn start(request: Request) -> (ClientHandshake, ServerHandshake) {
    let (mut wire, mut out) = (Vec::new(), Vec::new());
    let client = ClientHandshake::start(request, HandshakeConfig::new(), &mut SystemRandom::new(), &mut wire);
    let mut input = &mut wire[..];
    let server = RequestReader::new(HandshakeConfig::new()).receive(&mut input, &mut out);
    let server = server.expect("we send legal requests").expect("and whole ones");
    assert!(input.is_empty(), "nothing stands behind the head");
    (client, server)
}

fn plain() -> Request {
    Request::to(&"ws://example.com".parse().expect("a URI"))
}

/// Texts that are fit for a header, mostly, and texts made to break one.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[!-~]{0,12}",
        "[a-zA-Z0-9-]{1,12}",
        "[ -~\t]{0,12}",
        "[a\r\n\0\t :,;ü\u{7f}]{0,8}",
        Just("x\r\nEvil: yes".to_owned()),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_uri_is_refused_or_makes_a_legal_request(
        uri in "(wss?|WS)://([a:%]{0,3}@)?[a-z0-9.:\\[\\]]{0,9}[/?a-z0-9%#@: ü\r\n\\\\\"]{0,12}",
    ) {
        let Ok(parsed) = uri.parse::<WebSocketUri>() else { return Ok(()) };
        let again = parsed.to_string().parse::<WebSocketUri>();
        prop_assert_eq!(again.map(|again| again.to_string()), Ok(parsed.to_string()));
        let (_, server) = start(Request::to(&parsed));
        prop_assert_eq!(server.request().host(), parsed.host_header());
        prop_assert_eq!(server.request().target(), parsed.target());
    }

    #[test]
    fn a_header_of_a_request_is_refused_or_arrives(name in text(), value in text()) {
        let Ok(request) = plain().with_header(name.as_str(), value.as_str()) else { return Ok(()) };
        let before = start(plain()).1.request().headers().len();
        let (_, server) = start(request);
        let headers = server.request().headers();
        prop_assert_eq!(headers.len(), before + 1);
        prop_assert_eq!(headers[&name].as_bytes(), value.trim_matches([' ', '\t']).as_bytes());
    }

    #[test]
    fn subprotocols_are_refused_or_arrive(texts in vec(text(), 0..4)) {
        let Ok(request) = plain().with_subprotocols(texts.clone()) else { return Ok(()) };
        let (_, server) = start(request);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert_eq!(server.request().subprotocols(), texts);
    }

    #[test]
    fn a_header_of_an_answer_is_refused_or_arrives(name in text(), value in text(), accept in any::<bool>()) {
        let (mut client, server) = start(plain());
        let mut wire = Vec::new();
        if accept {
            let Ok(accept) = AcceptConnection::new().with_header(name.as_str(), value.as_str()) else { return Ok(()) };
            prop_assert!(server.accept(accept, &mut wire).is_ok());
        } else {
            let reject = RejectConnection::new(403).expect("a status").with_header(name.as_str(), value.as_str());
            let Ok(reject) = reject else { return Ok(()) };
            prop_assert!(server.reject(reject, &mut wire).is_finished());
        }
        let mut input = &mut wire[..];
        let event = client.receive(&mut input).expect("we send legal answers");
        let headers = match event.expect("and whole ones") {
            ClientEvent::AcceptConnection(accept, _) => accept.into_headers(),
            ClientEvent::RejectConnection(reject) => reject.headers().clone(),
            other => panic!("no such event: {other:?}"),
        };
        prop_assert!(input.is_empty(), "nothing stands behind the head");
        prop_assert_eq!(headers.len(), if accept { 4 } else { 3 });
        prop_assert_eq!(headers[&name].as_bytes(), value.trim_matches([' ', '\t']).as_bytes());
    }
}
