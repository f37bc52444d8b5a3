//! What all handles of a tenant, and what drives it, have in common.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::Instant,
};

use super::{
    calls::{Calls, Outcome, Refused},
    config::Habits,
    lanes::{Lanes, Parcel, Put},
    memory::Memory,
    stats::TenantStats,
};
use crate::{
    link::{
        auth::Claim,
        frame::{ErrorFrame, Frame, FrameError, Notify, Response},
        json::Payload,
        refusal::ErrorCode,
        tenant_link::TenantLink,
    },
    runtime::sync::lock,
    websocket::ConnectionClosed,
};

pub(super) struct Shared {
    pub(super) link: TenantLink,
    pub(super) habits: Habits,
    state: Mutex<State>,
    /// Hellos are answered in the order in which they are sent, and name no one: who expects a welcome and sends, does both
    /// in one turn.
    pub(super) hello_turn: futures::lock::Mutex<()>,
}

pub(super) struct State {
    pub(super) calls: Calls,
    /// Hellos that were sent, oldest first.
    hellos: VecDeque<(u64, Arc<Memory>)>,
    /// Registrations that wait for their answer, and what was claimed.
    registrations: BTreeMap<u64, Claim>,
    agents: BTreeMap<String, Member>,
    /// Nothing comes any more.
    pub(super) over: bool,
    /// When the clock of the driver goes off; it is to be woken for anything sooner.
    pub(super) armed: Option<Instant>,
    pub(super) clock: Option<Waker>,
    /// The hub has sent a ping.
    pub(super) pinged: bool,
    pub(super) ponger: Option<Waker>,
    last_error: Option<ErrorFrame>,
    stats: TenantStats,
}

/// An agent that is on the link.
pub(super) struct Member {
    pub(super) memory: Arc<Memory>,
    pub(super) lanes: Lanes,
    pub(super) superseded: bool,
    pub(super) served: bool,
}

/// What has to wait until the lock is released.
#[derive(Default)]
pub(super) struct After {
    pub(super) wake: Vec<Waker>,
    pub(super) dropped: Vec<Waker>,
}

impl Shared {
    pub(super) fn new(link: TenantLink, habits: Habits) -> Self {
        let state = State {
            calls: Calls::default(),
            hellos: VecDeque::new(),
            registrations: BTreeMap::new(),
            agents: BTreeMap::new(),
            over: false,
            armed: None,
            clock: None,
            pinged: false,
            ponger: None,
            last_error: None,
            stats: TenantStats::default(),
        };
        Self { link, habits, state: Mutex::new(state), hello_turn: futures::lock::Mutex::new(()) }
    }

    /// Collect under the lock, unlock, act.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State, &mut After) -> T) -> T {
        let mut after = After::default();
        let outcome = act(&mut lock(&self.state), &mut after);
        after.wake.into_iter().for_each(Waker::wake);
        outcome
    }

    /// How the link ended; `None` when that is not known, because the scope of the tenant is over.
    pub(super) fn closed(&self) -> Option<ConnectionClosed> {
        self.link.closed()
    }

    pub(super) fn stats(&self) -> TenantStats {
        self.with(|state, _| TenantStats {
            waiting: state.calls.len(),
            late: state.calls.late(),
            agents: state.agents.len(),
            queued: state.agents.values().map(|member| member.lanes.weight()).sum(),
            ..state.stats
        })
    }

    pub(super) fn last_error(&self) -> Option<ErrorFrame> {
        self.with(|state, _| state.last_error.clone())
    }
}

impl State {
    /// A frame has come.
    pub(super) fn frame(&mut self, frame: Frame, habits: &Habits, after: &mut After) {
        match frame {
            Frame::Response(response) => self.response(response, habits, after),
            Frame::Notify(notify) => self.notify(*notify, after),
            Frame::Welcome(_) => self.welcome(habits, after),
            Frame::Error(error) => self.error(error, after),
            Frame::Ping => {
                self.pinged = true;
                after.wake.extend(self.ponger.take());
            }
            // What only a tenant says, or needs no answer.
            Frame::Pong | Frame::Hello(_) | Frame::Request(_) | Frame::Receipt(_) => {}
        }
    }

    /// A message came that is no frame. When it is the answer to a request, whoever waits for it is told.
    pub(super) fn unreadable(&mut self, error: Option<FrameError>, after: &mut After) {
        self.stats.unreadable += 1;
        if let Some(error) = error
            && let FrameError::Field { request_id: Some(id), kind, .. } = &error
            && kind == "response"
            && let Ok(id) = id.parse()
        {
            after.wake.extend(self.calls.finish(id, Outcome::Unreadable(error)));
        }
    }

    /// The link has ended, or its scope: nobody waits any longer.
    pub(super) fn end(&mut self, after: &mut After) {
        self.over = true;
        after.wake.extend(self.calls.wakers());
        after.wake.extend(self.agents.values_mut().filter_map(|member| member.lanes.server.take()));
    }

    pub(super) fn member(&mut self, agent: &str) -> Option<&mut Member> {
        self.agents.get_mut(agent)
    }

