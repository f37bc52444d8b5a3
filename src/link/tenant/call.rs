//! One request, from its call to its answer.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use serde::Serialize;

use super::{
    calls::Outcome,
    config::TenantConfig,
    error::{RequestError, no_id, read},
    handle::Since,
    memory::Memory,
    shared::{MAX_HELLOS, Shared},
};
use crate::{
    link::{
        auth::Claim,
        frame::{Frame, Hello},
        json::{Payload, to_text},
        operation::Operation,
        record::Passport,
        refusal::ErrorCode,
        tenant_link::TenantLink,
    },
    runtime::now,
};

/// A request that has an id. Dropped, it leaves nothing behind on this side; the hub does what it was sent.
struct Call<'a> {
    shared: &'a Shared,
    op: &'static str,
    id: u64,
    limit: Option<Duration>,
    sent: bool,
}

impl Shared {
    /// Sends a request and waits for its answer.
    pub(super) async fn request(&self, operation: &Operation) -> Result<Payload, RequestError> {
        let op = operation.op();
        let joining = matches!(operation, Operation::CreateChannel(_)).then_some(TenantConfig::JOIN_TIMEOUT);
        let limit =
            self.habits.request_timeout.map(|limit| limit.saturating_add(joining.unwrap_or_default()));
        let mut call = Call::begin(self, op, limit)?;
        call.ask(operation).await?;
        call.answer().await
    }

    /// Registers an agent, which is on the link from the moment in which the answer comes: deliveries may be right behind it.
    pub(super) async fn register(
        &self,
        operation: &Operation,
        claim: Claim,
    ) -> Result<Arc<Memory>, RequestError> {
        let op = operation.op();
        let mut call = Call::begin(self, op, self.habits.request_timeout)?;
        let id = call.id;
        self.with(|state, _| state.expect_agent(id, claim));
        let expected = Expected { shared: self, call: id, sent: false };
        call.ask(operation).await?;
        let passport: Passport = read(op, &call.answer().await?)?;
        drop(expected); // not before the answer
        let agent = passport.agent_id.unwrap_or_default();
        let memory = self.with(|state, _| state.member(&agent).map(|member| member.memory.clone()));
        memory.ok_or_else(|| no_id(op))
    }

    /// The same in the name of an agent, which another link may have taken.
    pub(super) async fn request_as(
        &self,
        memory: &Memory,
        operation: &Operation,
    ) -> Result<Payload, RequestError> {
        let superseded = || RequestError::Superseded { op: operation.op(), agent: memory.id.clone() };
        if self.is_superseded(memory) {
            return Err(superseded());
        }
        match self.request(operation).await {
            Err(RequestError::Refused { code: ErrorCode::AccessDenied, .. })
                if self.is_superseded(memory) =>
            {
                Err(superseded())
            }
            outcome => outcome,
        }
    }

    /// Says hello for an agent, and waits for the welcome.
    pub(super) async fn hello(
        &self,
        memory: &Arc<Memory>,
        claim: Claim,
        since: Since,
    ) -> Result<(), RequestError> {
        let op = "hello";
        let hello = Hello {
            name: memory.passport.name.clone(),
            auth_scheme: memory.passport.auth.scheme.clone(),
            auth_claim: claim,
            since_envelope_id: since.into_field(),
        };
        let mut call = Call::begin(self, op, self.habits.request_timeout)?;
        let turn = call.unless_over(self.hello_turn.lock()).await?;
        if !self.with(|state, _| state.expect_welcome(call.id, memory.clone())) {
            return Err(RequestError::TooMany { op, limit: MAX_HELLOS });
        }
        let mut expected = Expected { shared: self, call: call.id, sent: false };
        call.send(Frame::Hello(hello).encode()).await?;
        expected.sent = true;
        drop((expected, turn));
        call.answer().await.map(drop)
    }

    fn is_superseded(&self, memory: &Memory) -> bool {
        self.with(|state, _| state.member(&memory.id).is_some_and(|member| member.superseded))
    }
}

impl<'a> Call<'a> {
    fn begin(shared: &'a Shared, op: &'static str, limit: Option<Duration>) -> Result<Self, RequestError> {
        let deadline = limit.and_then(|limit| now().checked_add(limit));
        let begun = shared.with(|state, after| {
            if state.over {
                return None;
            }
            if deadline.is_some_and(|deadline| state.armed.is_none_or(|armed| deadline < armed)) {
                after.wake.extend(state.clock.take());
            }
            Some(state.calls.begin(deadline))
        });
        let closed = || RequestError::Closed { op, sent: false, closed: shared.closed() };
        Ok(Self { shared, op, id: begun.ok_or_else(closed)?, limit, sent: false })
    }

    async fn ask(&mut self, operation: &Operation) -> Result<(), RequestError> {
        let request_id = self.id.to_string();
        let asked = Asked { request_id, op: self.op, params: operation, kind: "request" };
        // Every operation has a form in JSON.
        self.send(to_text(&asked).unwrap_or_default()).await
    }

    async fn send(&mut self, text: String) -> Result<(), RequestError> {
        let (op, size, limit) = (self.op, text.len(), TenantLink::MAX_FRAME);
        if size > limit {
            return Err(RequestError::TooLarge { op, size, limit });
        }
        let sent = self.unless_over(self.shared.link.send_text(text)).await?;
        self.sent = true;
        sent.map_err(|closed| RequestError::Closed { op, sent: false, closed })
    }

    /// Waits for `future`, but not beyond the deadline of the request or the end of the link.
    async fn unless_over<F: Future>(&self, future: F) -> Result<F::Output, RequestError> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            // Nothing was asked yet, so there is no other outcome than that its time is over.
            self.poll(cx).map(|outcome| Err(outcome.err().unwrap_or_else(|| self.timed_out())))
        })
        .await
    }

    async fn answer(self) -> Result<Payload, RequestError> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&self, cx: &std::task::Context<'_>) -> Poll<Result<Payload, RequestError>> {
        let (polled, over) = self.shared.with(|state, after| {
            let (polled, replaced) = state.calls.poll(self.id, cx.waker());
            after.dropped.extend(replaced);
            (polled, state.over)
        });
        let op = self.op;
        match polled {
            Poll::Ready(Outcome::Answered(Ok(result))) => Poll::Ready(Ok(result)),
            Poll::Ready(Outcome::Answered(Err(refused))) => {
                Poll::Ready(Err(RequestError::Refused { op, code: refused.code, message: refused.message }))
            }
            Poll::Ready(Outcome::Unreadable(error)) => {
                Poll::Ready(Err(RequestError::Unreadable { op, error }))
            }
            Poll::Ready(Outcome::TimedOut) => Poll::Ready(Err(self.timed_out())),
            Poll::Pending if over => {
                let closed = self.shared.closed();
                Poll::Ready(Err(RequestError::Closed { op, sent: self.sent, closed }))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn timed_out(&self) -> RequestError {
        let (hub, limit) = (self.shared.link.peer(), self.limit.unwrap_or_default());
        RequestError::TimedOut { op: self.op, hub, sent: self.sent, limit }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.shared.with(|state, after| after.dropped.extend(state.calls.forget(self.id)));
    }
}

/// What the state expects of an answer; no longer when it was not asked, or nobody waits.
struct Expected<'a> {
    shared: &'a Shared,
    call: u64,
    sent: bool,
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        if !self.sent {
            self.shared.with(|state, _| state.unexpect(self.call));
        }
    }
}

/// A request frame, written in one pass.
#[derive(Serialize)]
struct Asked<'a> {
    request_id: String,
    op: &'static str,
    params: &'a Operation,
    kind: &'static str,
}
