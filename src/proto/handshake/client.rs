//! The client's half: send a request, judge the answer (RFC 6455 §4.1).
//!
//! ```text
//! Head ── 1xx ──▶ Head          interim answers are skipped, all within one limit
//!   ├──── 101 ──▶ Accepted      AcceptConnection and Agreement; what follows are frames
//!   ├──── else ─▶ Body ─▶ Rejected   RejectConnection, RejectData ...
//!   └──── fault ▶ Failed        the same error for ever
//! ```

use super::{
    agreement::{Agreement, confirm_extension},
    config::HandshakeConfig,
    error::ResponseError,
    event::{AcceptConnection, RejectConnection, RejectData},
    request::{RESERVED, Request, append_unreserved, check_count},
};
use crate::proto::{
    RandomSource,
    header::{ExtensionItem, lines, lists_token, only_line},
    http::{BodyReader, HeadError, HeadReader, Start, header_value, write_request_head},
};
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use http::{
    HeaderMap, HeaderValue, StatusCode, Version,
    header::{
        CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    response::Parts,
};

/// A request that has been sent and waits for its answer.
///
/// ```
/// use wscope::proto::{ClientEvent, ClientHandshake, HandshakeConfig, Request, SystemRandom, WebSocketUri};
///
/// let uri: WebSocketUri = "ws://example.com/chat".parse()?;
/// let mut out = Vec::new();
/// let mut handshake =
///     ClientHandshake::start(Request::to(&uri), HandshakeConfig::new(), &mut SystemRandom::new(), &mut out);
/// assert!(out.starts_with(b"GET /chat HTTP/1.1\r\nHost: example.com\r\n"));
///
/// let mut answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno".to_vec();
/// let mut input = &mut answer[..];
/// let Some(ClientEvent::RejectConnection(reject)) = handshake.receive(&mut input)? else { panic!() };
/// assert_eq!(reject.status(), 403);
/// let Some(ClientEvent::RejectData(body)) = handshake.receive(&mut input)? else { panic!() };
/// assert_eq!((&body.data()[..], body.is_finished()), (&b"no"[..], true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ClientHandshake {
    request: Request,
    /// What `Sec-WebSocket-Accept` must be.
    accept_key: String,
    max_reject_body: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The head of the answer is not complete.
    Head(HeadReader),
    /// Refused; the body is coming.
    Body(BodyReader),
    /// Accepted: what comes now is not ours.
    Accepted,
    /// Refused, and the body is complete.
    Rejected,
    /// The answer was none.
    Failed(ResponseError),
}

/// What a client is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The server accepted. What it sent behind its answer has not been touched: these are frames.
    AcceptConnection(AcceptConnection, Agreement),
    /// The server refused.
    RejectConnection(RejectConnection),
    /// A piece of the body of the refusal.
    RejectData(RejectData),
}

impl ClientHandshake {
    /// Appends `request` to `out`, with a nonce of 16 bytes from `random` (RFC 6455 §4.1), and waits for the answer.
    ///
    /// Cannot fail: whatever a [`Request`] holds can be sent.
    pub fn start(
        request: Request,
        config: HandshakeConfig,
        random: &mut dyn RandomSource,
        out: &mut Vec<u8>,
    ) -> Self {
        let (headers, this) = Self::new(request, config, random);
        write_request_head(this.request.target(), &headers, out);
        this
    }

