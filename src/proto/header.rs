//! Header fields: single ones and lists of tokens, subprotocols, extensions (RFC 9110 §5.6, RFC 6455 §9.1).
//!
//! Pure parsing over the lines of one field. Each function is linear in the bytes of those lines and bounded in what
//! it keeps: [`MAX_ELEMENTS`] elements a field, [`MAX_PARAMETERS`] parameters an extension. A field that comes in
//! several lines is one list (RFC 9110 §5.3), and empty elements are ignored (RFC 9110 §5.6.1.2).

use http::{HeaderMap, HeaderName, HeaderValue};
use std::{borrow::Cow, fmt, str::FromStr};

/// Most elements that one list may have, over all lines of the field.
///
/// Browsers offer one extension and applications a handful of subprotocols.
pub const MAX_ELEMENTS: usize = 64;

/// Most parameters that one element of `Sec-WebSocket-Extensions` may have; permessage-deflate knows four.
pub const MAX_PARAMETERS: usize = 16;

/// A token (RFC 9110 §5.6.2): at least one visible ASCII character, none of them a separator.
///
/// Names of subprotocols, extensions and parameters are tokens. The type cannot hold anything else, so nothing that is
/// built of tokens can smuggle a line break, a comma or a quote into a header.
///
/// ```
/// use wscope::proto::Token;
///
/// const NAME: Token = Token::from_static("permessage-deflate"); // a bad one would not compile
/// assert_eq!(NAME, "permessage-deflate");
/// assert_eq!(Token::from(12), "12");
/// assert!(Token::new("chat\r\nEvil: yes").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(Cow<'static, str>);

impl Token {
    /// Checks that `text` is a token.
    ///
    /// # Errors
    /// [`NotAToken`] when it is empty or holds a character that a token cannot have.
    pub fn new(text: impl Into<String>) -> Result<Self, NotAToken> {
        let text = text.into();
        if is_token(text.as_bytes()) { Ok(Self(Cow::Owned(text))) } else { Err(NotAToken) }
    }

    /// A token that is written down in the source; meant for constants, where a bad one fails the build.
    ///
    /// # Panics
    /// When `text` is not a token.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        assert!(is_token(text.as_bytes()), "not a token (RFC 9110 §5.6.2)");
        Self(Cow::Borrowed(text))
    }

    /// The subprotocols of all `Sec-WebSocket-Protocol` lines: tokens, each once (RFC 6455 §4.1). No line, no token.
    ///
    /// # Errors
    /// [`ListError`] when a line breaks the grammar, a token repeats, or there are more than [`MAX_ELEMENTS`].
    pub fn parse_list<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Self>, ListError> {
        let tokens = parse_list(lines, Cursor::token)?;
        check_unique(&tokens)?;
        Ok(tokens)
    }

    /// A list for `Sec-WebSocket-Protocol`: at least one token, each once (RFC 6455 §4.1).
    pub(crate) fn list<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Result<Vec<Self>, ListError> {
        let mut tokens = Vec::new();
        for (index, text) in texts.into_iter().enumerate() {
            if index == MAX_ELEMENTS {
                return Err(ListError::TooMany { limit: MAX_ELEMENTS });
            }
            tokens.push(Self::new(text).map_err(|NotAToken| ListError::NotAToken { index })?);
        }
        check_unique(&tokens)?;
        if tokens.is_empty() { Err(ListError::Empty) } else { Ok(tokens) }
    }

    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u8> for Token {
    /// The number in decimal digits, as extension parameters write it (RFC 7692 §7.1.2.1).
    fn from(number: u8) -> Self {
        Self(Cow::Owned(number.to_string()))
    }
}

impl FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        Self::new(text)
    }
}

impl AsRef<str> for Token {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Token {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Token {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A text that is not a token. It is not repeated here: it may hold anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token: that is one or more letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 §5.6.2)")]
#[non_exhaustive]
pub struct NotAToken;

/// One element of `Sec-WebSocket-Extensions`: a name and its parameters, in the order in which they stand.
///
/// Names may repeat: whether that is an error is the extension's to say (RFC 7692 §7.1 says yes).
///
/// ```
/// use wscope::proto::{ExtensionItem, Token};
///
/// let item: ExtensionItem = "permessage-deflate; client_max_window_bits ;x=\"1\\2\"".parse()?;
/// assert_eq!(item.name(), "permessage-deflate");
/// assert!(item.parameters().eq([("client_max_window_bits", None), ("x", Some("12"))]));
/// assert_eq!(item.to_string(), "permessage-deflate; client_max_window_bits; x=12");
///
/// let built = ExtensionItem::new(Token::from_static("permessage-deflate"))
///     .with_flag(Token::from_static("client_max_window_bits"))
///     .with_value(Token::from_static("x"), Token::from(12));
/// assert_eq!(built, item);
/// # Ok::<(), wscope::proto::ListError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExtensionItem {
    name: Token,
    parameters: Vec<(Token, Option<Token>)>,
}

impl ExtensionItem {
    /// An item without parameters.
    #[must_use]
    pub const fn new(name: Token) -> Self {
        Self { name, parameters: Vec::new() }
    }

