//! The server's half: read a request, judge it, answer it (RFC 6455 §4.2).
//!
//! ```text
//! bytes ─▶ RequestReader ─▶ ServerHandshake ─ accept ─▶ Agreement
//!                │                 └───────── reject ─▶ Rejection ─ send ...
//!                └─ any fault: the refusal is in `out`, the fault is returned, now and ever after
//! ```
//!
//! [`ServerHandshake::from_parts`] is the way in for a request that an HTTP server has parsed already.

use super::{
    agreement::{Agreement, accept_extension},
    config::HandshakeConfig,
    error::{AcceptError, AcceptErrorKind, BodyFinished, RequestError, connection_options},
    event::{
        AcceptConnection, RESERVED_FOR_ACCEPT, RESERVED_FOR_REJECT, RejectBody, RejectConnection, RejectData,
    },
    request::{Request, append_unreserved, check_count},
};
use crate::proto::{
    header::{ExtensionItem, Token, lines, lists_token, only_line},
    http::{HeadError, HeadReader, Start, header_value, is_secret, write_response_head},
    uri::split_host_and_port,
};
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, Version,
    header::{
        CONNECTION, CONTENT_LENGTH, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
    },
    request::Parts,
};

/// Reads the head of one request, and refuses by itself what is no opening handshake.
///
/// ```
/// use wscope::proto::{AcceptConnection, HandshakeConfig, RequestReader};
///
/// let mut reader = RequestReader::new(HandshakeConfig::new());
/// let mut bytes = b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\nearly".to_vec();
/// let mut input = &mut bytes[..];
/// let mut out = Vec::new();
///
/// let handshake = reader.receive(&mut input, &mut out)?.expect("the request is complete");
/// assert_eq!(handshake.request().path(), "/chat");
/// assert_eq!(input, b"early"); // not ours: frames may not wait for the answer
///
/// handshake.accept(AcceptConnection::new(), &mut out)?;
/// assert!(out.starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RequestReader {
    state: State,
}

#[derive(Debug)]
enum State {
    /// The head is not complete.
    Reading(HeadReader),
    /// The request was handed out; what comes now is not ours.
    Done,
    /// The request was refused.
    Failed(RequestError),
}

impl RequestReader {
    /// A reader under these limits.
    #[must_use]
    pub const fn new(config: HandshakeConfig) -> Self {
        Self { state: State::Reading(HeadReader::new(Start::Request, config.head_limits())) }
    }

