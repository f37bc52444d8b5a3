//! What a handshake may cost.

use super::error::HeaderError;
use crate::proto::http::HeadLimits;

/// Limits of an opening handshake, on either side. They hold while bytes come in, not after.
///
/// ```
/// use wscope::proto::HandshakeConfig;
///
/// let config = HandshakeConfig::new().max_head(8192).max_header_lines(50);
/// assert_eq!((config.max_head, config.max_line), (8192, 8192));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandshakeConfig {
    /// Most bytes of a head, from the start line to the empty line; a client counts interim responses in. Default
    /// [`MAX_HEAD`](Self::MAX_HEAD). A connection keeps at most twice as much until its handshake is done.
    pub max_head: usize,
    /// Most bytes of one line without its end. Default [`MAX_LINE`](Self::MAX_LINE). Cookies and bearer tokens are what
    /// makes lines long.
    pub max_line: usize,
    /// Most header lines. Default [`MAX_HEADER_LINES`](Self::MAX_HEADER_LINES), and whatever is asked for, never more than
    /// [`HeaderError::MAX_HEADERS`]. Each costs about 100 bytes on top of its own.
    pub max_header_lines: usize,
    /// Most bytes of a refusal's body that a client is given; the rest is cut off. Default
    /// [`MAX_REJECT_BODY`](Self::MAX_REJECT_BODY). Costs nothing until such a body comes.
    pub max_reject_body: usize,
}

impl HandshakeConfig {
    /// 16 KiB: what Node and h11 allow, and four times what browsers send with full cookies.
    pub const MAX_HEAD: usize = 16 * 1024;
    /// 8 KiB: what servers commonly allow a request line or a cookie.
    pub const MAX_LINE: usize = 8 * 1024;
    /// 100: browsers and proxies together send about 30.
    pub const MAX_HEADER_LINES: usize = 100;
    /// 64 KiB: an error page.
    pub const MAX_REJECT_BODY: usize = 64 * 1024;

    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_head: Self::MAX_HEAD,
            max_line: Self::MAX_LINE,
            max_header_lines: Self::MAX_HEADER_LINES,
            max_reject_body: Self::MAX_REJECT_BODY,
        }
    }

    /// Sets [`max_head`](Self::max_head).
    #[must_use]
    pub const fn max_head(mut self, bytes: usize) -> Self {
        self.max_head = bytes;
        self
    }

    /// Sets [`max_line`](Self::max_line).
    #[must_use]
    pub const fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Sets [`max_header_lines`](Self::max_header_lines).
    #[must_use]
    pub const fn max_header_lines(mut self, lines: usize) -> Self {
        self.max_header_lines = lines;
        self
    }

    /// Sets [`max_reject_body`](Self::max_reject_body).
    #[must_use]
    pub const fn max_reject_body(mut self, bytes: usize) -> Self {
        self.max_reject_body = bytes;
        self
    }

    pub(crate) const fn head_limits(self) -> HeadLimits {
        let lines = if self.max_header_lines < HeaderError::MAX_HEADERS {
            self.max_header_lines
        } else {
            HeaderError::MAX_HEADERS
        };
        HeadLimits { head: self.max_head, line: self.max_line, lines }
    }
}

impl Default for HandshakeConfig {
    fn default() -> Self {
        Self::new()
    }
}