    /// The extensions of all `Sec-WebSocket-Extensions` lines. No line, no item.
    ///
    /// # Errors
    /// [`ListError`] when a line breaks the grammar, or there are more than [`MAX_ELEMENTS`] items or
    /// [`MAX_PARAMETERS`] parameters of one item.
    pub fn parse_list<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Self>, ListError> {
        parse_list(lines, Cursor::extension)
    }

    /// Adds a parameter that has no value.
    #[must_use]
    pub fn with_flag(mut self, name: Token) -> Self {
        self.parameters.push((name, None));
        self
    }

    /// Adds a parameter and its value.
    #[must_use]
    pub fn with_value(mut self, name: Token, value: Token) -> Self {
        self.parameters.push((name, Some(value)));
        self
    }

    /// The extension's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The parameters: each a name and, where there is one, a value.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_ref().map(Token::as_str)))
    }
}

impl FromStr for ExtensionItem {
    type Err = ListError;

    /// Parses exactly one item.
    fn from_str(text: &str) -> Result<Self, ListError> {
        // Without any there was an error already.
        match <[Self; 1]>::try_from(Self::parse_list([text.as_bytes()])?) {
            Ok([item]) => Ok(item),
            Err(_) => Err(ListError::TooMany { limit: 1 }),
        }
    }
}

impl fmt::Display for ExtensionItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        for (name, value) in self.parameters() {
            write!(f, "; {name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// What is wrong with a list. Positions count from 0 in the line of the field where the fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The field is there, but no element is in it.
    #[error("the list has no element, and needs one (RFC 9110 §5.6.1)")]
    Empty,
    /// A byte that cannot stand where it stands.
    #[error("byte {byte:#04x} cannot stand at offset {at} of a line of the list (RFC 6455 §4.3)")]
    UnexpectedByte {
        /// The byte.
        byte: u8,
        /// Where it stands in its line.
        at: usize,
    },
    /// The line ends where a token must stand or inside quotes.
    #[error("a line of the list ends after {at} bytes, inside an element (RFC 6455 §4.3)")]
    UnexpectedEnd {
        /// Length of the line.
        at: usize,
    },
    /// An element of a list of ours that is not a token.
    #[error("the element at index {index} is {NotAToken}")]
    NotAToken {
        /// Which one, counted from 0.
        index: usize,
    },
    /// The same element twice, in a list whose elements must be unique.
    #[error("the element at index {index} repeats an earlier one: each may stand once (RFC 6455 §4.1)")]
    Repeated {
        /// Which one, counted from 0.
        index: usize,
    },
    /// More elements or parameters than we read.
    #[error("the list has more elements, or one of them more parameters, than the limit of {limit}")]
    TooMany {
        /// [`MAX_ELEMENTS`] or [`MAX_PARAMETERS`].
        limit: usize,
    },
}

/// The lines of one field.
pub(crate) fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

/// The only line of a field, or how many there are.
pub(crate) fn only_line<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a HeaderValue, usize> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.count()) {
        (Some(value), 0) => Ok(value),
        (Some(_), more) => Err(1 + more),
        (None, _) => Err(0),
    }
}

/// Whether `bytes` form a token.
pub(crate) const fn is_token(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        if !is_token_byte(bytes[at]) {
            return false;
        }
        at += 1;
    }
    at > 0
}

