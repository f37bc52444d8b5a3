//! The opening handshake. Here: what its tests share.

mod agreement;
mod client;
mod config;
mod error;
mod event;
mod halves;
mod request;
mod server;

use std::sync::Arc;
use wscope::proto::{
    ClientEvent, ClientHandshake, ExtensionItem, HandshakeConfig, ListError, RandomSource, Request,
    RequestError, RequestReader, ResponseError, ServerHandshake, Token, WebSocketUri,
    extension::{BrokenStream, Extension, InboundTransform, OutboundTransform, Rsv, Step, Transforms},
};

/// The nonce of the example in RFC 6455 §1.3.
#[derive(Debug)]
pub(crate) struct SampleNonce;

impl RandomSource for SampleNonce {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.copy_from_slice(b"the sample nonce");
    }
}

pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A head: a start line and header lines, of which single ones can be changed.
#[derive(Clone)]
pub(crate) struct Head {
    start: String,
    lines: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn new(start: &str, lines: &[(&str, &str)]) -> Self {
        let lines = lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { start: start.to_owned(), lines }
    }

    pub(crate) fn start(mut self, start: &str) -> Self {
        start.clone_into(&mut self.start);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.lines.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.lines.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With only these lines of that name.
    pub(crate) fn only(self, name: &str, values: &[&str]) -> Self {
        values.iter().fold(self.without(name), |head, value| head.with(name, value))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let lines: String = self.lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{}\r\n{lines}\r\n", self.start).into_bytes()
    }
}

/// The request of RFC 6455 §1.2, without its options.
pub(crate) fn request_head() -> Head {
    Head::new(
        "GET /chat HTTP/1.1",
        &[
            ("Host", "server.example.com"),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", KEY),
            ("Sec-WebSocket-Version", "13"),
        ],
    )
}

/// The answer to it.
pub(crate) fn response_head() -> Head {
    Head::new(
        "HTTP/1.1 101 Switching Protocols",
        &[("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", ACCEPT)],
    )
}

/// What a server makes of `pieces`: its result, what it sends, and what it leaves of the piece that it ended in.
pub(crate) fn serve<'a>(
    config: HandshakeConfig,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Result<Option<ServerHandshake>, RequestError>, Vec<u8>, Vec<u8>) {
    let mut reader = RequestReader::new(config);
    let mut out = Vec::new();
    let (mut result, mut rest) = (Ok(None), Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        if matches!(result, Ok(None)) {
            result = reader.receive(&mut input, &mut out);
        }
        rest.extend_from_slice(input);
    }
    (result, out, rest)
}

/// What a server makes of these bytes in one piece.
pub(crate) fn serve_bytes(bytes: &[u8]) -> Result<ServerHandshake, RequestError> {
    serve(HandshakeConfig::new(), [bytes]).0.map(|handshake| handshake.expect("the request is complete"))
}

pub(crate) fn uri() -> WebSocketUri {
    "ws://server.example.com/chat".parse().unwrap()
}

/// A client that has sent `request`, and what it sent.
pub(crate) fn start(request: Request, config: HandshakeConfig) -> (ClientHandshake, Vec<u8>) {
    let mut out = Vec::new();
    (ClientHandshake::start(request, config, &mut SampleNonce, &mut out), out)
}

/// What a client makes of `pieces`: its events, its error, and what it leaves.
pub(crate) fn judge<'a>(
    handshake: &mut ClientHandshake,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<ClientEvent>, Option<ResponseError>, Vec<u8>) {
    let (mut events, mut rest) = (Vec::new(), Vec::new());
    let mut accepted = false;
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        while !accepted {
            match handshake.receive(&mut input) {
                Ok(None) => break,
                Ok(Some(event)) => {
                    accepted = matches!(event, ClientEvent::AcceptConnection(..));
                    events.push(event);
                }
                Err(error) => return (events, Some(error), rest),
            }
        }
        rest.extend_from_slice(input);
    }
    (events, None, rest)
}

/// What a plain client makes of these bytes in one piece.
pub(crate) fn judge_bytes(bytes: &[u8]) -> (Vec<ClientEvent>, Option<ResponseError>, Vec<u8>) {
    judge(&mut start(Request::to(&uri()), HandshakeConfig::new()).0, [bytes])
}

/// An extension that changes nothing. An offer with `no` is declined; an answer with `bad` is not confirmed.
#[derive(Debug)]
pub(crate) struct Toy {
    pub(crate) offers: &'static [&'static str],
    pub(crate) answer: &'static str,
}

pub(crate) const TOY: Toy = Toy { offers: &["x-toy"], answer: "x-toy" };

impl Toy {
    pub(crate) fn arc(self) -> Arc<dyn Extension> {
        Arc::new(self)
    }
}

impl Extension for Toy {
    fn name(&self) -> &'static str {
        "x-toy"
    }

    fn offers(&self) -> Vec<ExtensionItem> {
        items(self.offers)
    }

    fn accept(&self, offer: &ExtensionItem) -> Option<(ExtensionItem, Transforms)> {
        let declined = offer.parameters().any(|(name, _)| name == "no");
        (!declined).then(|| (self.answer.parse().unwrap(), transforms()))
    }

    fn confirm(&self, answer: &ExtensionItem) -> Option<Transforms> {
        answer.parameters().all(|(name, _)| name != "bad").then(transforms)
    }
}

pub(crate) fn items(texts: &[&str]) -> Vec<ExtensionItem> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) fn token_list(lines: &[&str]) -> Result<Vec<Token>, ListError> {
    Token::parse_list(lines.iter().map(|line| line.as_bytes()))
}

fn transforms() -> Transforms {
    Transforms::new(Rsv::Rsv3, Box::new(Same), Box::new(Same))
}

#[derive(Debug)]
struct Same;

impl InboundTransform for Same {
    fn transform(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<Step, BrokenStream> {
        let (taken, rest) = input.split_at(room.min(input.len()));
        output.extend_from_slice(taken);
        *input = rest;
        Ok(if rest.is_empty() { Step::Done } else { Step::Full })
    }

    fn finish(&mut self, _output: &mut Vec<u8>, _room: usize) -> Result<Step, BrokenStream> {
        Ok(Step::Done)
    }
}

impl OutboundTransform for Same {
    fn transform(&mut self, payload: &[u8], _first: bool, _last: bool, output: &mut Vec<u8>) -> bool {
        output.extend_from_slice(payload);
        true
    }
}
