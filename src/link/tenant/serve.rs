//! Serving an agent: one delivery of a channel after the other, those of several channels together, and an answer for each.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use futures::stream::{FuturesUnordered, StreamExt};

use super::{
    agent::Agent,
    config::InvitePolicy,
    delivery::Delivery,
    error::{RequestError, ServeError},
    handle::Since,
    lanes::Parcel,
    shared::hang_up,
};
use crate::{
    link::frame::{Frame, Receipt, ReceiptStatus},
    websocket::BoxError,
};

/// One thing to do.
enum Job {
    Parcel(Parcel),
    /// Ask the hub for what was put down.
    CatchUp,
}

/// What comes next.
enum Next {
    Job(Job),
    End(Result<(), ServeError>),
}

pub(super) async fn serve<F, H>(agent: &Agent, handler: F) -> Result<(), ServeError>
where
    F: Fn(Delivery) -> H,
    H: Future<Output = Result<(), BoxError>>,
{
    let _seat = Seat::take(agent)?;
    let (handler, most) = (&handler, agent.tenant.shared.habits.max_handlers);
    let mut running = FuturesUnordered::new();
    let mut failed = None;
    loop {
        let next = poll_fn(|cx| {
            while let Poll::Ready(Some(done)) = running.poll_next_unpin(cx) {
                if let Err(error) = done {
                    failed.get_or_insert(error);
                }
            }
            if let Some(error) = failed.take() {
                if running.is_empty() {
                    return Poll::Ready(Next::End(Err(error)));
                }
                failed = Some(error);
                return Poll::Pending;
            }
            match poll_next(agent, running.len() < most, cx) {
                Poll::Ready(Next::End(_)) if !running.is_empty() => Poll::Pending,
                next => next,
            }
        })
        .await;
        match next {
            Next::Job(job) => running.push(work(agent, job, handler)),
            Next::End(outcome) => return outcome,
        }
    }
}

/// The next thing to do; ready with the end when nothing will come any more.
fn poll_next(agent: &Agent, room: bool, cx: &Context<'_>) -> Poll<Next> {
    let shared = &agent.tenant.shared;
    let id = || agent.id().to_owned();
    shared.with(|state, after| {
        if state.over {
            let closed = shared.closed();
            let clean = closed.as_ref().is_some_and(|closed| closed.is_clean());
            let outcome = if clean { Ok(()) } else { Err(ServeError::Closed { closed }) };
            return Poll::Ready(Next::End(outcome));
        }
        let Some(member) = state.member(agent.id()) else {
            return Poll::Ready(Next::End(Err(ServeError::NotHere { agent: id() })));
        };
        if member.superseded {
            return Poll::Ready(Next::End(Err(ServeError::Superseded { agent: id() })));
        }
        if room && let Some(parcel) = member.lanes.take() {
            return Poll::Ready(Next::Job(Job::Parcel(parcel)));
        }
        if room && member.lanes.wants_more() {
            member.lanes.ask();
            return Poll::Ready(Next::Job(Job::CatchUp));
        }
        hang_up(&mut member.lanes.server, cx.waker(), after).map(|()| Next::End(Ok(())))
    })
}

async fn work<F, H>(agent: &Agent, job: Job, handler: &F) -> Result<(), ServeError>
where
    F: Fn(Delivery) -> H,
    H: Future<Output = Result<(), BoxError>>,
{
    match job {
        Job::Parcel(parcel) => {
            deal_with(agent, parcel, handler).await;
            Ok(())
        }
        Job::CatchUp => catch_up(agent).await,
    }
}