    /// The agent is on the link from now on; or was, and nothing changes.
    fn enter(&mut self, memory: &Arc<Memory>, habits: &Habits) {
        self.agents.entry(memory.id.clone()).or_insert_with(|| Member {
            memory: memory.clone(),
            lanes: Lanes::new(habits.inbox),
            superseded: false,
            served: false,
        });
    }

    /// The agent is no longer on the link.
    pub(super) fn leave(&mut self, agent: &str, after: &mut After) {
        let member = self.agents.remove(agent);
        after.wake.extend(member.and_then(|member| member.lanes.server));
    }

    /// A hello is about to be sent. `false`: so many were, and have no answer.
    pub(super) fn expect_welcome(&mut self, call: u64, memory: Arc<Memory>) -> bool {
        let room = self.hellos.len() < MAX_HELLOS;
        if room {
            self.hellos.push_back((call, memory));
        }
        room
    }

    /// An agent is about to be registered.
    pub(super) fn expect_agent(&mut self, call: u64, claim: Claim) {
        self.registrations.insert(call, claim);
    }

    /// A hello was not sent after all, or nobody waits for a registration.
    pub(super) fn unexpect(&mut self, call: u64) {
        self.hellos.retain(|(expected, _)| *expected != call);
        self.registrations.remove(&call);
    }

    fn response(&mut self, response: Response, habits: &Habits, after: &mut After) {
        let Response { request_id, ok, result, error_code, error_message } = response;
        let Ok(id) = request_id.parse() else { return self.calls.too_late() };
        if ok && let Some(claim) = self.registrations.remove(&id) {
            self.registered(&result, claim, habits);
        }
        let answer = if ok {
            Ok(result)
        } else {
            Err(Refused { code: ErrorCode::from(error_code), message: error_message })
        };
        after.wake.extend(self.calls.finish(id, Outcome::Answered(answer)));
    }

    /// What cannot be read is told to whoever waits for the answer.
    fn registered(&mut self, passport: &Payload, claim: Claim, habits: &Habits) {
        let memory = passport.to().ok().and_then(|passport| Memory::new(passport, claim, habits.remembered));
        if let Some(memory) = memory {
            self.enter(&Arc::new(memory), habits);
        }
    }

    /// The answer to the oldest hello; a later one of the same agent begins again with what was put down.
    fn welcome(&mut self, habits: &Habits, after: &mut After) {
        let Some((call, memory)) = self.hellos.pop_front() else { return };
        if self.calls.is_waiting(call) {
            self.enter(&memory, habits);
        }
        if let Some(member) = self.agents.get_mut(&memory.id) {
            member.superseded = false;
            member.lanes.welcome();
            after.wake.extend(member.lanes.server.take());
        }
        after.wake.extend(self.calls.finish(call, Outcome::Answered(Ok(Payload::null()))));
    }

    /// An error names no request: it is the answer to the oldest hello, but for the one that cannot be.
    fn error(&mut self, error: ErrorFrame, after: &mut After) {
        if error.code == ErrorCode::Superseded {
            for (id, member) in &mut self.agents {
                if error.message.contains(id.as_str()) {
                    member.superseded = true;
                    after.wake.extend(member.lanes.server.take());
                }
            }
        } else if let Some((call, _)) = self.hellos.pop_front() {
            let refused = Refused { code: error.code, message: error.message };
            after.wake.extend(self.calls.finish(call, Outcome::Answered(Err(refused))));
            return;
        }
        self.stats.errors += 1;
        self.last_error = Some(error);
    }

    fn notify(&mut self, mut notify: Notify, after: &mut After) {
        if notify.recipient_id.is_empty() {
            notify.recipient_id = self.recipient(&notify).unwrap_or_default();
        }
        let Some(member) = self.agents.get_mut(&notify.recipient_id) else {
            self.stats.unattributed += 1;
            return;
        };
        self.stats.notified += 1;
        let notify = Arc::new(notify);
        let parcel = if member.memory.has_handled(&notify.envelope.envelope_id) {
            self.stats.duplicates += 1;
            Parcel::Duplicate(notify)
        } else {
            Parcel::Delivery(notify)
        };
        match member.lanes.put(parcel) {
            Put::Queued => {}
            Put::Known => self.stats.duplicates += 1,
            Put::Shed => self.stats.put_down += 1,
        }
        after.wake.extend(member.lanes.server.take());
    }

    /// Whose delivery it is when the hub does not say: the one of ours that is addressed, or the only one there is.
    fn recipient(&self, notify: &Notify) -> Option<String> {
        let addressed = notify.envelope.audience.iter().flatten().find(|id| self.agents.contains_key(*id));
        let only = self.agents.keys().next().filter(|_| self.agents.len() == 1);
        addressed.or(only).cloned()
    }
}

/// Hangs up a waker: pending until somebody takes it down.
pub(super) fn hang_up(place: &mut Option<Waker>, waker: &Waker, after: &mut After) -> Poll<()> {
    if !place.as_ref().is_some_and(|known| known.will_wake(waker)) {
        after.dropped.extend(place.replace(waker.clone()));
    }
    Poll::Pending
}

/// How many hellos may wait for their welcome: as many as a hub lets agents be on one link.
pub(super) const MAX_HELLOS: usize = 1_024;
