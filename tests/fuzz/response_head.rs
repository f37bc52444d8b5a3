//! Any bytes as the answer to a request, cut anywhere: the same events, nothing accepted that we did not ask for, and no
//! more of a refusal than we want to keep.

use super::{Choices, http::Head, invert::Invert, wire::FixedKey};
use std::sync::Arc;
use wscope::proto::{
    AcceptConnection, ClientEvent, ClientHandshake, HandshakeConfig, Request, RequestReader, ResponseError,
    WebSocketUri,
};

/// What the client of this body offers.
pub const SUBPROTOCOLS: [&str; 2] = ["chat", "superchat"];
pub const EXTENSION: &str = "permessage-deflate; client_max_window_bits";

/// Input: limits, a number of cuts, their lengths, the bytes on the wire.
pub fn response_head(input: &[u8]) {
    let mut choices = Choices::new(input);
    let config = HandshakeConfig::new()
        .max_head(choices.one_of([16 * 1024, 0, 100, 400]))
        .max_line(choices.one_of([8 * 1024, 0, 20, 80]))
        .max_header_lines(choices.one_of([100, 0, 5, 8]))
        .max_reject_body(choices.one_of([64 * 1024, 0, 1, 10]));
    let count = usize::from(choices.byte() % 16);
    let (cuts, wire) = (choices.bytes(count), choices.rest());

    let whole = Answer::of(config, wire, []);
    let bytewise = Answer::of(config, wire, std::iter::repeat_n(1, wire.len()));
    assert_eq!(bytewise, whole, "byte by byte");
    let cuts = cuts.iter().copied().map(usize::from).cycle().take(wire.len());
    assert_eq!(Answer::of(config, wire, cuts), whole, "cut");
    whole.check(config, wire);
}

/// A request for all that there is.
pub fn request() -> Request {
    let uri: WebSocketUri = "ws://example.com/chat".parse().expect("a URI");
    let invert = Invert { offers: vec![EXTENSION.parse().expect("an offer")] };
    let request = Request::to(&uri).with_subprotocols(SUBPROTOCOLS).expect("tokens");
    request.with_extension(Arc::new(invert))
}

/// A client that has sent it; its bytes.
pub fn client(config: HandshakeConfig) -> (ClientHandshake, Vec<u8>) {
    let mut out = Vec::new();
    let handshake = ClientHandshake::start(request(), config, &mut FixedKey, &mut out);
    (handshake, out)
}

/// How a server accepts that client.
pub fn acceptance(accept: AcceptConnection) -> Vec<u8> {
    let (_, mut request) = client(HandshakeConfig::new());
    let mut out = Vec::new();
    let handshake = RequestReader::new(HandshakeConfig::new()).receive(&mut &mut request[..], &mut out);
    let handshake = handshake.expect("our own request").expect("all of it");
    handshake.accept(accept, &mut out).expect("a subprotocol that was offered");
    out
}

/// What a client makes of the bytes, and then of their end.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    accepted: Option<Accepted>,
    refused: Option<Refused>,
    failed: Option<ResponseError>,
    /// Bytes that are frames.
    left: Vec<u8>,
}

#[derive(Debug, PartialEq)]
struct Accepted {
    subprotocol: Option<String>,
    extended: bool,
    headers: usize,
}

#[derive(Debug, PartialEq)]
struct Refused {
    status: u16,
    headers: usize,
    has_body: bool,
    body: Vec<u8>,
    finished: bool,
    truncated: bool,
}

impl Answer {
    /// Feeds `wire` in chunks of the lengths that `cuts` gives, then the rest, then the end.
    fn of(config: HandshakeConfig, wire: &[u8], cuts: impl IntoIterator<Item = usize>) -> Self {
        let (mut handshake, _) = client(config);
        let mut answer = Self::default();
        let (mut rest, mut live) = (wire, 0);
        for cut in cuts.into_iter().chain([wire.len()]) {
            let (chunk, tail) = rest.split_at(cut.min(rest.len()));
            rest = tail;
            let used = allocation_counter::measure(|| answer.receive(&mut handshake, chunk));
            let received = wire.len() - rest.len();
            let (peak, limit) = (live + used.bytes_max as i64, most_live(&wire[..received]));
            assert!(peak <= limit, "{peak} bytes live after {received}");
            live += used.bytes_current;
        }
        answer.end(&mut handshake, wire.len());
        answer
    }

