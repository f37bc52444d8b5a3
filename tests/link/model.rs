//! A model of delivery, over seeds: any interleaving of posts, acks, nacks, slow links, drops and reconnects.
//!
//! What must hold: since its last hello a connection that reads has been sent exactly what was owed then and what was posted
//! since, in the order of the channel and none twice; what was acknowledged never again; and in the end everyone has
//! everything.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::support::{Bound, Hub, hello, text_of};
use wscope::link::{Envelope, Frame, HubConfig, HubLimits, Id, Notify};

const AGENTS: usize = 4;
const CHANNELS: usize = 3;
const STEPS: usize = 400;

/// One agent's view.
struct Tenant {
    name: String,
    bound: Bound,
    connected: bool,
    /// Heard on the wire and not answered.
    open: Vec<Notify>,
    /// Numbers heard at least once, by channel.
    heard: BTreeMap<String, BTreeSet<u64>>,
    acked: BTreeMap<String, BTreeSet<u64>>,
    /// The last number heard in each channel since the last hello.
    last: BTreeMap<String, u64>,
    /// What was owed at the last hello, and what was posted since.
    due: BTreeSet<u64>,
    /// What was heard since the last hello.
    fresh: BTreeSet<u64>,
}

struct Model {
    hub: Hub,
    random: StdRng,
    tenants: Vec<Tenant>,
    channels: Vec<(String, Vec<usize>)>,
    /// By channel: number and sender.
    posted: BTreeMap<String, Vec<(u64, usize)>>,
    number: u64,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut limits = HubLimits::new();
        limits.window = 2_000; // a few deliveries, so that slow links matter
        let mut hub = Hub::with(HubConfig::new().limits(limits));
        let bound: Vec<Bound> = (0..AGENTS).map(|at| hub.join(&format!("agent{at}"))).collect();
        let mut channels = Vec::new();
        for at in 0..CHANNELS {
            let members = [at, at + 1];
            let id = hub.open("conversation", &bound[at], &[&bound[at + 1]]);
            channels.push((id, members.to_vec()));
        }
        let tenant = |(at, bound): (usize, Bound)| Tenant {
            name: format!("agent{at}"),
            bound,
            connected: true,
            open: Vec::new(),
            heard: BTreeMap::new(),
            acked: BTreeMap::new(),
            last: BTreeMap::new(),
            due: BTreeSet::new(),
            fresh: BTreeSet::new(),
        };
        let tenants = bound.into_iter().enumerate().map(tenant).collect();
        let random = StdRng::seed_from_u64(seed);
        Self { hub, random, tenants, channels, posted: BTreeMap::new(), number: 0 }
    }

    fn step(&mut self) {
        match self.random.random_range(0..10) {
            0..=3 => self.post(),
            4 | 5 => self.listen(),
            6 | 7 => self.acknowledge(),
            8 => self.slow_down_or_catch_up(),
            _ => self.drop_or_reconnect(),
        }
    }

    fn anyone(&mut self) -> usize {
        self.random.random_range(0..AGENTS)
    }

    fn post(&mut self) {
        let channel = self.random.random_range(0..CHANNELS);
        let (id, members) = self.channels[channel].clone();
        let sender = members[self.random.random_range(0..members.len())];
        let tenant = &self.tenants[sender];
        if !tenant.connected || self.hub.stuck.contains(&tenant.bound.connection) {
            return;
        }
        self.number += 1;
        let bound = tenant.bound.clone();
        self.listen_to(sender);
        self.hub.post_text(&bound, &id, &self.number.to_string()).unwrap();
        self.posted.entry(id).or_default().push((self.number, sender));
        for other in members.into_iter().filter(|member| *member != sender) {
            self.tenants[other].due.insert(self.number);
        }
    }

    fn listen(&mut self) {
        let at = self.anyone();
        self.listen_to(at);
    }

    /// Reads what has come, and checks it.
    fn listen_to(&mut self, at: usize) {
        let tenant = &mut self.tenants[at];
        for frame in self.hub.frames(tenant.bound.connection) {
            let Frame::Notify(notify) = frame else { continue };
            if notify.envelope.event_type != Envelope::TEXT {
                continue;
            }
            assert_eq!(notify.recipient_id, tenant.bound.id);
            let channel = notify.envelope.channel_id.clone();
            let number: u64 = text_of(&notify.envelope).parse().unwrap();
            let last = tenant.last.insert(channel.clone(), number);
            assert!(last.is_none_or(|last| last < number), "{number} after {last:?} in {channel}");
            let acked = tenant.acked.entry(channel.clone()).or_default();
            assert!(!acked.contains(&number), "{number} again, although it was acknowledged");
            tenant.heard.entry(channel).or_default().insert(number);
            tenant.fresh.insert(number);
            tenant.open.push(*notify);
        }
        if tenant.connected && !self.hub.stuck.contains(&tenant.bound.connection) {
            let acked: BTreeSet<u64> = tenant.acked.values().flatten().copied().collect();
            let missing: Vec<&u64> =
                tenant.due.difference(&tenant.fresh).filter(|it| !acked.contains(it)).collect();
            assert!(missing.is_empty(), "{} reads, and was not sent {missing:?}", tenant.name);
            assert!(tenant.fresh.is_subset(&tenant.due), "{} was sent what was not due", tenant.name);
        }
    }

    /// Acks or nacks something that was heard, in any order, once or twice, maybe on a later connection.
    fn acknowledge(&mut self) {
        let at = self.anyone();
        self.listen_to(at);
        let tenant = &mut self.tenants[at];
        if tenant.open.is_empty() || !tenant.connected {
            return;
        }
        let notify = tenant.open.swap_remove(self.random.random_range(0..tenant.open.len()));
        if self.random.random_range(0..5) == 0 {
            let text = format!(
                r#"{{"kind": "receipt", "status": "nack", "envelope_id": "{}", "recipient_id": "{}", "channel_id": "{}"}}"#,
                notify.envelope.envelope_id, tenant.bound.id, notify.envelope.channel_id
            );
            self.hub.say(tenant.bound.connection, &text);
            return;
        }
        let number: u64 = text_of(&notify.envelope).parse().unwrap();
        tenant.acked.entry(notify.envelope.channel_id.clone()).or_default().insert(number);
        for _ in 0..self.random.random_range(1..3) {
            self.hub.ack(&tenant.bound, &notify);
        }
    }

    fn slow_down_or_catch_up(&mut self) {
        let at = self.anyone();
        let connection = self.tenants[at].bound.connection;
        if self.hub.stuck.contains(&connection) {
            self.read_on(at);
        } else {
            self.hub.stuck.push(connection);
        }
    }

    /// The connection of the agent reads again.
    fn read_on(&mut self, at: usize) {
        let connection = self.tenants[at].bound.connection;
        self.hub.stuck.retain(|it| *it != connection);
        self.hub.leave(connection, usize::MAX);
    }

    fn drop_or_reconnect(&mut self) {
        let at = self.anyone();
        if self.tenants[at].connected && self.random.random_range(0..2) == 0 {
            let connection = self.tenants[at].bound.connection;
            self.hub.heard(connection); // what was on its way is lost
            self.hub.detach(connection);
            self.tenants[at].connected = false;
        } else {
            self.reconnect(at);
        }
    }

    /// A new connection, with the old one gone or still there.
    fn reconnect(&mut self, at: usize) {
        let connection: Id = self.hub.attach();
        if self.random.random_range(0..3) == 0 {
            self.hub.stuck.push(connection); // slow from its first frame on
        }
        let owed = self.owed(at);
        let tenant = &mut self.tenants[at];
        let old = std::mem::replace(&mut tenant.bound.connection, connection);
        self.hub.heard(old);
        tenant.connected = true;
        tenant.last.clear();
        tenant.fresh.clear();
        tenant.due = owed.values().flatten().copied().collect();
        for acked in tenant.acked.values() {
            tenant.due = tenant.due.difference(acked).copied().collect();
        }
        self.hub.frame(connection, &hello(&tenant.name, Some("")));
        // The old connection, if it is still there, reads on; what is the agent's no longer comes there.
        self.hub.stuck.retain(|it| *it != old);
        self.hub.leave(old, usize::MAX);
        assert!(self.hub.notifies(old).is_empty());
    }

    /// What others have posted, by channel.
    fn owed(&self, at: usize) -> BTreeMap<String, BTreeSet<u64>> {
        let mine = self.channels.iter().filter(|(_, members)| members.contains(&at));
        let others = |channel: &String| {
            let posted = self.posted.get(channel).into_iter().flatten();
            posted.filter(|(_, sender)| *sender != at).map(|(number, _)| *number).collect()
        };
        mine.map(|(channel, _)| (channel.clone(), others(channel))).collect()
    }

    /// Everyone comes back, reads everything and acks it; then nothing is left.
    fn settle(&mut self) {
        self.hub.stuck.clear();
        for at in 0..AGENTS {
            self.reconnect(at);
            self.read_on(at);
            self.listen_to(at);
            let tenant = &mut self.tenants[at];
            for notify in std::mem::take(&mut tenant.open) {
                let number: u64 = text_of(&notify.envelope).parse().unwrap();
                tenant.acked.entry(notify.envelope.channel_id.clone()).or_default().insert(number);
                self.hub.ack(&tenant.bound, &notify);
            }
        }
        for at in 0..AGENTS {
            self.reconnect(at);
            self.read_on(at);
            let again = self.hub.texts(self.tenants[at].bound.connection);
            assert!(again.is_empty(), "{again:?} after all was acknowledged");
        }
        for at in 0..AGENTS {
            for (channel, owed) in self.owed(at) {
                let heard = self.tenants[at].heard.get(&channel).cloned().unwrap_or_default();
                assert_eq!(heard, owed, "{channel} for {at}");
            }
        }
    }
}

#[test]
fn every_envelope_arrives_at_least_once_in_order_and_after_its_ack_never_again() {
    let mut posted = 0;
    for seed in 0..100 {
        let mut model = Model::new(seed);
        for _ in 0..STEPS {
            model.step();
        }
        model.settle();
        posted += model.number;
    }
    assert!(posted > 3_000, "{posted} envelopes: the model did not do much");
}
