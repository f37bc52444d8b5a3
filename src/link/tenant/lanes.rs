//! Deliveries of one agent that wait to be handled: a lane for each channel.
//!
//! ```text
//!   channel a   ▶ 3 4 5        ready       one delivery of a lane is in work at a time, so acks leave in order
//!   channel b   ▶ 9   [8]      busy        8 is in work
//!   channel c   ▶              behind      12 came when there was no room: so did not 13, 14, ..
//! ```
//!
//! What is kept is bounded in bytes. Reading goes on all the same: answers come by the same way, and who stops reading stops
//! answering pings, and is cut off. So a delivery for which there is no room is put down, and with it all that follow in its
//! channel; the hub still owes them, and is asked for them again, by a hello on the same link, when there is room.
//!
//! Pure; nobody is woken and nothing of a user's is dropped here.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    task::Waker,
};

use crate::link::{frame::Notify, id::Id};

/// One thing to do for one channel.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    /// To be handled, then acknowledged.
    Delivery(Arc<Notify>),
    /// Handled before: to be acknowledged only.
    Duplicate(Arc<Notify>),
}

impl Parcel {
    pub(super) fn notify(&self) -> &Arc<Notify> {
        match self {
            Self::Delivery(notify) | Self::Duplicate(notify) => notify,
        }
    }

    fn weight(&self) -> usize {
        let envelope = &self.notify().envelope;
        LEAST + envelope.event_data.as_str().len()
    }
}

/// What became of a delivery that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    Queued,
    /// It waits or is in work already, and its ack will come.
    Known,
    /// There was no room.
    Shed,
}

#[derive(Debug)]
pub(super) struct Lanes {
    lanes: BTreeMap<String, Lane>,
    /// Lanes with something to do and nothing in work, each once.
    ready: VecDeque<String>,
    /// What waits or is in work.
    known: BTreeSet<Id>,
    weight: usize,
    limit: usize,
    /// Something was put down of a channel for which there was not even a lane: so no new lane is opened.
    crowded: bool,
    /// The hub has been asked for what was put down, and has not said welcome yet.
    asked: bool,
    /// Who serves.
    pub(super) server: Option<Waker>,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Parcel>,
    weight: usize,
    busy: bool,
    behind: bool,
}

impl Lanes {
    /// Empty, with room for `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            lanes: BTreeMap::new(),
            ready: VecDeque::new(),
            known: BTreeSet::new(),
            weight: 0,
            limit,
            crowded: false,
            asked: false,
            server: None,
        }
    }

    /// A delivery has come.
    pub(super) fn put(&mut self, parcel: Parcel) -> Put {
        let id: Option<Id> = parcel.notify().envelope.envelope_id.parse().ok();
        if id.is_some_and(|id| self.known.contains(&id)) {
            return Put::Known;
        }
        let channel = &parcel.notify().envelope.channel_id;
        let weight = parcel.weight();
        if !self.has_room(channel, weight) {
            self.put_down(channel);
            return Put::Shed;
        }
        let channel = channel.clone();
        let lane = self.lanes.entry(channel.clone()).or_default();
        if !lane.busy && lane.queue.is_empty() {
            self.ready.push_back(channel);
        }
        lane.weight += weight;
        lane.queue.push_back(parcel);
        self.weight += weight;
        self.known.extend(id);
        Put::Queued
    }

    /// The next parcel of the lane that waits longest. The lane is busy until [`done`](Self::done) or
    /// [`give_back`](Self::give_back).
    pub(super) fn take(&mut self) -> Option<Parcel> {
        let channel = self.ready.pop_front()?;
        let lane = self.lanes.get_mut(&channel)?;
        lane.busy = true;
        lane.queue.pop_front()
    }

    /// A parcel is dealt with.
    pub(super) fn done(&mut self, parcel: &Parcel) {
        let envelope = &parcel.notify().envelope;
        if let Ok(id) = envelope.envelope_id.parse() {
            self.known.remove(&id);
        }
        let weight = parcel.weight();
        self.weight = self.weight.saturating_sub(weight);
        let Some(lane) = self.lanes.get_mut(&envelope.channel_id) else { return };
        lane.busy = false;
        lane.weight = lane.weight.saturating_sub(weight);
        if !lane.queue.is_empty() {
            self.ready.push_back(envelope.channel_id.clone());
        } else if !lane.behind {
            self.lanes.remove(&envelope.channel_id);
        }
    }

    /// A parcel was not dealt with: it is the next of its lane again.
    pub(super) fn give_back(&mut self, parcel: Parcel) {
        let channel = parcel.notify().envelope.channel_id.clone();
        let Some(lane) = self.lanes.get_mut(&channel) else { return };
        lane.busy = false;
        lane.queue.push_front(parcel);
        self.ready.push_front(channel);
    }

    /// Whether the hub is to be asked again: something was put down, its lane has come to its end, and there is room.
    pub(super) fn wants_more(&self) -> bool {
        let drained = |lane: &Lane| lane.behind && lane.queue.is_empty() && !lane.busy;
        let has_room = self.weight <= self.limit - self.limit / 4;
        !self.asked
            && has_room
            && ((self.crowded && self.lanes.len() < MAX_LANES / 2) || self.lanes.values().any(drained))
    }

    /// The hub is being asked again.
    pub(super) fn ask(&mut self) {
        self.asked = true;
    }

    /// The hub has not been asked after all.
    pub(super) fn ask_later(&mut self) {
        self.asked = false;
    }

    /// The hub begins again with what is not acknowledged.
    pub(super) fn welcome(&mut self) {
        (self.asked, self.crowded) = (false, false);
        self.lanes.retain(|_, lane| {
            lane.behind = false;
            lane.busy || !lane.queue.is_empty()
        });
    }

    /// How many bytes wait or are in work.
    pub(super) const fn weight(&self) -> usize {
        self.weight
    }

    fn put_down(&mut self, channel: &str) {
        if self.lanes.len() >= MAX_LANES && !self.lanes.contains_key(channel) {
            self.crowded = true;
        } else {
            self.lanes.entry(channel.to_owned()).or_default().behind = true;
        }
    }

    /// One channel has at most as much as is left free, so that the others find room; where nothing is, anything has room.
    fn has_room(&self, channel: &str, weight: usize) -> bool {
        let in_all = self.weight + weight <= self.limit;
        match self.lanes.get(channel) {
            Some(lane) if lane.behind => false,
            Some(lane) if lane.weight > 0 => lane.weight + self.weight + weight <= self.limit,
            Some(_) => in_all || self.weight == 0,
            None => (in_all || self.weight == 0) && !self.crowded && self.lanes.len() < MAX_LANES,
        }
    }
}

/// What a delivery counts beside its data.
const LEAST: usize = 512;

/// How many channels can have something waiting.
const MAX_LANES: usize = 4_096;