    /// Takes bytes up to the end of the head; what follows stays in `input`. `None` until the head is complete, and
    /// after it has been handed out.
    ///
    /// # Errors
    /// [`RequestError`] when this is no opening handshake. The refusal has then been appended to `out`: send it and
    /// close. Every later call returns the same error, drops its input and appends nothing.
    pub fn receive(
        &mut self,
        input: &mut &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<ServerHandshake>, RequestError> {
        let reader = match &mut self.state {
            State::Reading(reader) => reader,
            State::Done => return Ok(None),
            State::Failed(error) => {
                *input = &mut [];
                return Err(*error);
            }
        };
        let judged = match reader.read(input) {
            Ok(false) => return Ok(None),
            Ok(true) => reader.request().map_err(RequestError::from).and_then(|request| {
                let (parts, ()) = request.into_parts();
                ServerHandshake::judge(&parts.method, parts.version, &parts.uri, parts.headers)
            }),
            Err(error) => Err(error.into()),
        };
        match judged {
            Ok(handshake) => {
                self.state = State::Done;
                Ok(Some(handshake))
            }
            Err(error) => {
                *input = &mut [];
                Err(self.fail(error, out))
            }
        }
    }

    /// The client will send no more.
    ///
    /// # Errors
    /// [`RequestError::UnexpectedEof`] unless the head is complete, or the error that stood before. A refusal is
    /// appended to `out` if anything had come: the client may still be reading.
    pub fn receive_eof(&mut self, out: &mut Vec<u8>) -> Result<(), RequestError> {
        self.end(|received| RequestError::UnexpectedEof { received }, out)
    }

    /// The caller's clock ran out.
    ///
    /// # Errors
    /// [`RequestError::TimedOut`] unless the head is complete, or the error that stood before. A refusal (408) is
    /// appended to `out` if anything had come (RFC 9110 §15.5.9).
    pub fn time_out(&mut self, out: &mut Vec<u8>) -> Result<(), RequestError> {
        self.end(|received| RequestError::TimedOut { received }, out)
    }

    fn end(&mut self, error: impl Fn(usize) -> RequestError, out: &mut Vec<u8>) -> Result<(), RequestError> {
        match &self.state {
            State::Reading(reader) => {
                let received = reader.received();
                // Who has sent nothing has asked for nothing: a port scan or a health check.
                let mut nowhere = Vec::new();
                let out = if received > 0 { out } else { &mut nowhere };
                Err(self.fail(error(received), out))
            }
            State::Done => Ok(()),
            State::Failed(error) => Err(*error),
        }
    }

    fn fail(&mut self, error: RequestError, out: &mut Vec<u8>) -> RequestError {
        let response = error.response();
        write_response_head(response.status(), response.headers(), out);
        out.extend_from_slice(response.body().as_bytes());
        self.state = State::Failed(error);
        error
    }
}

/// A request that is a valid opening handshake and waits for its answer. It can be answered once.
///
/// [`RequestReader`] makes one of bytes, [`from_parts`](Self::from_parts) of what an HTTP server has parsed.
#[derive(Debug)]
pub struct ServerHandshake {
    request: Request,
    accept_key: String,
}

impl ServerHandshake {
    /// Judges a request that has been parsed elsewhere, as by an HTTP/1.1 server.
    ///
    /// # Errors
    /// [`RequestError`]; [`RequestError::response`] is the answer.
    ///
    /// ```
    /// use wscope::proto::{AcceptConnection, ServerHandshake};
    ///
    /// let request = http::Request::get("/chat")
    ///     .header("Host", "example.com")
    ///     .header("Upgrade", "websocket")
    ///     .header("Connection", "Upgrade")
    ///     .header("Sec-WebSocket-Version", "13")
    ///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    ///     .body(())?;
    /// let handshake = ServerHandshake::from_parts(&request.into_parts().0)?;
    /// let (response, agreement) = handshake.accept_response(AcceptConnection::new())?;
    /// assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    /// assert!(agreement.extension.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_parts(parts: &Parts) -> Result<Self, RequestError> {
        let mut headers = parts.headers.clone();
        for (name, value) in &mut headers {
            value.set_sensitive(value.is_sensitive() || is_secret(name));
        }
        Self::judge(&parts.method, parts.version, &parts.uri, headers)
    }

    /// The request.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// Accepts: appends the answer to `out`. From here on the connection speaks frames.
    ///
    /// # Errors
    /// [`AcceptError`] when the subprotocol was not offered. It gives the handshake back, and nothing was appended.
    pub fn accept(self, accept: AcceptConnection, out: &mut Vec<u8>) -> Result<Agreement, AcceptError> {
        let (response, agreement) = self.accept_response(accept)?;
        write_response_head(response.status(), response.headers(), out);
        Ok(agreement)
    }

