//! Tokens, subprotocol lists, extension lists.

use crate::handshake::{items, token_list};
use proptest::prelude::*;
use wscope::proto::{ExtensionItem, ListError, MAX_ELEMENTS, MAX_PARAMETERS, Token};

const TOKEN_BYTES: &str = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Those of them that are neither letters nor digits, as an error names them.
const TOKEN_SIGNS: &str = "!#$%&'*+-.^_`|~";

fn parse(text: &str) -> Result<ExtensionItem, ListError> {
    text.parse()
}

#[test] // RFC 9110 §5.6.2
fn token_holds_tchars_and_nothing_else() {
    for byte in 0..=u8::MAX {
        let text = char::from(byte).to_string();
        assert_eq!(Token::new(text.as_str()).is_ok(), TOKEN_BYTES.contains(&text), "{byte:#04x}");
    }
    assert!(Token::new("").is_err());
    assert!("a b".parse::<Token>().is_err());
    assert_eq!(Token::new(TOKEN_BYTES).unwrap().as_str(), TOKEN_BYTES);
}

#[test]
fn token_prints_itself_and_compares_with_text() {
    let token = Token::from_static("chat");
    assert_eq!(format!("{token} {token:>6} {token:?}"), "chat   chat \"chat\"");
    assert!(token == "chat" && token == *"chat" && token != "Chat" && token.as_ref() == "chat");
    assert_eq!(Token::from(0), "0");
    assert_eq!(Token::from(255), "255");
}

#[test]
#[should_panic(expected = "not a token")]
fn token_from_static_refuses_what_is_not_one() {
    let _ = Token::from_static("a,b");
}

