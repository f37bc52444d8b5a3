//! JSON as the wire has it: opaque values kept as they came, objects read field by field, texts written as Python does.
//!
//! Reading is one pass that cuts the object into raw fields, without looking into them. So the order of keys does not
//! matter, unknown fields cost nothing, the last of two equal keys wins, and a field of a wrong type is known by name.

use std::{borrow::Cow, fmt, io};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::{ser::Formatter, value::RawValue};

use crate::websocket::Printable;

/// A JSON value that is passed on as it came, byte for byte: `event_data`, `params`, `result`, knobs, claims.
///
/// Its text may hold what typed JSON cannot, such as a lone surrogate, and it may hold secrets: `Debug` prints its length.
///
/// ```
/// use wscope::link::Payload;
///
/// let payload = Payload::parse(r#"{"text": "\ud800"}"#)?;
/// assert_eq!(payload.as_str(), r#"{"text": "\ud800"}"#);
/// assert_eq!(format!("{payload:?}"), "Payload(18 bytes)");
/// # Ok::<(), wscope::link::InvalidJson>(())
/// ```
#[derive(Clone)]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// The value of this text.
    ///
    /// # Errors
    /// When the text is not one JSON value, or nests deeper than [`MAX_DEPTH`].
    pub fn parse(text: &str) -> Result<Self, InvalidJson> {
        check_depth(text)?;
        Ok(Self(raw(text)?.to_owned()))
    }

    /// The JSON of `value`, written as the wire writes. How deep it nests is left to whoever reads it.
    ///
    /// # Errors
    /// When `value` has no form in JSON, such as a map whose keys are no texts.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, InvalidJson> {
        Ok(Self(RawValue::from_string(to_text(value)?)?))
    }

    /// `{}`.
    #[must_use]
    pub fn empty_object() -> Self {
        Self::known("{}")
    }

    /// `null`.
    #[must_use]
    pub fn null() -> Self {
        Self::known("null")
    }

    /// The text, as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads the value into a type.
    ///
    /// # Errors
    /// When the value does not fit the type.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, InvalidJson> {
        Ok(serde_json::from_str(self.as_str())?)
    }

    /// Whether it is an object.
    pub(super) fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }

    pub(super) fn from_raw(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }

    /// A text of ours, which is JSON; were it not, `null`.
    fn known(text: &str) -> Self {
        Self(RawValue::from_string(text.to_owned()).unwrap_or_default())
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.as_str().len())
    }
}

impl PartialEq for Payload {
    /// The same text. Equal values that are written differently are not told to be equal.
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Payload {}

impl Default for Payload {
    fn default() -> Self {
        Self::empty_object()
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::deserialize(deserializer).map(Self)
    }
}

/// A text that is not JSON, or not what was expected of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJson {
    /// Not JSON, or of another type.
    #[error("JSON: {}", Printable(&_0.to_string()))]
    Syntax(#[from] serde_json::Error),
    /// Arrays and objects in each other, more than [`MAX_DEPTH`] deep: a Python peer would drop the whole frame.
    #[error("JSON: nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// An object was expected.
    #[error("JSON: not an object")]
    NotAnObject,
    /// More than [`MAX_FIELDS`] fields in an object whose fields we know.
    #[error("JSON: more than {MAX_FIELDS} fields")]
    TooManyFields,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// It is not there.
    #[error("field '{name}' is missing")]
    Missing {
        /// The name of the field.
        name: &'static str,
    },
    /// It has another type, or a text in it cannot be read.
    #[error("field '{name}' has a wrong type")]
    WrongType {
        /// The name of the field.
        name: &'static str,
    },
}

impl FieldError {
    /// What goes over the wire: a missing key as Python writes it, any other field by its bare name.
    pub(super) fn in_ag2s_words(&self) -> String {
        match self {
            Self::Missing { name } => format!("'{name}'"),
            Self::WrongType { name } => (*name).to_owned(),
        }
    }
}

/// The fields of one object, cut but not read.
#[derive(Debug)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Cuts the object of `text`.
    pub(super) fn cut(text: &'a str) -> Result<Self, InvalidJson> {
        if !text.trim_start_matches(BLANKS).starts_with('{') {
            raw(text)?; // what is not even JSON is told so
            return Err(InvalidJson::NotAnObject);
        }
        let fields: Self = serde_json::from_str(text)?;
        if fields.0.len() > MAX_FIELDS { Err(InvalidJson::TooManyFields) } else { Ok(fields) }
    }

