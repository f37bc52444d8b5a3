//! Errors as they are read: each under its name, masked where machines differ.

use std::{error::Error, fmt};

/// What a caller of the tests may never read in an error: part of URLs, headers, claims and keys here.
pub(crate) const SECRET: &str = "s3cret";

/// Names and texts, in the order in which they were provoked.
#[derive(Default)]
pub(crate) struct Texts(Vec<(String, String)>);

impl Texts {
    /// Of an error that is at hand; see [`text!`](crate::texts::text).
    pub(crate) fn add(&mut self, name: &str, error: &dyn Error) {
        self.seen(name, Seen::new(error));
    }

    /// Of one that was seen elsewhere. `name`: its layer, its type, and its variant where it has some.
    pub(crate) fn seen(&mut self, name: &str, seen: Seen) {
        let name = name.replace(' ', "");
        let variant = name.rsplit("::").next().unwrap_or("");
        assert!(seen.debug.starts_with(variant), "{name} is wanted, and it is {}", seen.debug);
        self.0.push((name, seen.text));
    }

    /// As [`add`](Self::add), under the variant that it is. `name`: its layer and its type.
    pub(crate) fn variant(&mut self, name: &str, error: &dyn Error) {
        let debug = format!("{error:?}");
        let variant = debug.split([' ', '(']).next().unwrap_or_default();
        self.add(&format!("{name}::{variant}"), error);
    }

    /// `name`: a type of `layer` with its variant, in whatever module of the layer it is.
    pub(crate) fn has(&self, layer: &str, name: &str) -> bool {
        let is = |there: &str| {
            let inside = there.strip_prefix(layer).and_then(|there| there.strip_suffix(name));
            inside.is_some_and(|between| between.starts_with("::") && between.ends_with("::"))
        };
        self.0.iter().any(|(there, _)| is(there))
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(name, text)| format!("{name}: {text}"))
    }

    /// What is wrong with how they are written, whatever they say.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, text) in &self.0 {
            // AG2's words, one of which ends with a full stop.
            let is_ours = !name.starts_with("link::Refusal");
            let length = text.chars().count();
            let wrong = [
                ("has no text", text.trim() != text || text.is_empty()),
                ("is not one line", text.chars().any(char::is_control)),
                ("is too long", length > MAX_CHARS),
                ("holds a secret", text.contains(SECRET)),
                ("ends as a sentence", is_ours && text.ends_with('.') && !text.ends_with("..")),
                (
                    "begins as a sentence",
                    is_ours && text.starts_with(|c: char| c.is_uppercase()) && !begins_as_name(text),
                ),
                (
                    "is written for programmers of this crate",
                    text.contains("Some(") || text.contains("Error {"),
                ),
            ];
            faults
                .extend(wrong.iter().filter(|(_, is)| *is).map(|(what, _)| format!("{name} {what}: {text}")));
        }
        faults
    }
}

impl fmt::Display for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// An error of which nothing is left but how it is written.
pub(crate) struct Seen {
    text: String,
    debug: String,
}

impl Seen {
    pub(crate) fn new(error: &dyn Error) -> Self {
        Self { text: masked(error), debug: format!("{error:?}") }
    }
}

/// Adds the text of `error`, which must be of that variant or type of `wscope`.
macro_rules! text {
    ($texts:expr, $error:expr, $($name:ident)::+) => {{
        let error = $error;
        assert!(matches!(&error, wscope::$($name)::+ { .. }), "{error:?}");
        $texts.add(stringify!($($name)::+), &error);
    }};
}
pub(crate) use text;

/// The text, without what differs between runs and machines: ports, and the words of the resolver and of the TLS library.
fn masked(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        if words.contains("error:") || words.contains("lookup") {
            text = text.replace(&words, "(words of the system)");
        }
        source = error.source();
    }
    ["127.0.0.1:", "0.0.0.0:", "localhost:"].into_iter().fold(text, |text, host| without_port(&text, host))
}

fn without_port(text: &str, host: &str) -> String {
    let mut parts = text.split(host);
    let mut masked = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        masked += host;
        masked += if rest.len() < part.len() { "PORT" } else { "" };
        masked += rest;
    }
    masked
}

/// Names that are written in capitals wherever they stand, and words of the system.
fn begins_as_name(text: &str) -> bool {
    ["JSON", "TLS", "EOF", "No such file"].iter().any(|name| text.starts_with(name))
}

/// A line of a log.
const MAX_CHARS: usize = 250;
