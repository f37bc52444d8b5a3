//! What has to wait until the lock is released: waking, dropping what is not ours, and the user's hooks.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};

use bytes::Bytes;

use super::ConnectionConfig;

/// Collected under the lock, carried out by [`Shared::with`](super::shared::Shared::with) after it.
#[derive(Default)]
pub(super) struct After {
    /// The hot ones have places of their own, so that nothing is allocated for them.
    pub(super) receiver: Option<Waker>,
    pub(super) driver: Option<Waker>,
    pub(super) wake: Vec<Waker>,
    /// Payloads that are sent.
    pub(super) garbage: Vec<Bytes>,
    /// Pings and pongs that came, for who has a hook.
    pub(super) heard: Vec<Heard>,
    /// Wakers that were replaced, a transport, unread messages.
    dropped: Vec<Box<dyn Any + Send>>,
}

pub(super) enum Heard {
    Ping(Bytes),
    Pong(Bytes),
}

impl After {
    /// Drops `value` after the lock.
    pub(super) fn drop(&mut self, value: impl Any + Send) {
        self.dropped.push(Box::new(value));
    }

    /// Drops a waker after the lock, if there is one.
    pub(super) fn drop_waker(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.drop(waker);
        }
    }

    /// `hooks`: whether the user's may still be called.
    pub(super) fn act(self, config: &ConnectionConfig, hooks: &AtomicBool) {
        let Self { receiver, driver, wake, garbage, heard, dropped } = self;
        wake.into_iter().chain(receiver).chain(driver).for_each(Waker::wake);
        drop((garbage, dropped));
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