    /// Accepts: the answer as an HTTP server takes it.
    ///
    /// # Errors
    /// [`AcceptError`] when the subprotocol was not offered. It gives the handshake back.
    pub fn accept_response(self, accept: AcceptConnection) -> Result<(Response<()>, Agreement), AcceptError> {
        let subprotocol = accept.subprotocol().map(str::to_owned);
        if let Some(subprotocol) = &subprotocol
            && !self.request.subprotocols().iter().any(|offer| offer == subprotocol.as_str())
        {
            let kind = AcceptErrorKind::SubprotocolNotOffered { subprotocol: subprotocol.clone() };
            return Err(AcceptError::new(kind, self));
        }
        let extension = accept
            .extension()
            .and_then(|extension| accept_extension(self.request.extensions(), extension.as_ref()));

        let mut headers = HeaderMap::new();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, header_value(self.accept_key));
        if let Some(subprotocol) = &subprotocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, header_value(subprotocol.clone()));
        }
        if let Some((answer, _)) = &extension {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, header_value(answer.to_string()));
        }
        append_unreserved(&mut headers, accept.headers(), RESERVED_FOR_ACCEPT);

        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *response.headers_mut() = headers;
        Ok((response, Agreement::new(subprotocol, extension.map(|(_, transforms)| transforms))))
    }

    /// Refuses: appends the answer to `out`, and with it the body if that was given at once. Close when the
    /// [`Rejection`] is finished.
    pub fn reject(self, reject: RejectConnection, out: &mut Vec<u8>) -> Rejection {
        let (status, own_headers, body) = reject.into_parts();
        let mut headers = HeaderMap::new();
        append_unreserved(&mut headers, &own_headers, RESERVED_FOR_REJECT);
        if status == StatusCode::UPGRADE_REQUIRED && !headers.contains_key(UPGRADE) {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        headers.insert(CONNECTION, connection_options(&headers));
        // None of ours, but one that was received may be sent on: it has neither body nor length (RFC 9110 §8.6, §6.4.1).
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            write_response_head(status, &headers, out);
            return Rejection { finished: true };
        }
        match body {
            RejectBody::Whole(body) => {
                headers.insert(CONTENT_LENGTH, header_value(body.len().to_string()));
                write_response_head(status, &headers, out);
                out.extend_from_slice(&body);
                Rejection { finished: true }
            }
            RejectBody::Follows => {
                write_response_head(status, &headers, out);
                Rejection { finished: false }
            }
        }
    }

    /// Each rule of RFC 6455 §4.2.1, and those of HTTP that guard it.
    fn judge(method: &Method, version: Version, uri: &Uri, headers: HeaderMap) -> Result<Self, RequestError> {
        if version != Version::HTTP_11 {
            return Err(HeadError::HttpVersion.into());
        }
        check_count(&headers)?;
        if method != Method::GET {
            return Err(RequestError::Method);
        }
        let (target, authority) = split_target(uri)?;
        if has_body(&headers) {
            return Err(RequestError::Body);
        }
        let host = check_host(&headers, authority)?;
        if !lists_token(lines(&headers, &UPGRADE), "websocket") {
            return Err(RequestError::MissingUpgrade);
        }
        if !lists_token(lines(&headers, &CONNECTION), "upgrade") {
            return Err(RequestError::MissingConnection);
        }
        check_version(&headers)?;
        let accept_key = derive_accept_key(check_key(&headers)?);
        let subprotocols = Token::parse_list(lines(&headers, &SEC_WEBSOCKET_PROTOCOL))
            .map_err(RequestError::Subprotocols)?;
        let offers = ExtensionItem::parse_list(lines(&headers, &SEC_WEBSOCKET_EXTENSIONS))
            .map_err(RequestError::Extensions)?;
        Ok(Self { request: Request::received(host, target, headers, subprotocols, offers), accept_key })
    }
}

/// A refusal on its way out.
///
/// ```
/// use wscope::proto::{RejectConnection, RejectData, ServerHandshake};
///
/// # let request = http::Request::get("/chat")
/// #     .header("Host", "example.com")
/// #     .header("Upgrade", "websocket")
/// #     .header("Connection", "Upgrade")
/// #     .header("Sec-WebSocket-Version", "13")
/// #     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
/// #     .body(())?;
/// # let handshake = ServerHandshake::from_parts(&request.into_parts().0)?;
/// let mut out = Vec::new();
/// let mut rejection = handshake.reject(RejectConnection::new(403)?.with_body_to_follow(), &mut out);
/// rejection.send(RejectData::more("members "), &mut out)?;
/// rejection.send(RejectData::last("only"), &mut out)?;
/// assert!(rejection.is_finished() && out.ends_with(b"members only"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a body that was announced must follow"]
pub struct Rejection {
    finished: bool,
}

