//! Any lines of `Sec-WebSocket-Extensions` and `Sec-WebSocket-Protocol`: what is read is written back the same, lines are
//! one list, and what both sides agree on was offered.

use super::{Choices, invert::Invert};
use wscope::proto::{
    ExtensionItem, ListError, MAX_ELEMENTS, MAX_PARAMETERS, ResponseError, Token, accept_extension,
    confirm_extension, extension::Extension,
};

/// Input: the length of the offers, the offers, the answers; both in lines.
pub fn extension_header(input: &[u8]) {
    let mut choices = Choices::new(input);
    let len = choices.number();
    let (offers, answers) = (choices.bytes(len), choices.rest());
    let (offers, answers) = (extensions(offers), extensions(answers));
    subprotocols(input);
    if let (Some(offers), Some(answers)) = (offers, answers) {
        negotiate(&offers, &answers);
    }
}

fn lines(field: &[u8]) -> Vec<&[u8]> {
    field.split(|byte| *byte == b'\n').collect()
}

fn extensions(field: &[u8]) -> Option<Vec<ExtensionItem>> {
    let lines = lines(field);
    let parsed = ExtensionItem::parse_list(lines.iter().copied());
    let joined = lines.join(&b","[..]);
    assert_eq!(
        parsed.as_ref().ok(),
        ExtensionItem::parse_list([&joined[..]]).as_ref().ok(),
        "lines are one list"
    );
    let items = in_bounds(parsed, &lines)?;
    let written = items.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (item, text) in items.iter().zip(&written) {
        assert!(item.parameters().count() <= MAX_PARAMETERS);
        assert_eq!(text.parse().as_ref(), Ok(item));
        assert!(Token::new(item.name()).is_ok());
        for (name, value) in item.parameters() {
            assert!(
                Token::new(name).is_ok() && value.is_none_or(|value| Token::new(value).is_ok()),
                "{text}"
            );
        }
    }
    assert_eq!(ExtensionItem::parse_list([written.join(", ").as_bytes()]).as_ref(), Ok(&items));
    Some(items)
}

fn subprotocols(field: &[u8]) {
    let lines = lines(field);
    let parsed = Token::parse_list(lines.iter().copied());
    let joined = lines.join(&b","[..]);
    assert_eq!(parsed.as_ref().ok(), Token::parse_list([&joined[..]]).as_ref().ok(), "lines are one list");
    let Some(tokens) = in_bounds(parsed, &lines) else { return };
    assert!(tokens.iter().all(|token| Token::new(token.as_str()).is_ok()));
    assert!((1..tokens.len()).all(|at| !tokens[..at].contains(&tokens[at])), "{tokens:?}: each once");
}

/// The list, if it is one; its length, or the places that its error names, are within bounds.
fn in_bounds<T>(parsed: Result<Vec<T>, ListError>, lines: &[&[u8]]) -> Option<Vec<T>> {
    match parsed {
        Ok(elements) => {
            assert!((1..=MAX_ELEMENTS).contains(&elements.len()));
            Some(elements)
        }
        Err(ListError::UnexpectedByte { byte, at }) => {
            assert!(lines.iter().any(|line| line.get(at) == Some(&byte)));
            None
        }
        Err(ListError::UnexpectedEnd { at }) => {
            assert!(lines.iter().any(|line| line.len() == at));
            None
        }
        Err(error) => {
            assert!(!matches!(error, ListError::NotAToken { .. }), "{error} is for lists of our own");
            None
        }
    }
}

/// As much of the peer's text as an error repeats.
fn shown(text: &str) -> String {
    text.chars().take(ResponseError::MAX_SHOWN).collect()
}

/// A server takes the first offer that it knows; a client confirms one answer, if that is what it offered.
fn negotiate(offers: &[ExtensionItem], answers: &[ExtensionItem]) {
    let invert = Invert { offers: offers.to_vec() };
    let known = offers.iter().find(|offer| offer.name() == invert.name());
    let accepted = accept_extension(offers, &invert).map(|(answer, _)| answer);
    assert_eq!(accepted.as_ref(), known);

    let confirmed = confirm_extension(answers, Some(&invert)).map(|transforms| transforms.is_some());
    let foreign = answers.iter().find(|answer| answer.name() != invert.name());
    match (answers, foreign) {
        (_, Some(foreign)) => {
            let name = shown(foreign.name());
            assert_eq!(confirmed, Err(ResponseError::ExtensionNotOffered { name }));
        }
        ([], None) => assert_eq!(confirmed, Ok(false)),
        ([answer], None) if offers.contains(answer) => assert_eq!(confirmed, Ok(true)),
        ([answer], None) => {
            let answer = shown(&answer.to_string());
            assert_eq!(confirmed, Err(ResponseError::ExtensionRefused { answer }));
        }
        ([answer, ..], None) => {
            let name = answer.name().to_owned();
            assert_eq!(confirmed, Err(ResponseError::ExtensionRepeated { name }));
        }
    }
    if let Some(answer) = accepted {
        assert!(
            matches!(confirm_extension(&[answer], Some(&invert)), Ok(Some(_))),
            "a server's answer is confirmed"
        );
    }
    assert_eq!(confirm_extension(answers, None).is_ok(), answers.is_empty());
}
