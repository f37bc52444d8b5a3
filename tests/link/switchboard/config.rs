//! What a hub is made of when nothing is said.

use crate::support::{Hub, code};
use wscope::link::{ApiKeys, AuthBlock, Claim, HubConfig, Operation, Passport, Register};

fn register(name: &str, scheme: &str, claim: Claim) -> Operation {
    let mut passport = Passport::new(name);
    let mut auth = AuthBlock::default();
    (auth.scheme, auth.claim) = (scheme.to_owned(), claim);
    passport.auth = auth;
    Operation::Register(Box::new(Register::new(passport)))
}

#[test]
fn a_hub_without_adapters_trusts_everyone_and_one_with_some_only_theirs() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    assert!(hub.request(connection, &register("a", "none", Claim::none())).is_ok());
    let (refused, message) = hub.request(connection, &register("b", "x", Claim::none())).unwrap_err();
    assert_eq!((refused.as_str(), message.as_str()), ("auth_failed", "unknown auth scheme: 'x'"));

    let mut hub = Hub::with(HubConfig::new().auth(ApiKeys::new().key("a", "k")));
    let connection = hub.attach();
    assert_eq!(code(hub.request(connection, &register("a", "none", Claim::none()))), "auth_failed");
    let passport = hub.request(connection, &register("a", "api_key", Claim::token("k"))).unwrap();
    assert_eq!(passport["auth"]["scheme"], "api_key");
    assert_eq!(passport["auth"]["claim"], serde_json::json!({}), "a claim is never given back");
}
