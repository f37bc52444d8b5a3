//! The head of a message: start line, header lines, empty line (RFC 9112 §2.1).
//!
//! ```text
//! Start ─▶ StartLine ─▶ LineEnd ─▶ LineStart ─▶ Name ─▶ Value ─▶ LineEnd
//!                                      └─ CR ─▶ HeadEnd ─ LF ─▶ complete
//! ```
//!
//! Cost: each byte is looked at once when it comes and once more, by `httparse`, when the head is complete, however the
//! input is cut. A head that cannot become one is refused at the first byte that says so.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, REFERER, SET_COOKIE},
};
use std::{fmt, mem};

use crate::proto::header::is_token_byte;

/// Reads one head, or several in turn whose bytes share one limit. Holds no byte of what follows.
pub(crate) struct HeadReader {
    start: Start,
    limits: HeadLimits,
    place: Place,
    /// The head so far: `bytes.len() <= total <= limits.head`.
    bytes: Vec<u8>,
    /// Bytes of this head and of those before it.
    total: usize,
    /// Bytes of the current line without CR LF: `line <= limits.line`.
    line: usize,
    /// Header lines so far: `lines <= limits.lines`.
    lines: usize,
}

/// How a head may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A request line that ends in `HTTP/1.1`.
    Request,
    /// A status line of HTTP/1.1 or 1.0: a proxy may refuse us in the old version.
    Status,
}

/// What a head may cost, in bytes and lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// Bytes of the head, line ends included.
    pub(crate) head: usize,
    /// Bytes of one line, its end not included.
    pub(crate) line: usize,
    /// Header lines.
    pub(crate) lines: usize,
}

/// Where the next byte belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing has come.
    Start,
    /// In the request line or status line.
    StartLine,
    /// First byte of a header line or of the empty line.
    LineStart,
    /// In a header's name.
    Name,
    /// Behind a header's colon.
    Value,
    /// Behind the CR of a line.
    LineEnd,
    /// Behind the CR of the empty line.
    HeadEnd,
}

impl HeadReader {
    /// A reader that has seen nothing. Allocates with the first byte.
    pub(crate) const fn new(start: Start, limits: HeadLimits) -> Self {
        Self { start, limits, place: Place::Start, bytes: Vec::new(), total: 0, line: 0, lines: 0 }
    }

    /// Takes bytes up to the end of the head, and tells whether that was reached. What follows stays in `input`.
    ///
    /// After an error the reader is of no more use: its owner keeps the error and drops what comes.
    pub(crate) fn read(&mut self, input: &mut &mut [u8]) -> Result<bool, HeadError> {
        let mut used = 0;
        let mut complete = false;
        while !complete {
            used += self.skim(&input[used..]);
            let Some(byte) = input.get(used) else { break };
            complete = self.step(*byte)?;
            used += 1;
        }
        *input = &mut mem::take(input)[used..];
        Ok(complete)
    }

    /// Bytes read so far.
    pub(crate) const fn received(&self) -> usize {
        self.total
    }

    /// Makes room for the next head, which shares the limit on bytes with those before it.
    pub(crate) fn next_head(&mut self) {
        self.bytes.clear();
        self.lines = 0;
        self.place = Place::Start;
    }

