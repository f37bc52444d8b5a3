//! Hostile tenants: whatever comes in, the hub answers or ignores it, the connection goes on, and the others are served.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use wscope::link::{Effect, HubConfig, HubLimits, Id, MemoryStore, Switchboard, Timestamp};

use crate::support::{Hub, START};

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

/// A crowd that does anything at all, with a few names and ids so that it gets somewhere; and what came of it.
struct Crowd {
    board: Switchboard,
    random: StdRng,
    now: Timestamp,
    /// What is on its way to each connection.
    links: BTreeMap<Id, usize>,
    /// Requests by id: how often each was answered, and on which connection it is to be.
    asked: BTreeMap<String, (Id, usize)>,
    agents: Vec<String>,
    channels: Vec<String>,
    envelopes: Vec<String>,
    /// What each connection was delivered lately: recipient, channel, envelope, event.
    delivered: BTreeMap<Id, VecDeque<[String; 4]>>,
    limits: HubLimits,
}

impl Crowd {
    fn new(seed: u64) -> Self {
        let mut limits = HubLimits::new();
        (limits.max_endpoints, limits.max_agents, limits.max_agents_per_endpoint) = (6, 12, 5);
        (limits.window, limits.max_unsent_size, limits.max_message_size) = (4_000, 60_000, 20_000);
        (limits.max_closed_channels, limits.max_channels_per_agent, limits.max_participants) = (3, 6, 4);
        (limits.max_inbox, limits.max_posted_size, limits.max_refusals) = (12, 60_000, 20);
        let store = MemoryStore::new().max_bytes(200_000).max_log_bytes(30_000);
        Self {
            board: Switchboard::new(HubConfig::new().limits(limits.clone()).store(store), [3; 32]),
            random: StdRng::seed_from_u64(seed),
            now: Timestamp::from_nanos(START),
            links: BTreeMap::new(),
            asked: BTreeMap::new(),
            agents: vec!["nobody".to_owned()],
            channels: vec!["nowhere".to_owned()],
            envelopes: vec![String::new(), "zzzz".to_owned()],
            delivered: BTreeMap::new(),
            limits,
        }
    }

    fn below(&mut self, most: usize) -> usize {
        self.random.random_range(0..most)
    }

    fn one_of(&mut self, what: fn(&Self) -> &Vec<String>) -> String {
        let at = self.random.random_range(0..what(self).len());
        what(self)[at].clone()
    }

    fn link(&mut self) -> Option<Id> {
        let at = self.random.random_range(0..self.links.len().max(1));
        self.links.keys().nth(at).copied()
    }

    /// Something happens.
    fn step(&mut self) {
        match self.below(40) {
            0 => {
                let id = self.board.attach(self.now);
                self.links.insert(id, 0);
            }
            1 if self.below(4) == 0 => {
                if let Some(id) = self.link() {
                    self.board.detach(id, self.now);
                    self.links.remove(&id);
                }
            }
            2 => self.pass(),
            3..12 => {
                if let Some(id) = self.link() {
                    let on_its_way = self.links[&id];
                    let left = self.below(on_its_way + 1).max(on_its_way.min(3_000));
                    self.links.insert(id, on_its_way - left);
                    self.board.sent(id, left, self.now);
                }
            }
            _ => {
                if let Some(id) = self.link()
                    && self.board.wants_input(id)
                {
                    let frame = self.frame(id).to_string();
                    self.board.receive(id, frame.as_bytes(), self.now);
                }
            }
        }
        self.look();
    }

    /// The clock goes on, or back.
    fn pass(&mut self) {
        let seconds = self.below(20) as u64;
        self.now = match self.below(5) {
            0 => Timestamp::from_nanos(self.now.as_nanos() - seconds * 1_000_000_000),
            _ => self.now.after(Duration::from_secs(seconds)),
        };
        self.board.wake(self.now);
    }

    /// Anything; or what makes sense after a delivery.
    fn frame(&mut self, link: Id) -> Value {
        if self.below(2) == 0
            && let Some([recipient, channel, envelope, event]) =
                self.delivered.get_mut(&link).and_then(VecDeque::pop_front)
        {
            if event != "ag2.channel.invite" {
                return json!({"kind": "receipt", "envelope_id": envelope, "status": "ack",
                    "recipient_id": recipient, "channel_id": channel});
            }
            return self.request(link, "post_envelope", &json!({"envelope": {"channel_id": channel,
                "sender_id": recipient, "audience": null, "event_type": "ag2.channel.invite.ack", "event_data": {}}}));
        }
        let agent = self.one_of(|it| &it.agents);
        let name = format!("n{}", self.below(14));
        match self.below(10) {
            0 => {
                let since = match self.below(3) {
                    0 => Value::Null,
                    _ => self.one_of(|it| &it.envelopes).into(),
                };
                json!({"kind": "hello", "name": name, "since_envelope_id": since})
            }
            1..4 => {
                let status = ["ack", "ack", "nack", "what"][self.below(4)];
                let (channel, envelope) = (self.one_of(|it| &it.channels), self.one_of(|it| &it.envelopes));
                json!({"kind": "receipt", "envelope_id": envelope, "status": status, "recipient_id": agent,
                    "channel_id": channel})
            }
            _ => {
                let (op, params) = self.operation(&agent, &name);
                self.request(link, op, &params)
            }
        }
    }

    fn request(&mut self, link: Id, op: &str, params: &Value) -> Value {
        let id = format!("r{}", self.asked.len());
        self.asked.insert(id.clone(), (link, 0));
        json!({"kind": "request", "request_id": id, "op": op, "params": params})
    }