/// Handles a delivery, remembers it, and answers it; in this order, so that what was handled is never handled again.
async fn deal_with<F, H>(agent: &Agent, parcel: Parcel, handler: &F)
where
    F: Fn(Delivery) -> H,
    H: Future<Output = Result<(), BoxError>>,
{
    let notify = parcel.notify().clone();
    let envelope_id = &notify.envelope.envelope_id;
    let is_known = matches!(parcel, Parcel::Duplicate(_));
    let busy = Busy { agent, parcel: Some(parcel) };
    let handling = if is_known { None } else { agent.memory.begin(envelope_id).await };
    let outcome = match handling {
        Some(handling) => {
            let outcome = handle(Delivery::new(agent.clone(), notify.clone()), handler).await;
            outcome.map(|()| handling.done())
        }
        None => Ok(()),
    };
    let mut receipt = Receipt::ack(envelope_id, agent.id(), &notify.envelope.channel_id);
    if let Err(error) = outcome {
        receipt.status = ReceiptStatus::Nack;
        receipt.reason = error.to_string().chars().take(MAX_REASON).collect();
    }
    // On a link that has ended there is nobody to be told; the hub delivers it again, and then it is known.
    let _ = agent.tenant.shared.link.send_frame(&Frame::Receipt(receipt)).await;
    busy.done();
}

/// What the policy does not answer is the handler's.
async fn handle<F, H>(delivery: Delivery, handler: &F) -> Result<(), BoxError>
where
    F: Fn(Delivery) -> H,
    H: Future<Output = Result<(), BoxError>>,
{
    match (delivery.agent().tenant.shared.habits.invites, delivery.invite()) {
        (InvitePolicy::Accept, Some(invite)) => match invite.accept().await {
            // A channel that has been closed meanwhile needs no answer any more.
            Ok(_) | Err(RequestError::Refused { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        },
        (InvitePolicy::Ask, _) | (_, None) => handler(delivery).await,
    }
}

/// A hello on the link on which the agent is: the hub begins again with what is not acknowledged.
async fn catch_up(agent: &Agent) -> Result<(), ServeError> {
    let asking = Asking(agent);
    match agent.tenant.shared.hello(&agent.memory, agent.memory.claim(), Since::Unacknowledged).await {
        // Where the link has ended, that is what is told.
        Ok(()) | Err(RequestError::Closed { .. }) => {
            std::mem::forget(asking);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The right to serve an agent, which one has at a time.
struct Seat<'a>(&'a Agent);

impl<'a> Seat<'a> {
    fn take(agent: &'a Agent) -> Result<Self, ServeError> {
        let id = || agent.id().to_owned();
        agent.tenant.shared.with(|state, _| match state.member(agent.id()) {
            Some(member) if member.served => Err(ServeError::AlreadyServed { agent: id() }),
            Some(member) => {
                member.served = true;
                Ok(Self(agent))
            }
            None => Err(ServeError::NotHere { agent: id() }),
        })
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.tenant.shared.with(|state, after| {
            if let Some(member) = state.member(self.0.id()) {
                member.served = false;
                after.dropped.extend(member.lanes.server.take());
            }
        });
    }
}

/// A parcel in work. When that is dropped half-way it goes back to the head of its lane.
struct Busy<'a> {
    agent: &'a Agent,
    parcel: Option<Parcel>,
}

impl Busy<'_> {
    fn done(mut self) {
        let Some(parcel) = self.parcel.take() else { return };
        self.agent.tenant.shared.with(|state, _| {
            if let Some(member) = state.member(self.agent.id()) {
                member.lanes.done(&parcel);
            }
        });
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let Some(parcel) = self.parcel.take() else { return };
        self.agent.tenant.shared.with(|state, _| {
            if let Some(member) = state.member(self.agent.id()) {
                member.lanes.give_back(parcel);
            }
        });
    }
}

/// The hub is being asked for what was put down. Dropped without a welcome, it may be asked again.
struct Asking<'a>(&'a Agent);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.tenant.shared.with(|state, _| {
            if let Some(member) = state.member(self.0.id()) {
                member.lanes.ask_later();
            }
        });
    }
}

/// How much of a handler's error is told to the hub, in characters.
const MAX_REASON: usize = 1_024;
