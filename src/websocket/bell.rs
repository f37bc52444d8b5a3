//! The one waker of a connection's socket.
//!
//! The reactor keeps one waker per direction of a socket. If each task polled the socket with its own, two tasks that wait for
//! one connection would push each other out and be woken for ever in turn. So the transport is always polled with the bell, and
//! the bell wakes whoever waits: the receiver at the head, and the driver, who does the work if nobody else has by then.
//!
//! It never holds the transport: the reactor holds the bell, and that circle would keep the socket open.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

use crate::runtime::sync::lock;

#[derive(Default)]
pub(super) struct Bell {
    rung: AtomicBool,
    wakers: Mutex<Wakers>,
}

#[derive(Default)]
struct Wakers {
    receiver: Option<Waker>,
    driver: Option<Waker>,
}

impl Bell {
    /// Whether it rang since the last time. Who asks has to try the socket.
    pub(super) fn answer(&self) -> bool {
        self.rung.load(Ordering::Acquire) && self.rung.swap(false, Ordering::AcqRel)
    }

    /// Whom to wake as the receiver at the head, once: it hangs itself up again when it finds nothing. Gives back a waker to be
    /// dropped.
    pub(super) fn set_receiver(&self, waker: Option<&Waker>) -> Option<Waker> {
        exchange(&mut lock(&self.wakers).receiver, waker)
    }

    /// Whom to wake as the driver.
    pub(super) fn set_driver(&self, waker: Option<&Waker>) -> Option<Waker> {
        exchange(&mut lock(&self.wakers).driver, waker)
    }

    /// To wake the driver alone, about something else than the socket.
    pub(super) fn driver(&self) -> Option<Waker> {
        lock(&self.wakers).driver.clone()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        let (receiver, driver) = {
            let mut wakers = lock(&self.wakers);
            let receiver = wakers.receiver.take();
            let same = |driver: &&Waker| receiver.as_ref().is_some_and(|receiver| receiver.will_wake(driver));
            let driver = wakers.driver.as_ref().filter(|driver| !same(driver)).cloned();
            (receiver, driver)
        };
        receiver.into_iter().chain(driver).for_each(Waker::wake);
    }
}

fn exchange(place: &mut Option<Waker>, waker: Option<&Waker>) -> Option<Waker> {
    match (&*place, waker) {
        (Some(old), Some(new)) if old.will_wake(new) => None,
        (_, new) => std::mem::replace(place, new.cloned()),
    }
}
