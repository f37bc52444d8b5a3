//! Hostile tenants: whatever comes in, the hub answers or ignores it, the connection goes on, and the others are served.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::support::Hub;

const SESSION: &str = include_str!("frames/session.jsonl");
const PIECES: &[&str] = &[
    "null",
    "true",
    "-1",
    "1e999",
    "NaN",
    "[]",
    "{}",
    "\"\"",
    "\"\\ud800\"",
    "[[[[",
    "}}",
    "\u{0}",
    "é",
    ",",
    ":",
    "\"kind\": \"request\"",
    "\"op\": \"unregister\"",
    "999999999999999999999999",
    "\"zzzz\"",
    "\"ag2.channel.closed\"",
];

#[test]
fn mutated_frames_never_panic_and_never_silence_the_hub() {
    let lines: Vec<&str> = SESSION.lines().collect();
    for seed in 0..40 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut hub = Hub::new();
        let (alice, bob) = (hub.join("alice"), hub.join("bob"));
        let channel = hub.open("conversation", &alice, &[&bob]);
        let mallory = hub.join("mallory");
        for _ in 0..200 {
            let line = lines[random.random_range(0..lines.len())];
            // With ids that exist, so that it gets further; but not bob's name, which anyone may take at this hub.
            let mut bytes = line
                .replace("bob", "mallory")
                .replace("18e9fbf19f35119ec6bae34374fe4974", &mallory.id)
                .replace("18e9fbf1a16c428d0df056d2b5c189e9", &bob.id)
                .replace("18e9fbf1a332d5229928f0edf55497cc", &channel)
                .into_bytes();
            for _ in 0..random.random_range(0..4) {
                let at = random.random_range(0..bytes.len());
                let piece = PIECES[random.random_range(0..PIECES.len())].as_bytes();
                match random.random_range(0..4) {
                    0 => bytes[at] = random.random(),
                    1 => drop(bytes.splice(at..at, piece.iter().copied())),
                    2 => bytes.truncate(at.max(1)),
                    _ => {
                        // In place of a whole value, so that it stays JSON now and then.
                        let value =
                            bytes[at..].iter().position(|byte| *byte == b':').map(|colon| at + colon + 1);
                        let Some(from) = value.filter(|from| *from < bytes.len()) else { continue };
                        let ends = |byte: &u8| *byte == b',' || *byte == b'}';
                        let to = bytes[from..].iter().position(ends).map_or(bytes.len(), |end| from + end);
                        bytes.splice(from..to, piece.iter().copied());
                    }
                }
            }
            hub.say_bytes(mallory.connection, &bytes);
        }
        hub.post_text(&alice, &channel, "still here").unwrap();
        assert!(hub.texts(bob.connection).contains(&"still here".to_owned()));
        assert!(hub.closed.iter().all(|(connection, _)| *connection == mallory.connection));
    }
}

#[test]
fn a_flood_of_hellos_is_cut_off() {
    let mut hub = Hub::new();
    let connection = hub.attach();
    for guess in 0..100 {
        hub.frame(connection, &crate::support::hello(&format!("guess{guess}"), Some("")));
    }
    assert_eq!(hub.heard(connection).len(), 5);
    assert_eq!(hub.closed.len(), 1);
}