/// `tchar` of RFC 9110 §5.6.2.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether one of the comma lists `lines` holds `token`, in any case. Lenient: other elements may be anything, since
/// `Connection` and `Upgrade` are for every hop and not for us alone.
pub(crate) fn lists_token<'a>(lines: impl IntoIterator<Item = &'a [u8]>, token: &str) -> bool {
    lines
        .into_iter()
        .flat_map(|line| line.split(|byte| *byte == b','))
        .any(|element| element.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// That no element stands in `tokens` twice. Quadratic in a count that is bounded by [`MAX_ELEMENTS`].
pub(crate) fn check_unique(tokens: &[Token]) -> Result<(), ListError> {
    match (1..tokens.len()).find(|&index| tokens[..index].contains(&tokens[index])) {
        Some(index) => Err(ListError::Repeated { index }),
        None => Ok(()),
    }
}

/// `1#element` (RFC 9110 §5.6.1) over the lines of a field, or nothing when there is no line.
fn parse_list<'a, T>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    element: impl Fn(&mut Cursor<'a>) -> Result<T, ListError>,
) -> Result<Vec<T>, ListError> {
    let mut elements = Vec::new();
    let mut any_line = false;
    for line in lines {
        any_line = true;
        let mut cursor = Cursor { line, at: 0 };
        while cursor.next_element() {
            if elements.len() == MAX_ELEMENTS {
                return Err(ListError::TooMany { limit: MAX_ELEMENTS });
            }
            elements.push(element(&mut cursor)?);
            cursor.end_of_element()?;
        }
    }
    if any_line && elements.is_empty() { Err(ListError::Empty) } else { Ok(elements) }
}

/// A place in one line of a field. Only moves forward: `0 <= at <= line.len()`.
struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Skips empty elements; `false` at the end of the line.
    fn next_element(&mut self) -> bool {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b','));
        self.peek().is_some()
    }

    /// Nothing but a comma or the end of the line may follow an element.
    fn end_of_element(&mut self) -> Result<(), ListError> {
        self.skip_whitespace();
        match self.peek() {
            None | Some(b',') => Ok(()),
            Some(_) => Err(self.unexpected()),
        }
    }

    /// `extension-token *( ";" extension-param )` (RFC 6455 §9.1).
    fn extension(&mut self) -> Result<ExtensionItem, ListError> {
        let mut item = ExtensionItem::new(self.token()?);
        self.skip_whitespace();
        while self.eat(b';') {
            if item.parameters.len() == MAX_PARAMETERS {
                return Err(ListError::TooMany { limit: MAX_PARAMETERS });
            }
            item.parameters.push(self.parameter()?);
            self.skip_whitespace();
        }
        Ok(item)
    }

    /// `token [ "=" (token | quoted-string) ]`. RFC 6455 writes its grammar in the notation of RFC 2616, which lets white
    /// space stand between any two words: so around the `=` too.
    fn parameter(&mut self) -> Result<(Token, Option<Token>), ListError> {
        self.skip_whitespace();
        let name = self.token()?;
        self.skip_whitespace();
        if !self.eat(b'=') {
            return Ok((name, None));
        }
        self.skip_whitespace();
        let value = if self.eat(b'"') { self.quoted()? } else { self.token()? };
        Ok((name, Some(value)))
    }

    /// `1*tchar`. What is not ASCII is no `tchar`, so each byte is a character.
    fn token(&mut self) -> Result<Token, ListError> {
        let start = self.at;
        self.skip_while(is_token_byte);
        if start == self.at {
            return Err(self.unexpected());
        }
        Ok(Token(Cow::Owned(self.line[start..self.at].iter().copied().map(char::from).collect())))
    }

    /// The rest of a quoted string, whose value "MUST conform to the 'token' ABNF" once unescaped (RFC 6455 §9.1).
    fn quoted(&mut self) -> Result<Token, ListError> {
        let mut value = String::new();
        loop {
            if !value.is_empty() && self.eat(b'"') {
                return Ok(Token(Cow::Owned(value)));
            }
            // The escape of a quoted pair is dropped; what it escapes must be of a token all the same.
            self.eat(b'\\');
            match self.peek() {
                Some(byte) if is_token_byte(byte) => value.push(char::from(byte)),
                Some(_) | None => return Err(self.unexpected()),
            }
            self.at += 1;
        }
    }

    /// The next byte, or `None` at the end of the line.
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// Steps over `byte` if it comes next.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// `OWS` (RFC 9110 §5.6.3).
    fn skip_whitespace(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t'));
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// The fault at this place: a byte that cannot stand here, or too early an end.
    fn unexpected(&self) -> ListError {
        match self.peek() {
            Some(byte) => ListError::UnexpectedByte { byte, at: self.at },
            None => ListError::UnexpectedEnd { at: self.at },
        }
    }
}