    fn receive(&mut self, handshake: &mut ClientHandshake, chunk: &[u8]) {
        let mut chunk = chunk.to_vec();
        let mut input = &mut chunk[..];
        loop {
            match handshake.receive(&mut input) {
                Ok(Some(event)) => self.see(event),
                Ok(None) if self.accepted.is_some() => {
                    return self.left.extend_from_slice(input);
                }
                Ok(None) => {
                    assert!(input.is_empty(), "bytes are left, and no event was given for them");
                    return;
                }
                Err(error) => {
                    assert!(input.is_empty(), "what comes after a failure is discarded");
                    return self.fail(error);
                }
            }
        }
    }

    fn see(&mut self, event: ClientEvent) {
        assert!(self.failed.is_none() && self.accepted.is_none(), "{event:?} after {self:?}");
        match event {
            ClientEvent::AcceptConnection(accept, agreement) => {
                assert!(self.refused.is_none());
                assert_eq!(accept.subprotocol(), agreement.subprotocol.as_deref());
                assert_eq!(accept.extension().is_some(), agreement.extension.is_some());
                self.accepted = Some(Accepted {
                    subprotocol: agreement.subprotocol,
                    extended: agreement.extension.is_some(),
                    headers: accept.headers().len(),
                });
            }
            ClientEvent::RejectConnection(reject) => {
                assert!(self.refused.is_none());
                self.refused = Some(Refused {
                    status: reject.status().as_u16(),
                    headers: reject.headers().len(),
                    has_body: reject.has_body(),
                    body: Vec::new(),
                    finished: false,
                    truncated: false,
                });
            }
            ClientEvent::RejectData(data) => {
                let refused = self.refused.as_mut().expect("the body of a refusal");
                assert!(refused.has_body && !refused.finished, "{data:?} after {refused:?}");
                assert!(data.is_finished() || !data.data().is_empty() && !data.is_truncated(), "{data:?}");
                refused.body.extend_from_slice(data.data());
                (refused.finished, refused.truncated) = (data.is_finished(), data.is_truncated());
            }
            other => panic!("no such event: {other:?}"),
        }
    }

    fn fail(&mut self, error: ResponseError) {
        assert!(self.accepted.is_none() && self.refused.is_none(), "{error} after {self:?}");
        assert!(self.failed.as_ref().is_none_or(|failed| *failed == error), "a failure is sticky");
        self.failed = Some(error);
    }

    /// The end of the stream, twice.
    fn end(&mut self, handshake: &mut ClientHandshake, received: usize) {
        let undecided = *self == Self::default();
        for _ in 0..2 {
            match handshake.receive_eof() {
                Ok(Some(event)) => self.see(event),
                Ok(None) => assert!(self.accepted.is_some() || self.refused.is_some()),
                Err(error) => self.fail(error),
            }
        }
        if undecided {
            assert_eq!(self.failed, Some(ResponseError::UnexpectedEof { received }));
        }
        assert!(self.refused.as_ref().is_none_or(|refused| refused.finished == refused.has_body), "{self:?}");
    }

    /// Judges what was accepted or refused, by a plain reading of the bytes.
    fn check(&self, config: HandshakeConfig, wire: &[u8]) {
        if let Some(refused) = &self.refused {
            assert!(refused.body.len() <= config.max_reject_body, "{refused:?}");
            assert!(refused.status >= 200, "{refused:?}");
        }
        let Some(accepted) = &self.accepted else { return };
        let (mut rest, behind) = wire.split_at(wire.len() - self.left.len());
        assert_eq!(behind, self.left);
        let mut head = Head::parse(rest);
        while head.len < rest.len() {
            assert!(head.start.contains(" 1"), "an interim answer before the last: {head:?}");
            rest = &rest[head.len..];
            head = Head::parse(rest);
        }
        assert!(head.start.starts_with("HTTP/1.1 101"), "{head:?}");
        assert!(head.lists("upgrade", "websocket") && head.lists("connection", "upgrade"), "{head:?}");
        let expected = acceptance(AcceptConnection::new());
        assert_eq!(head.all("sec-websocket-accept"), Head::parse(&expected).all("sec-websocket-accept"));
        let subprotocols: Vec<&str> = accepted.subprotocol.iter().map(String::as_str).collect();
        assert_eq!(head.all("sec-websocket-protocol"), subprotocols);
        assert!(subprotocols.iter().all(|picked| SUBPROTOCOLS.contains(picked)), "{head:?}");
        assert_eq!(accepted.extended, head.lists_any("sec-websocket-extensions"), "{head:?}");
    }
}

/// Most live bytes: the head or the body in a buffer that doubles, the copies of this test, what is parsed of each line.
fn most_live(received: &[u8]) -> i64 {
    let lines = received.iter().filter(|byte| **byte == b'\n').count();
    (9 * received.len() + 400 * lines + 2048) as i64
}