    /// The complete head as a request.
    ///
    /// `step` has let pass only what `httparse` would: names that are tokens, values without control characters, whole
    /// lines. What is left to find is a method or a target that is none.
    pub(crate) fn request(&self) -> Result<Request<()>, HeadError> {
        let mut lines = vec![httparse::EMPTY_HEADER; self.lines];
        let mut parsed = httparse::Request::new(&mut lines);
        let (Ok(httparse::Status::Complete(_)), Some(method), Some(target)) =
            (parsed.parse(&self.bytes), parsed.method, parsed.path)
        else {
            return Err(HeadError::StartLine);
        };
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::StartLine)?;
        *request.uri_mut() = parse_target(target)?;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = header_map(parsed.headers)?;
        Ok(request)
    }

    /// The complete head as a response, whose reason phrase is dropped: a client ignores it (RFC 9112 §4).
    pub(crate) fn response(&self) -> Result<Response<()>, HeadError> {
        let mut lines = vec![httparse::EMPTY_HEADER; self.lines];
        let mut parsed = httparse::Response::new(&mut lines);
        let (Ok(httparse::Status::Complete(_)), Some(version), Some(code)) =
            (parsed.parse(&self.bytes), parsed.version, parsed.code)
        else {
            return Err(HeadError::StartLine);
        };
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(code).map_err(|_| HeadError::StartLine)?;
        *response.version_mut() = if version == 1 { Version::HTTP_11 } else { Version::HTTP_10 };
        *response.headers_mut() = header_map(parsed.headers)?;
        Ok(response)
    }

    /// Takes a run of bytes that do nothing but make a line longer, as most do, and returns their number: `step` would
    /// let each of them pass.
    fn skim(&mut self, input: &[u8]) -> usize {
        let room = (self.limits.line - self.line).min(self.limits.head - self.total);
        let plain = |byte: &&u8| matches!(byte, b' '..=b'~' | 0x80..);
        let run = match self.place {
            Place::StartLine | Place::Value => input.iter().take(room).take_while(plain).count(),
            Place::Start | Place::LineStart | Place::Name | Place::LineEnd | Place::HeadEnd => 0,
        };
        self.bytes.extend_from_slice(&input[..run]);
        self.line += run;
        self.total += run;
        run
    }

    /// Takes one byte; `true` when it is the last of the head. The table is the grammar: RFC 9112 §2.1 read forwards,
    /// with every repair that §2.2 and §5 would allow a recipient left out.
    fn step(&mut self, byte: u8) -> Result<bool, HeadError> {
        self.place = match (self.place, byte) {
            (Place::Start, _) if self.start.begins_with(byte) => Place::StartLine,
            (Place::Start, _) => return Err(HeadError::NotHttp { byte }),
            (Place::StartLine | Place::Value, b'\r') => Place::LineEnd,
            (Place::LineStart, b'\r') => Place::HeadEnd,
            (Place::LineEnd, b'\n') => self.end_line()?,
            (Place::HeadEnd, b'\n') => Place::HeadEnd,
            (Place::LineEnd | Place::HeadEnd, _) => return Err(HeadError::BareCr),
            (Place::StartLine | Place::LineStart | Place::Name | Place::Value, b'\n') => {
                return Err(HeadError::BareLf);
            }
            (Place::LineStart, b' ' | b'\t') => return Err(HeadError::FoldedLine),
            (Place::LineStart, _) if is_token_byte(byte) => self.begin_header()?,
            (Place::Name, b' ' | b'\t') => return Err(HeadError::SpaceBeforeColon),
            (Place::Name, b':') => Place::Value,
            (Place::Name, _) if is_token_byte(byte) => Place::Name,
            (Place::LineStart | Place::Name, _) => return Err(HeadError::InvalidName { byte }),
            (Place::StartLine | Place::Value, b'\t') => self.place,
            (Place::StartLine | Place::Value, 0..=0x1f | 0x7f) => return Err(HeadError::Control { byte }),
            (Place::StartLine | Place::Value, _) => self.place,
        };
        self.keep(byte)?;
        Ok(self.place == Place::HeadEnd && byte == b'\n')
    }

    /// The start line is judged as soon as it is there, so that nobody who speaks another protocol is waited for.
    fn end_line(&mut self) -> Result<Place, HeadError> {
        if self.lines == 0 {
            // What is kept of the line ends in its CR.
            self.start.check(&self.bytes[..self.line])?;
        }
        self.line = 0;
        Ok(Place::LineStart)
    }

    /// Counts a header line when its first byte has come, so that the limit holds before the line is kept.
    const fn begin_header(&mut self) -> Result<Place, HeadError> {
        if self.lines == self.limits.lines {
            return Err(HeadError::TooManyHeaders { limit: self.limits.lines });
        }
        self.lines += 1;
        Ok(Place::Name)
    }

    /// Keeps a byte within the limits on the line and on the head. The end of a line does not count into its length.
    fn keep(&mut self, byte: u8) -> Result<(), HeadError> {
        if !matches!(byte, b'\r' | b'\n') {
            let limit = self.limits.line;
            if self.line == limit && self.place == Place::StartLine {
                return Err(HeadError::StartLineTooLong { limit });
            }
            if self.line == limit {
                return Err(HeadError::HeaderTooLong { limit });
            }
            self.line += 1;
        }
        if self.total == self.limits.head {
            return Err(HeadError::HeadTooLong { limit: self.limits.head });
        }
        self.total += 1;
        self.bytes.push(byte);
        Ok(())
    }
}

/// Without the bytes: a head holds credentials and cookies.
impl fmt::Debug for HeadReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadReader")
            .field("start", &self.start)
            .field("received", &self.total)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Start {
    /// A request begins with its method, a token; a response with `HTTP/`.
    const fn begins_with(self, byte: u8) -> bool {
        match self {
            Self::Request => is_token_byte(byte),
            Self::Status => byte == b'H',
        }
    }

    /// Checks the version that a start line names. The rest of the line is checked with the whole head.
    fn check(self, line: &[u8]) -> Result<(), HeadError> {
        let version = match self {
            Self::Request => line.rsplit(|byte| *byte == b' ').next(),
            Self::Status => line.split(|byte| *byte == b' ').next(),
        };
        match (self, version.unwrap_or_default()) {
            (Self::Request | Self::Status, b"HTTP/1.1") | (Self::Status, b"HTTP/1.0") => Ok(()),
            (Self::Request | Self::Status, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor])
                if major.is_ascii_digit() && minor.is_ascii_digit() =>
            {
                Err(HeadError::HttpVersion)
            }
            (Self::Request | Self::Status, _) => Err(HeadError::StartLine),
        }
    }
}

