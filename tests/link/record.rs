//! Records: every field written, defaults where one is missing.

use wscope::link::{Claim, Passport, PassportKind, Payload, Resume};

#[test]
fn a_passport_has_every_field_and_reads_with_its_name_alone() {
    let text = r#"{"name": "alice", "owner": "", "provider": null, "model": null, "cost": null, "region": null, "auth": {"scheme": "none", "issuer": null, "audience": null, "key_fingerprint": null, "claim": {}}, "kind": null, "hub_id": null, "version": 1, "agent_id": null, "created_at": ""}"#;
    assert_eq!(Payload::of(&Passport::new("alice")).unwrap().as_str(), text);
    let read = Payload::parse(r#"{"name": "alice", "new": 1}"#).unwrap().to::<Passport>();
    assert_eq!(read.unwrap(), Passport::new("alice"));
}

#[test]
fn a_kind_is_one_of_three_or_none() {
    let kind = |text: &str| {
        let text = format!(r#"{{"name": "x", "kind": {text}}}"#);
        Payload::parse(&text).unwrap().to::<Passport>().ok().map(|it| it.effective_kind())
    };
    assert_eq!(kind("null"), Some(PassportKind::Agent));
    assert_eq!(kind(r#""human""#), Some(PassportKind::Human));
    assert_eq!(kind(r#""remote_agent""#), Some(PassportKind::RemoteAgent));
    assert_eq!(kind(r#""huMan""#), None);
}

#[test]
fn a_resume_has_what_it_claims_and_what_was_seen() {
    let text = r#"{"claimed_capabilities": ["a"], "domains": [], "summary": "", "examples": [{"title": "t", "outcome": "", "task_id": null, "channel_id": null, "when": null, "note": ""}], "observed": {"b": {"n": 1, "completed": 1, "failed": 0, "expired": 0, "p50_latency_ms": null}}, "version": 1, "last_updated": ""}"#;
    let resume: Resume = Payload::parse(text).unwrap().to().unwrap();
    assert!(resume.has("a") && resume.has("b") && !resume.has("c"));
    assert_eq!(Payload::of(&resume).unwrap().as_str(), text);
}

#[test]
fn a_claim_in_a_passport_is_sent_and_not_printed() {
    let mut passport = Passport::new("alice");
    passport.auth.claim = Claim::token("s3cret");
    assert!(Payload::of(&passport).unwrap().as_str().contains("s3cret"));
    assert!(!format!("{passport:?}").contains("s3cret"));
}