    fn operation(&mut self, agent: &str, name: &str) -> (&'static str, Value) {
        let (channel, other) = (self.one_of(|it| &it.channels), self.one_of(|it| &it.agents));
        match self.below(16) {
            0 | 1 => {
                let overflow = ["reject", "drop_oldest", "drop_newest"][self.below(3)];
                let rule = json!({"limits": {"inbox": {"max_pending": self.below(4), "overflow": overflow}}});
                ("register", json!({"passport": {"name": name}, "resume": {}, "rule": rule}))
            }
            2 if self.below(3) == 0 => ("unregister", json!({"agent_id": agent})),
            3 | 4 => {
                let kind = ["conversation", "consulting", "discussion"][self.below(3)];
                let ttl = self.below(60);
                let third = self.one_of(|it| &it.agents);
                let all = if kind == "discussion" { vec![other, third] } else { vec![other] };
                (
                    "create_channel",
                    json!({"creator_id": agent, "manifest_type": kind, "participants": all, "ttl": ttl}),
                )
            }
            5 if self.below(3) == 0 => ("close_channel", json!({"channel_id": channel})),
            6 => ("list_channels", json!({"limit": 1_000})),
            7 => ("list_agents", json!({"limit": 1_000, "query": "e"})),
            8 => ("read_wal", json!({"channel_id": channel, "since": -3})),
            9 => ("pending_turns_for", json!({"agent_id": agent})),
            turn => {
                let event = match turn {
                    10 | 11 => "ag2.channel.invite.ack",
                    12 if self.below(4) == 0 => "ag2.channel.invite.reject",
                    13 => "ag2.task.cancel_request",
                    _ => "ag2.msg.text",
                };
                let audience = if self.below(4) == 0 { json!([other, agent]) } else { Value::Null };
                let key = if self.below(4) == 0 { json!(self.below(5).to_string()) } else { Value::Null };
                let text = "x".repeat(self.below(2_000));
                (
                    "post_envelope",
                    json!({"envelope": {"channel_id": channel, "sender_id": agent, "audience": audience,
                    "event_type": event, "event_data": {"text": text}, "idempotency_key": key,
                    "ttl_seconds": self.below(40)}}),
                )
            }
        }
    }

    /// What came of it, and what has to hold.
    fn look(&mut self) {
        while let Some(effect) = self.board.next_effect() {
            match effect {
                Effect::Send { endpoint, message } => {
                    let on_its_way = self.links.get_mut(&endpoint).expect("sent to nobody");
                    *on_its_way += message.len();
                    assert!(
                        *on_its_way <= self.limits.max_unsent_size + 20_000 * 6,
                        "{on_its_way} on their way"
                    );
                    self.learn(endpoint, &message.into_text());
                }
                Effect::Close { endpoint, .. } => {
                    assert!(self.links.remove(&endpoint).is_some(), "closed twice");
                }
                effect => panic!("unknown effect {effect:?}"),
            }
        }
        let stats = self.board.stats();
        assert!(stats.agents <= self.limits.max_agents && stats.online <= stats.agents);
        assert_eq!(stats.endpoints, self.links.len());
        assert!(stats.channels <= self.limits.max_agents * self.limits.max_channels_per_agent + 3);
    }

    fn learn(&mut self, link: Id, text: &str) {
        let frame: Value = serde_json::from_str(text).unwrap();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        match frame["kind"].as_str().unwrap() {
            "response" => {
                let asked = self.asked.get_mut(frame["request_id"].as_str().unwrap()).unwrap();
                assert_eq!(asked.0, link, "answered elsewhere");
                asked.1 += 1;
                assert_eq!(asked.1, 1, "answered twice");
                if let Some(id) = frame["result"]["agent_id"].as_str() {
                    self.agents.push(id.to_owned());
                }
            }
            "notify" => {
                let envelope = &frame["envelope"];
                let (id, channel) = (word(&envelope["envelope_id"]), word(&envelope["channel_id"]));
                let delivered = self.delivered.entry(link).or_default();
                let recipient = word(&frame["recipient_id"]);
                delivered.push_back([recipient, channel.clone(), id.clone(), word(&envelope["event_type"])]);
                self.envelopes.push(id);
                self.channels.push(channel);
            }
            _ => {}
        }
        for (known, most) in [(&mut self.agents, 16), (&mut self.channels, 8), (&mut self.envelopes, 20)] {
            known.drain(..known.len().saturating_sub(most));
        }
    }
}

#[test]
fn whatever_a_crowd_does_each_request_is_answered_once_and_nothing_grows() {
    let mut opened = 0;
    for seed in 0..12 {
        let mut crowd = Crowd::new(seed);
        for _ in 0..3_000 {
            crowd.step();
        }
        opened += crowd.board.stats().acked;
        // Everything leaves, and the invited have had their time: nobody waits any more.
        for _ in 0..8 {
            crowd.now = crowd.now.after(Duration::from_secs(1_000));
            crowd.board.wake(crowd.now);
            crowd.look();
            for (id, on_its_way) in crowd.links.clone() {
                crowd.links.insert(id, 0);
                crowd.board.sent(id, on_its_way, crowd.now);
                crowd.look();
            }
        }
        let waits =
            crowd.asked.iter().find(|(_, (link, answers))| *answers == 0 && crowd.links.contains_key(link));
        assert!(waits.is_none(), "seed {seed}: {waits:?}");
    }
    assert!(opened > 300, "it came to something: {opened} acknowledged");
}