/// Why a message head is refused. No variant repeats a text of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The first byte is not HTTP's: a TLS hello, a WebSocket frame, anything.
    #[error("the first byte is {byte:#04x}{}, with which no HTTP/1.1 message begins here (RFC 9112 §2.1)", hint(*byte))]
    NotHttp {
        /// The byte.
        byte: u8,
    },
    /// Neither a request line nor a status line.
    #[error("the start line is malformed (RFC 9112 §3, §4)")]
    StartLine,
    /// Another version than HTTP/1.1.
    #[error("the HTTP version of the head is not 1.1 (RFC 6455 §4.1)")]
    HttpVersion,
    /// A request target that is neither a path nor an absolute `http`, `https`, `ws` or `wss` URI.
    #[error("the request target is neither a path nor an http, https, ws or wss URI (RFC 9112 §3.2)")]
    Target,
    /// The request line or status line is too long.
    #[error("the start line is longer than the limit of {limit} bytes (max_line)")]
    StartLineTooLong {
        /// [`HandshakeConfig::max_line`](crate::proto::HandshakeConfig::max_line).
        limit: usize,
    },
    /// A header line is too long.
    #[error("a header line is longer than the limit of {limit} bytes (max_line)")]
    HeaderTooLong {
        /// [`HandshakeConfig::max_line`](crate::proto::HandshakeConfig::max_line).
        limit: usize,
    },
    /// The head is too long; a client counts interim responses with the final one.
    #[error("the head is longer than the limit of {limit} bytes (max_head)")]
    HeadTooLong {
        /// [`HandshakeConfig::max_head`](crate::proto::HandshakeConfig::max_head).
        limit: usize,
    },
    /// Too many header lines.
    #[error("the head has more header lines than the limit of {limit} (max_header_lines)")]
    TooManyHeaders {
        /// [`HandshakeConfig::max_header_lines`](crate::proto::HandshakeConfig::max_header_lines), or
        /// [`HeaderError::MAX_HEADERS`](crate::proto::HeaderError::MAX_HEADERS) where that is less.
        limit: usize,
    },
    /// A CR without its LF.
    #[error("the head has a CR without its LF (RFC 9112 §2.2)")]
    BareCr,
    /// An LF without its CR.
    #[error("the head has an LF without its CR (RFC 9112 §2.2)")]
    BareLf,
    /// NUL or another control character.
    #[error("the head has control character {byte:#04x} in a line (RFC 9110 §5.5)")]
    Control {
        /// The character.
        byte: u8,
    },
    /// A line that begins with white space, which once continued the line before.
    #[error("the head has a folded header line (RFC 9112 §5.2)")]
    FoldedLine,
    /// White space between a header's name and its colon.
    #[error("the head has white space before the colon of a header (RFC 9112 §5.1)")]
    SpaceBeforeColon,
    /// A byte in a header's name that a token cannot have, or a header line without a colon.
    #[error("the head has byte {byte:#04x} in the name of a header (RFC 9110 §5.1)")]
    InvalidName {
        /// The byte.
        byte: u8,
    },
    /// A header that cannot be kept, such as one with a name of 64 KiB where [`max_line`](crate::proto::HandshakeConfig::max_line) allows one.
    #[error("the name or the value of a header cannot be kept (RFC 9110 §5.5)")]
    InvalidValue,
}

/// What is likely to be meant by a first byte: a TLS handshake or alert, where one side says `ws` and the other `wss`.
const fn hint(byte: u8) -> &'static str {
    match byte {
        0x15 | 0x16 => " (TLS: one side says ws, the other wss?)",
        0..=0x14 | 0x17..=u8::MAX => "",
    }
}

/// Whether the value of this header is a credential, which no `Debug` may print.
pub(crate) fn is_secret(name: &HeaderName) -> bool {
    // By its name, where it is none of the standard's; and a referrer has a query.
    let telling = ["token", "secret", "password", "api-key", "apikey", "credential", "session"];
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE, REFERER].contains(name)
        || telling.iter().any(|part| name.as_str().contains(part))
}

/// A request target, in any of its four forms. `http::Uri` would drop a fragment in silence and let UTF-8 pass.
fn parse_target(target: &str) -> Result<Uri, HeadError> {
    if target.is_ascii() && !target.contains('#') {
        target.parse().map_err(|_| HeadError::Target)
    } else {
        Err(HeadError::Target)
    }
}

/// Header lines in the order in which they came, with credentials marked as such.
fn header_map(lines: &[httparse::Header<'_>]) -> Result<HeaderMap, HeadError> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| HeadError::InvalidValue)?;
        let mut value = HeaderValue::from_bytes(line.value).map_err(|_| HeadError::InvalidValue)?;
        value.set_sensitive(is_secret(&name));
        headers.append(name, value); // too few to fill the map, see HeaderError::MAX_HEADERS
    }
    Ok(headers)
}
