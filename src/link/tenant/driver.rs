//! What moves a tenant: reading, the clock of its requests, and the answers to the hub's pings.
//!
//! One future, which is a service of the tenant's scope. It never waits for room to send before it reads on: two sides that
//! both did so would wait for each other.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::shared::{Shared, hang_up};
use crate::{
    link::{frame::Frame, link_error::NextFrameError},
    runtime::{Timer, now},
    scope::Race,
};

/// Drives a tenant until its link has ended. When this is dropped, whoever waits is told.
pub(super) async fn drive(shared: Arc<Shared>) {
    let _end = End(&shared);
    (read(&shared), watch(&shared), pong(&shared)).race().await;
}

/// The end of a tenant, whatever way it comes.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.with(|state, after| state.end(after));
    }
}

/// Takes whatever has come, until the link ends; others have their turn now and then.
async fn read(shared: &Shared) {
    loop {
        for _ in 0..FRAMES_IN_A_TURN {
            match shared.link.next_frame().await {
                Ok(Some(frame)) => shared.with(|state, after| state.frame(frame, &shared.habits, after)),
                Err(NextFrameError::Unreadable(error)) => {
                    shared.with(|state, after| state.unreadable(Some(error), after));
                }
                Err(NextFrameError::NotUtf8) => shared.with(|state, after| state.unreadable(None, after)),
                Ok(None) | Err(NextFrameError::Closed(_) | NextFrameError::NotOpen) => return,
            }
        }
        yield_now().await;
    }
}

/// Ends the requests whose time is over. One timer for all of them.
async fn watch(shared: &Shared) {
    let mut timer: Option<Timer> = None;
    poll_fn(|cx| {
        loop {
            let fired = timer.as_mut().is_none_or(|timer| timer.poll(cx).is_ready());
            let set = shared.with(|state, after| {
                if fired {
                    after.wake.extend(state.calls.expire(now()));
                    state.armed = None;
                }
                let _ = hang_up(&mut state.clock, cx.waker(), after);
                let next = state.calls.deadline();
                // Later than it is set to: it will find that out when it goes off.
                let sooner = next.filter(|next| state.armed.is_none_or(|armed| *next < armed));
                state.armed = sooner.or(state.armed);
                sooner
            });
            match (set, &mut timer) {
                (None, _) => return Poll::Pending,
                (Some(deadline), Some(timer)) => timer.reset(deadline),
                (Some(deadline), None) => timer = Some(Timer::at(deadline)),
            }
        }
    })
    .await
}

/// Answers pings of the hub; of several that came meanwhile, the last.
async fn pong(shared: &Shared) {
    loop {
        poll_fn(|cx| {
            shared.with(|state, after| {
                if std::mem::take(&mut state.pinged) {
                    return Poll::Ready(());
                }
                hang_up(&mut state.ponger, cx.waker(), after)
            })
        })
        .await;
        if shared.link.send_frame(&Frame::Pong).await.is_err() {
            // The reader finds out, too, once it has read what came before the end.
            std::future::pending::<()>().await;
        }
    }
}

/// Pending once, and woken at once.
async fn yield_now() {
    struct Yield(bool);

    impl Future for Yield {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }

    Yield(false).await;
}

/// How many frames are taken before others have their turn.
const FRAMES_IN_A_TURN: usize = 256;