#[test] // RFC 6455 §9.1
fn extension_item_parses_what_the_grammar_allows() {
    type Parameters<'a> = &'a [(&'a str, Option<&'a str>)];
    let cases: &[(&str, &str, Parameters<'_>)] = &[
        ("a", "a", &[]),
        (" \ta\t ", "a", &[]),
        (",, a ,\t,", "a", &[]),
        ("a;b", "a", &[("b", None)]),
        ("a ; b ; b", "a", &[("b", None), ("b", None)]),
        ("a;b=1;c", "a", &[("b", Some("1")), ("c", None)]),
        ("a; b = 1", "a", &[("b", Some("1"))]),
        ("a; b=\"1\"", "a", &[("b", Some("1"))]),
        ("a; b=\"\\1\\2\" ;c=\"x\"", "a", &[("b", Some("12")), ("c", Some("x"))]),
    ];
    for (text, name, parameters) in cases {
        let item = parse(text).unwrap();
        assert_eq!(item.name(), *name, "{text}");
        assert!(item.parameters().eq(parameters.iter().copied()), "{text}: {item:?}");
    }
}

#[test] // RFC 6455 §9.1
fn extension_item_refuses_what_the_grammar_forbids() {
    let byte = |byte, at| ListError::UnexpectedByte { byte, at };
    let end = |at| ListError::UnexpectedEnd { at };
    for (text, error) in [
        ("", ListError::Empty),
        (" , ,", ListError::Empty),
        ("a;", end(2)),
        ("a;;b", byte(b';', 2)),
        (";a", byte(b';', 0)),
        ("a b", byte(b'b', 2)),
        ("a=1", byte(b'=', 1)),
        ("a;b=", end(4)),
        ("a;b=,", byte(b',', 4)),
        ("a;b==1", byte(b'=', 4)),
        ("a;b=\"", end(5)),
        ("a;b=\"1", end(6)),
        ("a;b=\"1\\", end(7)),
        ("a;b=\"\"", byte(b'"', 5)),
        ("a;b=\"\"x\"", byte(b'"', 5)),
        ("a;b=\"1 2\"", byte(b' ', 6)),
        ("a;b=\"1,2\"", byte(b',', 6)),
        ("a;b=\"1\\\"\"", byte(b'"', 7)),
        ("a;b=\"1\"2", byte(b'2', 7)),
        ("a;b=\"é\"", byte(0xc3, 5)),
        ("é", byte(0xc3, 0)),
        ("a, b", ListError::TooMany { limit: 1 }),
        ("\0", byte(0, 0)),
    ] {
        assert_eq!(parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn extension_item_bounds_its_parameters() {
    let item = |count: usize| format!("a{}", "; x=1".repeat(count));
    assert_eq!(parse(&item(MAX_PARAMETERS)).unwrap().parameters().count(), MAX_PARAMETERS);
    assert_eq!(parse(&item(MAX_PARAMETERS + 1)), Err(ListError::TooMany { limit: MAX_PARAMETERS }));
}

#[test] // RFC 9110 §5.3, §5.6.1; RFC 6455 §4.1
fn subprotocols_are_one_list_over_all_lines_each_once() {
    let names = |lines: &[&str]| {
        token_list(lines).map(|tokens| tokens.iter().map(Token::to_string).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(names(&[]), Ok(String::new()));
    assert_eq!(names(&["a,b", " c , , d,"]), Ok("a b c d".into()));
    assert_eq!(names(&["a", "", "b"]), Ok("a b".into()));
    assert_eq!(names(&["a, A"]), Ok("a A".into()));
    assert_eq!(names(&[""]), Err(ListError::Empty));
    assert_eq!(names(&[",", " "]), Err(ListError::Empty));
    assert_eq!(names(&["a, b, a"]), Err(ListError::Repeated { index: 2 }));
    assert_eq!(names(&["a", "a"]), Err(ListError::Repeated { index: 1 }));
    assert_eq!(names(&["a b"]), Err(ListError::UnexpectedByte { byte: b'b', at: 2 }));
    assert_eq!(names(&["ok", "a;b"]), Err(ListError::UnexpectedByte { byte: b';', at: 1 }));
    assert_eq!(names(&["\"a\""]), Err(ListError::UnexpectedByte { byte: b'"', at: 0 }));
}

#[test]
fn lists_bound_their_elements_over_all_lines() {
    let list = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(token_list(&[&list(MAX_ELEMENTS)]).unwrap().len(), MAX_ELEMENTS);
    let too_many = ListError::TooMany { limit: MAX_ELEMENTS };
    assert_eq!(token_list(&[&list(MAX_ELEMENTS + 1)]), Err(too_many));
    assert_eq!(token_list(&[&list(MAX_ELEMENTS), "x"]), Err(too_many));
    let many = vec![&b"a"[..]; MAX_ELEMENTS + 1];
    assert_eq!(ExtensionItem::parse_list(many), Err(too_many));
}

#[test] // RFC 7692 §5: fallbacks of one name
fn extensions_are_one_list_over_all_lines_and_may_repeat() {
    let lines = [&b"a; x, b"[..], b"a"];
    assert_eq!(ExtensionItem::parse_list(lines).unwrap(), items(&["a; x", "b", "a"]));
    assert_eq!(ExtensionItem::parse_list([]), Ok(Vec::new()));
    assert_eq!(ExtensionItem::parse_list([&b""[..]]), Err(ListError::Empty));
}

#[test]
fn errors_say_where_and_cite_the_rule() {
    assert_eq!(
        parse("a;b c").unwrap_err().to_string(),
        "byte 0x63 cannot stand at offset 4 of a line of the list (RFC 6455 §4.3)"
    );
    assert_eq!(
        parse("a;").unwrap_err().to_string(),
        "a line of the list ends after 2 bytes, inside an element (RFC 6455 §4.3)"
    );
    assert_eq!(
        parse("").unwrap_err().to_string(),
        "the list has no element, and needs one (RFC 9110 §5.6.1)"
    );
    assert_eq!(
        ListError::TooMany { limit: 3 }.to_string(),
        "the list has more elements, or one of them more parameters, than the limit of 3"
    );
    assert_eq!(
        ListError::NotAToken { index: 2 }.to_string(),
        format!(
            "the element at index 2 is not a token: that is one or more letters, digits and {TOKEN_SIGNS} (RFC 9110 §5.6.2)"
        )
    );
    assert_eq!(
        ListError::Repeated { index: 1 }.to_string(),
        "the element at index 1 repeats an earlier one: each may stand once (RFC 6455 §4.1)"
    );
    assert!(Token::new("").unwrap_err().to_string().starts_with("not a token: "));
    assert!(TOKEN_BYTES.starts_with(TOKEN_SIGNS));
}

fn token() -> impl Strategy<Value = Token> {
    "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}".prop_map(|text| Token::new(text).unwrap())
}

proptest! {
    #[test]
    fn printed_items_parse_to_themselves(
        name in token(),
        parameters in prop::collection::vec((token(), prop::option::of(token())), 0..=MAX_PARAMETERS),
    ) {
        let item = parameters.into_iter().fold(ExtensionItem::new(name), |item, (name, value)| match value {
            Some(value) => item.with_value(name, value),
            None => item.with_flag(name),
        });
        prop_assert_eq!(parse(&item.to_string()), Ok(item));
    }

    #[test]
    fn any_text_parses_or_fails_and_what_parses_is_made_of_tokens(text in "[a-z;,=\"\\\\ \t\u{0}é-]{0,40}") {
        if let Ok(item) = parse(&text) {
            prop_assert!(Token::new(item.name()).is_ok());
            for (name, value) in item.parameters() {
                prop_assert!(Token::new(name).is_ok());
                prop_assert!(value.is_none_or(|value| Token::new(value).is_ok()));
            }
        }
    }
}
