//! A session with a hub of AG2 1.2.1, recorded from its sockets, and held again with ours: the same frames go in, and each
//! connection must hear the same frames, in the same order, up to ids and times.

use std::collections::BTreeMap;

use serde_json::Value;
use wscope::link::Id;

use crate::support::Hub;

const RECORDED: &str = include_str!("frames/recorded.jsonl");

#[test]
fn each_connection_hears_what_ag2s_hub_told_it() {
    let mut hub = Hub::new();
    let mut connections: BTreeMap<String, Id> = BTreeMap::new();
    let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    let (mut compared, mut same) = (0, 0);
    for line in RECORDED.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let word = |name: &str| line[name].as_str().unwrap().to_owned();
        let (name, text) = (word("c"), word("text"));
        let connection = *connections.entry(name.clone()).or_insert_with(|| hub.attach());
        match word("to").as_str() {
            "hub" => {
                hub.say(
                    connection,
                    &replace_ids(&text, |id| ids.get(id).cloned().unwrap_or_else(|| id.to_owned())),
                );
                for (name, connection) in &connections {
                    heard.entry(name.clone()).or_default().extend(hub.heard(*connection));
                }
            }
            "tenant" => {
                let ours = heard.entry(name.clone()).or_default();
                assert!(!ours.is_empty(), "{name} should have heard {text}");
                let ours = ours.remove(0);
                learn(&text, &ours, &mut ids);
                let theirs = replace_ids(&text, |id| ids.get(id).cloned().unwrap_or_else(|| id.to_owned()));
                let (ours, theirs) = (without_times(&ours), without_times(&theirs));
                let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
                assert_eq!(value(&ours), value(&theirs), "told to {name}");
                compared += 1;
                same += usize::from(ours == theirs);
            }
            _ => hub.detach(connection),
        }
    }
    let rest: Vec<&String> = heard.values().flatten().collect();
    assert!(rest.is_empty(), "nothing more: {rest:#?}");
    // AG2's log sorts the keys of event_data, so that what is read from it, once here, has them in another order.
    assert!(compared > 90 && same == compared - 1, "{same} of {compared} frames are the same to the byte");
}

/// Which id of theirs is which of ours: those that stand in the same place.
fn learn(theirs: &str, ours: &str, ids: &mut BTreeMap<String, String>) {
    let found = |text: &str| {
        let mut found = Vec::new();
        replace_ids(text, |id| {
            found.push(id.to_owned());
            String::new()
        });
        found
    };
    for (their, our) in found(theirs).into_iter().zip(found(ours)) {
        ids.entry(their).or_insert(our);
    }
}

fn replace_ids(text: &str, mut with: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        if rest.get(..32).is_some_and(|start| start.parse::<Id>().is_ok()) {
            out.push_str(&with(&rest[..32]));
            rest = &rest[32..];
        } else {
            let mut characters = rest.chars();
            out.extend(characters.next());
            rest = characters.as_str();
        }
    }
    out
}

/// Every text that is a time, written as `T`.
fn without_times(text: &str) -> String {
    let is_time = |piece: &&str| piece.parse::<wscope::link::Timestamp>().is_ok();
    let pieces = text.split('"').map(|piece| if is_time(&piece) { "T" } else { piece });
    pieces.collect::<Vec<_>>().join("\"")
}
