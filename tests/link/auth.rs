//! Secrets that are not printed, claims that are checked.

use wscope::link::{ApiKeys, AuthAdapter, AuthError, Claim, NoAuth, Passport, Payload, Secret};

#[test]
fn a_secret_matches_itself_alone() {
    let secret = Secret::new("s3cret");
    assert!(secret.matches("s3cret"));
    for wrong in ["", "s", "s3cre", "s3crets", "S3cret", "s3cres", "s3cret\0"] {
        assert!(!secret.matches(wrong), "{wrong:?}");
    }
    assert!(Secret::new("").matches("") && !Secret::new("").matches("\0"));
}

#[test]
fn api_keys_take_the_token_of_the_name() {
    let keys = ApiKeys::new().key("bob", "k1").key("bob", "k2");
    let validate = |name: &str, claim: &Claim| keys.validate(&Passport::new(name), claim);
    let name = || "bob".to_owned();
    assert_eq!(validate("bob", &Claim::token("k2")), Ok(()));
    assert_eq!(validate("bob", &Claim::token("k1")), Err(AuthError::Mismatch { name: name() }));
    assert_eq!(validate("bob", &Claim::token("")), Err(AuthError::NoToken));
    assert_eq!(validate("bob", &Claim::none()), Err(AuthError::NoToken));
    let odd = |text| Claim::from(Payload::parse(text).unwrap());
    assert_eq!(validate("bob", &odd(r#"{"token": 5}"#)), Err(AuthError::NoToken));
    assert_eq!(validate("bob", &odd(r#"{"token": "\ud800"}"#)), Err(AuthError::NoToken));
    assert_eq!(validate("eve", &Claim::token("k2")), Err(AuthError::NoKey { name: "eve".to_owned() }));
    assert_eq!(NoAuth::new().validate(&Passport::new("eve"), &Claim::none()), Ok(()));
}

#[test]
fn nothing_secret_is_printed() {
    let printed =
        format!("{:?} {:?} {:?}", Secret::new("s3"), Claim::token("s3"), ApiKeys::new().key("a", "s3"));
    assert_eq!(printed, r#"Secret(..) Claim(..) ApiKeys({"a": Secret(..)})"#);
}
