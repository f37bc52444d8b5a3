//! How an extension gets into an agreement, without the rest of a handshake.

use super::{TOY, Toy, items};
use wscope::proto::{Agreement, ResponseError, accept_extension, confirm_extension};

#[test] // RFC 6455 §9.1, RFC 7692 §5
fn server_takes_the_first_offer_of_that_name_that_is_accepted() {
    for (offers, accepted) in [
        (&[][..], false),
        (&["other"][..], false),
        (&["x-toy"], true),
        (&["other", "x-toy"], true),
        (&["x-toy; no"], false),
        (&["x-toy; no", "x-toy"], true),
        (&["X-TOY"], false),
    ] {
        let answer = accept_extension(&items(offers), &TOY).map(|(answer, _)| answer.to_string());
        assert_eq!(answer.as_deref(), accepted.then_some("x-toy"), "{offers:?}");
    }
}

#[test]
fn server_declines_when_the_extension_answers_under_another_name() {
    let liar = Toy { answer: "other", ..TOY };
    assert!(accept_extension(&items(&["x-toy"]), &liar).is_none());
}

#[test] // RFC 6455 §4.1, §9.1
fn client_confirms_what_it_offered_once_and_with_parameters_that_fit() {
    let confirm =
        |answers: &[&str]| confirm_extension(&items(answers), Some(&TOY)).map(|agreed| agreed.is_some());
    let name = || "x-toy".to_owned();
    assert_eq!(confirm(&[]), Ok(false));
    assert_eq!(confirm(&["x-toy"]), Ok(true));
    assert_eq!(
        confirm(&["x-toy; bad=1"]),
        Err(ResponseError::ExtensionRefused { answer: "x-toy; bad=1".into() })
    );
    assert_eq!(confirm(&["x-toy", "x-toy"]), Err(ResponseError::ExtensionRepeated { name: name() }));
    let foreign = ResponseError::ExtensionNotOffered { name: "other".into() };
    assert_eq!(confirm(&["other"]), Err(foreign.clone()));
    assert_eq!(confirm(&["x-toy", "other"]), Err(foreign));
    let none = confirm_extension(&items(&["x-toy"]), None).map(|agreed| agreed.is_some());
    assert_eq!(none, Err(ResponseError::ExtensionNotOffered { name: name() }));
}

#[test]
fn errors_repeat_no_more_of_an_answer_than_they_say() {
    let (long, shown) = ("x".repeat(5000), "x".repeat(ResponseError::MAX_SHOWN));
    let confirm = |answer: &str| confirm_extension(&items(&[answer]), Some(&TOY)).unwrap_err();
    assert_eq!(confirm(&long), ResponseError::ExtensionNotOffered { name: shown });
    let ResponseError::ExtensionRefused { answer } = confirm(&format!("x-toy; bad={long}")) else { panic!() };
    assert_eq!(answer.len(), ResponseError::MAX_SHOWN);
}

#[test]
fn agreement_can_be_made_without_a_handshake() {
    let agreement = Agreement::new(Some("chat".into()), None);
    assert_eq!((agreement.subprotocol.as_deref(), agreement.extension.is_none()), (Some("chat"), true));
    assert!(Agreement::default().subprotocol.is_none());
}
