//! Close codes, close reasons, and what became of the two close frames of a connection (RFC 6455 §7).

use super::{frame::MAX_CONTROL_PAYLOAD, text::Text};
use std::fmt;

/// A close code that may be on the wire (RFC 6455 §7.4 and the IANA registry).
///
/// The type holds 1000 to 1003, 1007 to 1014 and 3000 to 4999. It cannot hold those that stand for the *absence* of a
/// close frame (1005, 1006, 1015), the reserved 1004, and numbers nobody may use.
///
/// ```
/// use wscope::proto::CloseCode;
/// assert_eq!(CloseCode::new(1000), Ok(CloseCode::NORMAL_CLOSURE));
/// assert!(CloseCode::new(1006).unwrap_err().to_string().starts_with("close code 1006 may not be sent"));
/// assert_eq!(CloseCode::new(4321).unwrap().to_string(), "4321 (PRIVATE_RESERVED)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// Checks a number.
    ///
    /// # Errors
    /// [`InvalidCloseCode`] for a number that may not be on the wire.
    pub const fn new(code: u16) -> Result<Self, InvalidCloseCode> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Ok(Self(code)),
            0..=999 | 1004..=1006 | 1015..=2999 | 5000..=u16::MAX => Err(InvalidCloseCode { code }),
        }
    }

    /// The number.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }
}

/// Yields for each registered code its constant with its doc, and its name, from one table.
macro_rules! close_codes {
    ($($number:literal $name:ident $doc:literal;)*) => {
        /// Registered codes.
        impl CloseCode {
            $(#[doc = concat!($number, ": ", $doc)] pub const $name: Self = Self($number);)*

            /// The name in the registry; `IANA_RESERVED` for other codes from 3000 to 3999 (libraries, frameworks),
            /// `PRIVATE_RESERVED` from 4000 to 4999 (applications).
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($number => stringify!($name),)*
                    ..4000 => "IANA_RESERVED",
                    4000.. => "PRIVATE_RESERVED",
                }
            }
        }
    };
}

close_codes! {
    1000 NORMAL_CLOSURE "the purpose of the connection is fulfilled.";
    1001 GOING_AWAY "the server goes down, or the client leaves.";
    1002 PROTOCOL_ERROR "the peer broke the protocol.";
    1003 UNSUPPORTED_DATA "the peer sent a kind of data that is not accepted here.";
    1007 INVALID_FRAME_PAYLOAD_DATA "a payload does not fit its type, such as text that is not UTF-8.";
    1008 POLICY_VIOLATION "a message breaks a policy that no other code names.";
    1009 MESSAGE_TOO_BIG "a message is larger than what is accepted here.";
    1010 MANDATORY_EXTENSION "the client wanted an extension that the server did not agree on.";
    1011 INTERNAL_ERROR "the sender met a condition that keeps it from going on.";
    1012 SERVICE_RESTART "the server restarts.";
    1013 TRY_AGAIN_LATER "the server is overloaded.";
    1014 BAD_GATEWAY "a gateway got an invalid answer from the server behind it.";
}

impl TryFrom<u16> for CloseCode {
    type Error = InvalidCloseCode;

    fn try_from(code: u16) -> Result<Self, InvalidCloseCode> {
        Self::new(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a connection is closed: the code and the text of a close frame (RFC 6455 §5.5.1).
///
/// ```
/// use wscope::proto::{CloseCode, CloseReason};
/// let reason = CloseReason::new(CloseCode::GOING_AWAY, "maintenance")?;
/// assert_eq!((reason.code(), reason.reason()), (CloseCode::GOING_AWAY, "maintenance"));
/// assert!(CloseReason::new(CloseCode::GOING_AWAY, "x".repeat(124)).is_err());
/// # Ok::<(), wscope::proto::ReasonTooLong>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CloseReason {
    code: CloseCode,
    reason: Text,
}

impl CloseReason {
    /// Longest text in bytes: what a control frame leaves beside the two bytes of the code.
    pub const MAX_LEN: usize = MAX_CONTROL_PAYLOAD - 2;

    /// A code with a text for whoever reads logs; not for users, and not for programs.
    ///
    /// # Errors
    /// [`ReasonTooLong`] above [`MAX_LEN`](Self::MAX_LEN) bytes. Nothing is cut: [`truncated`](Self::truncated) does.
    pub fn new(code: CloseCode, reason: impl Into<Text>) -> Result<Self, ReasonTooLong> {
        let reason = reason.into();
        if reason.len() > Self::MAX_LEN {
            Err(ReasonTooLong { len: reason.len() })
        } else {
            Ok(Self { code, reason })
        }
    }

    /// As [`new`](Self::new), but what is too long is cut, on a character's border.
    #[must_use]
    pub fn truncated(code: CloseCode, reason: &str) -> Self {
        let mut end = reason.len().min(Self::MAX_LEN);
        while !reason.is_char_boundary(end) {
            end -= 1; // ends at 0, which always is a border
        }
        Self { code, reason: reason[..end].into() }
    }

    /// A reason as it came in a close frame, which holds no longer one.
    pub(super) const fn received(code: CloseCode, reason: Text) -> Self {
        Self { code, reason }
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> CloseCode {
        self.code
    }

    /// The text, often empty. It comes from the peer when the frame did: escape it before it goes into a log.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl From<CloseCode> for CloseReason {
    /// The code without a text.
    fn from(code: CloseCode) -> Self {
        Self { code, reason: Text::default() }
    }
}

impl fmt::Display for CloseReason {
    /// The code and, when there is one, the text, escaped: it may come from a stranger.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.code, f)?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, " \"{}\"", self.reason.escape_debug()) }
    }
}

impl fmt::Debug for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What became of the closing handshake: both close frames, and which came first.
///
/// Each frame is `None` while there is none, and `Some(None)` when it was empty, which APIs without a type for it call
/// 1005 (RFC 6455 §7.1.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseFrames {
    /// The close frame that the peer sent.
    pub received: Option<Option<CloseReason>>,
    /// The close frame that we sent, or that is queued and cannot be taken back.
    pub sent: Option<Option<CloseReason>>,
    /// Who sent first. `None` while neither did.
    pub first: Option<Side>,
}

impl CloseFrames {
    pub(super) fn received(&mut self, reason: Option<CloseReason>) {
        self.received = Some(reason);
        self.first.get_or_insert(Side::Remote);
    }

    pub(super) fn sent(&mut self, reason: Option<CloseReason>) {
        self.sent = Some(reason);
        self.first.get_or_insert(Side::Local);
    }
}

/// One end of a connection, seen from here.
///
/// ```
/// use wscope::proto::{CloseConnection, Config, Connection, Role, Side};
/// let mut client = Connection::new(Role::Client, Config::new());
/// client.send(CloseConnection::empty(), &mut Vec::new())?;
/// assert_eq!(client.close_frames().first, Some(Side::Local));
/// # Ok::<(), wscope::proto::LocalError>(())
/// ```
#[allow(clippy::exhaustive_enums, reason = "a connection has two ends")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// We.
    Local,
    /// The peer.
    Remote,
}

/// A number that may not be a close code on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("close code {code} may not be sent: take 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 §7.4)")]
#[non_exhaustive]
pub struct InvalidCloseCode {
    /// The number.
    pub code: u16,
}

/// A reason longer than [`CloseReason::MAX_LEN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a close reason of {len} bytes exceeds the limit of {} bytes (RFC 6455 §5.5); `CloseReason::truncated` cuts it",
    CloseReason::MAX_LEN
)]
#[non_exhaustive]
pub struct ReasonTooLong {
    /// Its length in bytes.
    pub len: usize,
}
