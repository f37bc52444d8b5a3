//! Text that is cheap to clone: the payload of a text message.

use async_tungstenite::tungstenite::Utf8Bytes;
use bytes::Bytes;
use std::{fmt, ops::Deref};

/// Immutable UTF-8 text, one reference count to clone.
///
/// A text message arrives as one, and an echo or a fan-out passes it on without a copy. It reads as a `&str`.
///
/// ```
/// use wscope::proto::Text;
/// let text = Text::from("grüße");
/// assert_eq!(text.to_uppercase(), "GRÜSSE");
/// assert_eq!(text, *"grüße");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Utf8Bytes);

impl Text {
    /// Text that costs no allocation.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Utf8Bytes::from_static(text))
    }

    pub(super) fn into_inner(self) -> Utf8Bytes {
        self.0
    }

    pub(super) const fn from_inner(text: Utf8Bytes) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.as_str().as_bytes()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    /// Takes the string over, without a copy.
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Text> for Bytes {
    /// The same bytes, without a copy.
    fn from(text: Text) -> Self {
        text.0.into()
    }
}

impl TryFrom<Bytes> for Text {
    type Error = std::str::Utf8Error;

    /// Checks the bytes and takes them over, without a copy.
    fn try_from(bytes: Bytes) -> Result<Self, std::str::Utf8Error> {
        bytes.try_into().map(Self)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
