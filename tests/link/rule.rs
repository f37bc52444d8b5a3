//! Rules: globs as Python's, durations as AG2's.

use std::time::Duration;

use wscope::link::{Payload, Rule, Ttl, glob_matches};

#[test]
fn globs_match_as_fnmatchcase_does() {
    // From Python's fnmatch.fnmatchcase.
    const TABLE: &[(&str, &str, bool)] = &[
        ("*", "", true),
        ("", "", true),
        ("", "a", false),
        ("a", "A", false),
        ("a*", "abc", true),
        ("*c", "abc", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abcd", false),
        ("?", "é", true),
        ("?", "", false),
        ("[abc]", "b", true),
        ("[a-c]x", "bx", true),
        ("[!a-c]", "b", false),
        ("[!a-c]", "d", true),
        ("[]]", "]", true),
        ("[!]]", "]", false),
        ("[", "[", true),
        ("[a", "[a", true),
        ("[a-]", "-", true),
        ("*[", "x[", true),
        ("**a**", "a", true),
        ("team-?-*", "team-1-", true),
    ];
    for (glob, name, expected) in TABLE {
        assert_eq!(glob_matches(glob, name), *expected, "{glob} {name}");
    }
}

#[test]
fn a_hostile_glob_takes_no_time() {
    let stars = "*a".repeat(1_000);
    assert!(!glob_matches(&stars, &"a".repeat(999)));
    assert!(glob_matches(&format!("*{}", "[".repeat(2_000)), &"[".repeat(2_000)));
}

#[test]
fn durations_have_four_units_or_none() {
    let seconds =
        |text: &str| Ttl::Text(text.to_owned()).duration().map(|it| it.map_or(0, |it| it.as_secs()));
    assert_eq!(seconds("30s"), Ok(30));
    assert_eq!(seconds("15m"), Ok(900));
    assert_eq!(seconds("2h"), Ok(7_200));
    assert_eq!(seconds("1d"), Ok(86_400));
    assert_eq!(seconds("45"), Ok(45));
    assert_eq!(seconds(""), Ok(0));
    assert_eq!(seconds("-5s"), Ok(0));
    for wrong in ["2w", "h", "1.5h", "9999999999999999999d", "9223372036854775807d", "é"] {
        assert!(seconds(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Ttl::Seconds(7).duration(), Ok(Some(Duration::from_secs(7))));
}

#[test]
fn the_default_rule_is_ag2s_and_parts_of_it_may_be_missing() {
    let text = r#"{"version": 1, "access": {"inbound_from": ["*"], "outbound_to": ["*"], "channel_types": {"initiate": ["*"], "accept": ["*"]}}, "limits": {"max_concurrent_channels": 0, "max_concurrent_tasks": 0, "channel_ttl_default": "2h", "task_ttl_default": "15m", "rate": {"per_minute": 0, "burst": 0}, "delegation_depth": 5, "inbox": {"max_pending": 1000, "overflow": "reject", "high_water": null}}}"#;
    assert_eq!(Payload::of(&Rule::default()).unwrap().as_str(), text);
    let rule = |text| Payload::parse(text).unwrap().to::<Rule>();
    assert_eq!(rule(text).unwrap(), Rule::default());
    assert_eq!(rule("{}").unwrap(), Rule::default());
    let short =
        rule(r#"{"limits": {"channel_ttl_default": 60, "inbox": {"overflow": "drop_oldest"}}}"#).unwrap();
    assert_eq!(short.limits.channel_ttl_default, Ttl::Seconds(60));
    assert_eq!(short.limits.inbox.max_pending, 1_000);
    assert!(rule(r#"{"limits": {"inbox": {"overflow": "explode"}}}"#).is_err());
}