impl Rejection {
    /// Appends a piece of the body to `out`.
    ///
    /// # Errors
    /// [`BodyFinished`] when the body is complete; nothing was appended.
    pub fn send(&mut self, data: RejectData, out: &mut Vec<u8>) -> Result<(), BodyFinished> {
        if self.finished {
            return Err(BodyFinished::new());
        }
        out.extend_from_slice(data.data());
        self.finished = data.is_finished();
        Ok(())
    }

    /// Whether the answer is complete; then the connection is to be closed, which is what ends the body.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }
}

/// Path and query of a target in origin form or absolute form, and the authority of the latter (RFC 9112 §3.2). Authority
/// form and asterisk form belong to other methods.
fn split_target(uri: &Uri) -> Result<(String, Option<&str>), RequestError> {
    let known =
        |scheme: &str| ["http", "https", "ws", "wss"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
    let authority = match (uri.scheme_str(), uri.authority()) {
        (None, None) if uri.path().starts_with('/') => None,
        (Some(scheme), Some(authority)) if known(scheme) => Some(authority.as_str()),
        (Some(_) | None, Some(_) | None) => return Err(HeadError::Target.into()),
    };
    let target = match uri.query() {
        Some(query) => format!("{}?{query}", uri.path()),
        None => uri.path().to_owned(),
    };
    // `http::Uri` lets UTF-8 pass, which no request line may hold.
    if target.is_ascii() { Ok((target, authority)) } else { Err(HeadError::Target.into()) }
}

/// A request with a body would leave bytes between its head and the first frame: ground for smuggling.
fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || lines(headers, &CONTENT_LENGTH).any(|length| length != b"0")
}

/// Exactly one valid `Host`; the authority of an absolute target overrides it (RFC 9112 §3.2.2).
fn check_host(headers: &HeaderMap, authority: Option<&str>) -> Result<String, RequestError> {
    let value = only_line(headers, &HOST).map_err(|count| RequestError::HostCount { count })?;
    let host = value.to_str().map_err(|_| RequestError::InvalidHost)?;
    for text in [Some(host), authority].into_iter().flatten() {
        split_host_and_port(text).map_err(|_| RequestError::InvalidHost)?;
    }
    Ok(authority.unwrap_or(host).to_owned())
}

fn check_version(headers: &HeaderMap) -> Result<(), RequestError> {
    let value =
        only_line(headers, &SEC_WEBSOCKET_VERSION).map_err(|count| RequestError::VersionCount { count })?;
    if value == "13" { Ok(()) } else { Err(RequestError::UnsupportedVersion) }
}

/// The key: base64 of 16 bytes, in the one way in which these can be written.
fn check_key(headers: &HeaderMap) -> Result<&[u8], RequestError> {
    let value = only_line(headers, &SEC_WEBSOCKET_KEY).map_err(|count| RequestError::KeyCount { count })?;
    let key = value.as_bytes();
    // Judged without its padding: base64 with padding may also be joined of several.
    let mut nonce = [0; 16];
    let is_nonce = |digits: &[u8]| {
        digits.len() == KEY_DIGITS && data_encoding::BASE64_NOPAD.decode_mut(digits, &mut nonce) == Ok(16)
    };
    if key.strip_suffix(b"==").is_some_and(is_nonce) { Ok(key) } else { Err(RequestError::InvalidKey) }
}

/// Base64 characters of 16 bytes, without the padding behind them.
const KEY_DIGITS: usize = 22;
