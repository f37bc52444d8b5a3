//! Any bytes as a request, cut anywhere: the same judgement, an answer to each fault, and nothing accepted that is no
//! opening handshake.

use super::{Choices, http::Head, invert::Invert};
use std::sync::Arc;
use wscope::proto::{AcceptConnection, HandshakeConfig, RequestError, RequestReader, ServerHandshake};

/// Input: limits, a number of cuts, their lengths, the bytes on the wire.
pub fn request_head(input: &[u8]) {
    let mut choices = Choices::new(input);
    let config = HandshakeConfig::new()
        .max_head(choices.one_of([16 * 1024, 0, 100, 400]))
        .max_line(choices.one_of([8 * 1024, 0, 20, 80]))
        .max_header_lines(choices.one_of([100, 0, 5, 8]));
    let count = usize::from(choices.byte() % 16);
    let (cuts, wire) = (choices.bytes(count), choices.rest());

    let whole = Judgement::of(config, wire, []);
    let bytewise = Judgement::of(config, wire, std::iter::repeat_n(1, wire.len()));
    assert_eq!(bytewise, whole, "byte by byte");
    let cuts = cuts.iter().copied().map(usize::from).cycle().take(wire.len());
    assert_eq!(Judgement::of(config, wire, cuts), whole, "cut");
    whole.check(config, wire);
}

/// What a server makes of the bytes.
#[derive(Debug, PartialEq)]
struct Judgement {
    outcome: Outcome,
    /// What it answers of its own accord.
    answer: Vec<u8>,
    /// Bytes that are frames or nobody's.
    left: Vec<u8>,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    /// More must come.
    Nothing,
    /// A handshake: host, target, and the answer that accepts it.
    Handshake(String, String, Vec<u8>),
    Refused(RequestError),
}

impl Judgement {
    /// Feeds `wire` in chunks of the lengths that `cuts` gives, then the rest.
    fn of(config: HandshakeConfig, wire: &[u8], cuts: impl IntoIterator<Item = usize>) -> Self {
        let mut reader = RequestReader::new(config);
        let mut judgement = Self { outcome: Outcome::Nothing, answer: Vec::new(), left: Vec::new() };
        let (mut rest, mut live) = (wire, 0);
        for cut in cuts.into_iter().chain([wire.len()]) {
            let (chunk, tail) = rest.split_at(cut.min(rest.len()));
            rest = tail;
            let used = allocation_counter::measure(|| judgement.receive(&mut reader, chunk));
            let received = wire.len() - rest.len();
            let (peak, limit) = (live + used.bytes_max as i64, most_live(&wire[..received]));
            assert!(peak <= limit, "{peak} bytes live after {received}");
            live += used.bytes_current;
        }
        judgement.end(&mut reader, wire.len());
        judgement
    }

    fn receive(&mut self, reader: &mut RequestReader, chunk: &[u8]) {
        let mut chunk = chunk.to_vec();
        let (mut input, before) = (&mut chunk[..], self.answer.len());
        let received = reader.receive(&mut input, &mut self.answer);
        match (received, &self.outcome) {
            (Ok(None), Outcome::Nothing) => assert!(input.is_empty(), "more is needed, and not all was used"),
            (Ok(None), Outcome::Handshake(..)) => self.left.extend_from_slice(input),
            (Ok(Some(handshake)), Outcome::Nothing) => {
                self.left.extend_from_slice(input);
                self.outcome = accepted(handshake);
            }
            (Err(error), Outcome::Nothing) => {
                assert!(input.is_empty() && self.answer.len() > before, "{error} is answered");
                self.outcome = Outcome::Refused(error);
            }
            (Err(error), Outcome::Refused(first)) => {
                assert_eq!((error, self.answer.len()), (*first, before), "sticky, and answered once");
                assert!(input.is_empty());
            }
            (received, outcome) => panic!("{received:?} after {outcome:?}"),
        }
    }

    /// The end of the stream, twice, and then a clock that runs out.
    fn end(&mut self, reader: &mut RequestReader, received: usize) {
        let ends = [
            reader.receive_eof(&mut self.answer),
            reader.receive_eof(&mut Vec::new()),
            reader.time_out(&mut Vec::new()),
        ];
        let expected = match &self.outcome {
            Outcome::Nothing => Err(RequestError::UnexpectedEof { received }),
            Outcome::Handshake(..) => Ok(()),
            Outcome::Refused(error) => Err(*error),
        };
        assert_eq!(ends, [expected; 3]);
        if self.outcome == Outcome::Nothing {
            assert_eq!(self.answer.is_empty(), received == 0, "who asked for nothing is told nothing");
        }
    }

