//! What has to wait until the lock is released: waking, dropping what is not ours, and the user's hooks.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};

use bytes::Bytes;

use super::ConnectionConfig;
use crate::runtime::turns::DropLater;

/// Collected under the lock, carried out by [`Shared::with`](super::shared::Shared::with) after it.
///
/// Most often there is nothing, or one of the first three: so these have places, and all else one box together.
#[derive(Default)]
pub(super) struct After {
    pub(super) receiver: Option<Waker>,
    pub(super) driver: Option<Waker>,
    /// Of one who does not wait any more: to be dropped.
    left: Option<Waker>,
    more: Option<Box<More>>,
}

#[derive(Default)]
struct More {
    wake: Vec<Waker>,
    /// Payloads that are sent.
    sent: Vec<Bytes>,
    /// Pings and pongs that came, for who has a hook.
    heard: Vec<Heard>,
    /// Wakers that were replaced, a transport, unread messages.
    dropped: Vec<Box<dyn Any + Send>>,
}

pub(super) enum Heard {
    Ping(Bytes),
    Pong(Bytes),
}

impl After {
    /// Wakes these after the lock.
    pub(super) fn wake(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        for waker in wakers {
            self.more().wake.push(waker);
        }
    }

    /// Drops a payload after the lock.
    pub(super) fn sent(&mut self, payload: Bytes) {
        self.more().sent.push(payload);
    }

    /// Tells the user's hook after the lock.
    pub(super) fn heard(&mut self, heard: Heard) {
        self.more().heard.push(heard);
    }

    /// Drops `value` after the lock.
    pub(super) fn drop(&mut self, value: impl Any + Send) {
        self.more().dropped.push(Box::new(value));
    }

    /// Drops a waker after the lock, if there is one.
    pub(super) fn drop_waker(&mut self, waker: Option<Waker>) {
        match waker {
            Some(waker) if self.left.is_some() => self.drop(waker),
            Some(waker) => self.left = Some(waker),
            None => {}
        }
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// `hooks`: whether the user's may still be called.
    #[inline]
    pub(super) fn act(self, config: &ConnectionConfig, hooks: &AtomicBool) {
        let Self { receiver, driver, left, more } = self;
        match more {
            None => [receiver, driver].into_iter().flatten().for_each(Waker::wake),
            Some(more) => more.act([receiver, driver], config, hooks),
        }
        drop(left);
    }
}

impl DropLater for After {
    fn drop_later(&mut self, waker: Waker) {
        self.drop_waker(Some(waker));
    }
}

impl More {
    fn act(self, wakers: [Option<Waker>; 2], config: &ConnectionConfig, hooks: &AtomicBool) {
        let Self { wake, sent, heard, dropped } = self;
        wake.into_iter().chain(wakers.into_iter().flatten()).for_each(Waker::wake);
        drop((sent, dropped));
        if heard.is_empty() || !hooks.load(Ordering::Relaxed) || std::thread::panicking() {
            return;
        }
        let called = catch_unwind(AssertUnwindSafe(|| {
            for heard in heard {
                match heard {
                    Heard::Ping(payload) => config.on_ping.iter().for_each(|hook| hook(&payload)),
                    Heard::Pong(payload) => config.on_pong.iter().for_each(|hook| hook(&payload)),
                }
            }
        }));
        if let Err(panic) = called {
            // It goes to whoever was reading, once: what closes the connection now reads on, and must not meet it again.
            hooks.store(false, Ordering::Relaxed);
            resume_unwind(panic);
        }
    }
}