    /// The same for an HTTP client that sends the request and reads the answer itself: the headers to be sent with a `GET`
    /// for [`Request::target`], and what [judges](Self::accept_parts) the answer.
    ///
    /// ```
    /// use wscope::proto::{ClientHandshake, Request, SystemRandom, WebSocketUri};
    ///
    /// let uri: WebSocketUri = "ws://example.com/chat".parse()?;
    /// let (headers, handshake) = ClientHandshake::start_elsewhere(Request::to(&uri), &mut SystemRandom::new());
    /// assert_eq!((&headers["host"], handshake.request().target()), (&"example.com".parse()?, "/chat"));
    ///
    /// let (answer, ()) = http::Response::builder().status(503).body(())?.into_parts();
    /// let error = handshake.accept_parts(&answer).unwrap_err();
    /// assert_eq!(error.to_string(), "the status of the response is 503 instead of 101 (RFC 6455 §4.1)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_elsewhere(request: Request, random: &mut dyn RandomSource) -> (HeaderMap, Self) {
        Self::new(request, HandshakeConfig::new(), random)
    }

    /// Judges an answer that has been parsed elsewhere, as by an HTTP/1.1 client.
    ///
    /// # Errors
    /// [`ResponseError`] when the answer does not accept the handshake; [`ResponseError::Status`] when it refuses it.
    pub fn accept_parts(&self, parts: &Parts) -> Result<(AcceptConnection, Agreement), ResponseError> {
        if parts.status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(ResponseError::Status { status: parts.status.as_u16() });
        }
        self.judge(parts.version, parts.headers.clone())
    }

    fn new(request: Request, config: HandshakeConfig, random: &mut dyn RandomSource) -> (HeaderMap, Self) {
        let mut nonce = [0; 16];
        random.fill(&mut nonce);
        let key = data_encoding::BASE64.encode(&nonce);
        let accept_key = derive_accept_key(key.as_bytes());
        let headers = request_headers(&request, key);
        let state = State::Head(HeadReader::new(Start::Status, config.head_limits()));
        (headers, Self { request, accept_key, max_reject_body: config.max_reject_body, state })
    }

    /// The request that was sent.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// Takes bytes and returns at most one event; call again while `input` is not empty. `None` when more bytes are
    /// needed, and after the last event: then `input` is left alone if the server accepted, and dropped if it refused.
    ///
    /// # Errors
    /// [`ResponseError`] when the answer is none. Every later call returns the same error and drops its input.
    pub fn receive(&mut self, input: &mut &mut [u8]) -> Result<Option<ClientEvent>, ResponseError> {
        match &mut self.state {
            State::Head(_) => {
                let result = self.receive_head(input);
                if let Err(error) = &result {
                    *input = &mut [];
                    self.state = State::Failed(error.clone());
                }
                result
            }
            State::Body(body) => {
                let data = body.read(input);
                Ok(self.body_event(data))
            }
            State::Accepted => Ok(None),
            State::Rejected => {
                *input = &mut [];
                Ok(None)
            }
            State::Failed(error) => {
                *input = &mut [];
                Err(error.clone())
            }
        }
    }

    /// The server will send no more. The last event of a refusal comes from here when the end of the connection is what
    /// ends its body.
    ///
    /// # Errors
    /// [`ResponseError::UnexpectedEof`] when there was no answer yet, or the error that stood before.
    pub fn receive_eof(&mut self) -> Result<Option<ClientEvent>, ResponseError> {
        match &mut self.state {
            State::Head(head) => {
                let error = ResponseError::UnexpectedEof { received: head.received() };
                self.state = State::Failed(error.clone());
                Err(error)
            }
            State::Body(body) => {
                body.read_eof();
                Ok(self.body_event(Vec::new()))
            }
            State::Accepted | State::Rejected => Ok(None),
            State::Failed(error) => Err(error.clone()),
        }
    }

    /// Reads heads until one is final.
    fn receive_head(&mut self, input: &mut &mut [u8]) -> Result<Option<ClientEvent>, ResponseError> {
        let State::Head(reader) = &mut self.state else { return Ok(None) };
        let response = loop {
            if !reader.read(input)? {
                return Ok(None);
            }
            let response = reader.response()?;
            // Any number of interim responses may come before the final one (RFC 9110 §15.2).
            if !response.status().is_informational() || response.status() == StatusCode::SWITCHING_PROTOCOLS {
                break response;
            }
            reader.next_head();
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let (parts, ()) = response.into_parts();
            let (accept, agreement) = self.judge(parts.version, parts.headers)?;
            self.state = State::Accepted;
            return Ok(Some(ClientEvent::AcceptConnection(accept, agreement)));
        }
        let (status, headers) = (response.status(), response.into_parts().0.headers);
        let body = BodyReader::new(status, &headers, self.max_reject_body);
        let has_body = !body.is_done();
        self.state = if has_body { State::Body(body) } else { State::Rejected };
        Ok(Some(ClientEvent::RejectConnection(RejectConnection::received(status, headers, has_body))))
    }

    /// The next piece of the body, if there is anything to say: bytes, or that it is over.
    fn body_event(&mut self, data: Vec<u8>) -> Option<ClientEvent> {
        let State::Body(body) = &self.state else { return None };
        let (finished, truncated) = (body.is_done(), body.is_truncated());
        if finished {
            self.state = State::Rejected;
        }
        if data.is_empty() && !finished {
            return None;
        }
        Some(ClientEvent::RejectData(RejectData::received(data.into(), finished, truncated)))
    }

    /// Each rule of RFC 6455 §4.1 for an answer 101.
    fn judge(
        &self,
        version: Version,
        headers: HeaderMap,
    ) -> Result<(AcceptConnection, Agreement), ResponseError> {
        if version != Version::HTTP_11 {
            return Err(HeadError::HttpVersion.into());
        }
        check_count(&headers)?;
        if !lists_token(lines(&headers, &UPGRADE), "websocket") {
            return Err(ResponseError::MissingUpgrade);
        }
        if !lists_token(lines(&headers, &CONNECTION), "upgrade") {
            return Err(ResponseError::MissingConnection);
        }
        // Two of them could have been put there by two servers, of which one did not see our key.
        let accept = only_line(&headers, &SEC_WEBSOCKET_ACCEPT)
            .map_err(|count| ResponseError::AcceptCount { count })?;
        if *accept != *self.accept_key {
            return Err(ResponseError::WrongAccept);
        }
        let subprotocol = self.judge_subprotocol(&headers)?;
        let answers = ExtensionItem::parse_list(lines(&headers, &SEC_WEBSOCKET_EXTENSIONS))
            .map_err(ResponseError::Extensions)?;
        let extension = self.request.extension();
        let transforms = confirm_extension(&answers, extension.map(AsRef::as_ref))?;
        let used = extension.filter(|_| transforms.is_some()).cloned();
        Ok((
            AcceptConnection::received(subprotocol.clone(), used, headers),
            Agreement::new(subprotocol, transforms),
        ))
    }

    /// None, or one of ours in one header, letter for letter: RFC 6455 §4.1 says so where case does not count, and does
    /// not say so of subprotocols.
    fn judge_subprotocol(&self, headers: &HeaderMap) -> Result<Option<String>, ResponseError> {
        let value = match only_line(headers, &SEC_WEBSOCKET_PROTOCOL) {
            Ok(value) => value,
            Err(0) => return Ok(None),
            Err(count) => return Err(ResponseError::SubprotocolCount { count }),
        };
        match self.request.subprotocols().iter().find(|offer| value == offer.as_str()) {
            Some(offer) => Ok(Some(offer.to_string())),
            None => Err(ResponseError::subprotocol_not_offered(value)),
        }
    }
}

/// `Host` first (RFC 9110 §7.2), then the handshake's headers, then the caller's.
fn request_headers(request: &Request, key: String) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, header_value(request.host().to_owned()));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_KEY, header_value(key));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    if !request.subprotocols().is_empty() {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, header_value(join(request.subprotocols())));
    }
    if request.extension().is_some() {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, header_value(join(request.extensions())));
    }
    append_unreserved(&mut headers, request.headers(), RESERVED);
    headers
}

/// `1#element` (RFC 9110 §5.6.1).
fn join<T: ToString>(elements: &[T]) -> String {
    elements.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