    /// The raw value under `name`: the last one, as in a Python dictionary.
    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// The raw value under `name`, unless it is null.
    fn value(&self, name: &str) -> Option<&'a RawValue> {
        self.raw(name).filter(|value| value.get() != "null")
    }

    /// A text that must be there.
    pub(super) fn text(&self, name: &'static str) -> Result<String, FieldError> {
        self.required(name)
    }

    /// A text that may be missing, but not null.
    pub(super) fn text_or(&self, name: &'static str, default: &str) -> Result<String, FieldError> {
        self.raw(name).map_or_else(|| Ok(default.to_owned()), |value| read(name, value))
    }

    /// A value that must be there, and of the right type.
    pub(super) fn required<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, FieldError> {
        read(name, self.raw(name).ok_or(FieldError::Missing { name })?)
    }

    /// A value that may be missing or null.
    pub(super) fn optional<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, FieldError> {
        self.value(name).map(|value| read(name, value)).transpose()
    }

    /// An object, kept raw, that may be missing, but not null.
    pub(super) fn object_or_empty(&self, name: &'static str) -> Result<Payload, FieldError> {
        match self.raw(name) {
            None => Ok(Payload::empty_object()),
            Some(value) if value.get().starts_with('{') => Ok(Payload::from_raw(value)),
            Some(_) => Err(FieldError::WrongType { name }),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Cutter).map(Fields)
    }
}

struct Cutter;

impl<'de> Visitor<'de> for Cutter {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(16);
        while let Some((Key(key), value)) = map.next_entry()? {
            // One more than allowed tells the caller; the rest is read past, not kept.
            if fields.len() <= MAX_FIELDS {
                fields.push((key, value));
            }
        }
        Ok(fields)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// `value` as the wire writes it.
pub(super) fn to_text<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::with_capacity(512);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Wire))?;
    // Not reached: the formatter below writes ASCII, and raw values are cut from texts.
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// Arrays and objects in each other, at most [`MAX_DEPTH`] deep. O(length), without a parse.
pub(super) fn check_depth(text: &str) -> Result<(), InvalidJson> {
    // Nearly every frame has too few brackets to be deep, and counting them is many times cheaper than following them.
    let opening = |byte: &&u8| matches!(**byte, b'[' | b'{');
    if text.as_bytes().iter().filter(opening).count() <= MAX_DEPTH {
        return Ok(());
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_text = false,
            (false, b'"') => in_text = true,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (true | false, _) => {}
        }
        if depth > MAX_DEPTH {
            return Err(InvalidJson::TooDeep);
        }
    }
    Ok(())
}

fn raw(text: &str) -> Result<&RawValue, serde_json::Error> {
    serde_json::from_str(text)
}

fn read<T: DeserializeOwned>(name: &'static str, value: &RawValue) -> Result<T, FieldError> {
    serde_json::from_str(value.get()).map_err(|_| FieldError::WrongType { name })
}

/// Python's `json.dumps`: a blank after each `,` and `:`, and nothing but printable ASCII.
struct Wire;

impl Formatter for Wire {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return writer.write_all(text.as_bytes());
        }
        let printable = |character: char| matches!(character, ' '..='~');
        let mut rest = text;
        while let Some(at) = rest.find(|character| !printable(character)) {
            let (plain, tail) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut characters = tail.chars();
            for unit in characters.by_ref().take(1).flat_map(|it| it.encode_utf16(&mut [0; 2]).to_vec()) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// How deep arrays and objects may stand in each other. Python's own limit is near 1,000, for the whole frame.
pub const MAX_DEPTH: usize = 128;

/// How many fields an object of the protocol may have; the largest that AG2 writes has 15.
pub const MAX_FIELDS: usize = 64;

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];