    /// Judges the judgement, by a plain reading of the bytes.
    fn check(&self, config: HandshakeConfig, wire: &[u8]) {
        match &self.outcome {
            Outcome::Nothing if self.answer.is_empty() => {}
            Outcome::Nothing => assert_eq!(status(&self.answer), 400),
            Outcome::Refused(error) => assert_eq!(status(&self.answer), error.status().as_u16()),
            Outcome::Handshake(host, target, accept) => {
                let head = &wire[..wire.len() - self.left.len()];
                assert_eq!((&wire[head.len()..], &self.answer[..]), (&self.left[..], &[][..]));
                is_opening_handshake(config, head, host, target);
                assert_eq!(Head::parse(accept).start, "HTTP/1.1 101 Switching Protocols");
            }
        }
    }
}

/// The digest of a handshake that is accepted with the first subprotocol on offer, and with an extension if it is.
fn accepted(handshake: ServerHandshake) -> Outcome {
    let request = handshake.request();
    let (host, target) = (request.host().to_owned(), request.target().to_owned());
    let offers = request.extensions().to_vec();
    let accept = AcceptConnection::new().with_extension(Arc::new(Invert::default()));
    let accept = match request.subprotocols().first() {
        Some(subprotocol) => accept.with_subprotocol(subprotocol.as_str()),
        None => accept,
    };
    let mut answer = Vec::new();
    let agreement = handshake.accept(accept, &mut answer).expect("a subprotocol that was offered");
    let agreed = offers.iter().find(|offer| offer.name() == Invert::NAME.as_str());
    assert_eq!(agreement.extension.is_some(), agreed.is_some());
    let agreed: Vec<String> = agreed.iter().map(ToString::to_string).collect();
    assert_eq!(Head::parse(&answer).all("sec-websocket-extensions"), agreed, "as it was offered");
    Outcome::Handshake(host, target, answer)
}

/// The status of a refusal, which has to be whole and to close the connection.
fn status(answer: &[u8]) -> u16 {
    let head = Head::parse(answer);
    let upgrade = !head.all("upgrade").is_empty(); // which Connection must name then (RFC 9110 §7.8)
    assert_eq!(head.all("connection"), [if upgrade { "close, Upgrade" } else { "close" }]);
    let [length] = head.all("content-length")[..] else { panic!("{head:?}") };
    assert_eq!(length.parse(), Ok(answer.len() - head.len), "{head:?}");
    let [version, status, _] = head.start.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{head:?}") };
    assert_eq!(version, "HTTP/1.1");
    status.parse().expect("a number")
}

/// RFC 6455 §4.2.1, read once more and as plainly as can be.
fn is_opening_handshake(config: HandshakeConfig, head: &[u8], host: &str, target: &str) {
    let parsed = Head::parse(head);
    assert_eq!(parsed.len, head.len());
    assert!(head.len() <= config.max_head && parsed.headers.len() <= config.max_header_lines);
    assert!(parsed.longest <= config.max_line);
    let [method, wanted, version] = parsed.start.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{parsed:?}")
    };
    assert_eq!((method, version), ("GET", "HTTP/1.1"));
    assert!(
        target.starts_with('/') && (wanted.ends_with(target) || target.starts_with("/?") || target == "/")
    );
    assert_eq!(parsed.all("host").len(), 1);
    assert!(
        wanted.contains("://") || parsed.all("host")[0].eq_ignore_ascii_case(host),
        "{host} of {parsed:?}"
    );
    assert!(parsed.lists("upgrade", "websocket") && parsed.lists("connection", "upgrade"), "{parsed:?}");
    assert_eq!(parsed.all("sec-websocket-version"), ["13"]);
    let [key] = parsed.all("sec-websocket-key")[..] else { panic!("{parsed:?}") };
    assert!(key.len() == 24 && key.ends_with("=="), "{key} is not the base64 of 16 bytes");
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    assert!(key.bytes().take(22).all(is_base64) && key[21..].starts_with(['A', 'Q', 'g', 'w']), "{key}");
    assert!(parsed.all("transfer-encoding").is_empty(), "a body: {parsed:?}");
    assert!(
        parsed.all("content-length").iter().all(|length| length.trim_matches('0').is_empty()),
        "{parsed:?}"
    );
}

/// Most live bytes: the head in a buffer that doubles, the copy of the chunk in this test, what is parsed of each line.
fn most_live(received: &[u8]) -> i64 {
    let lines = received.iter().filter(|byte| **byte == b'\n').count();
    (6 * received.len() + 400 * lines + 2048) as i64
}
