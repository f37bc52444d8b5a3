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

    /// Whom to wake as the receiver at the head. Gives back a waker to be dropped.
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
            let wakers = lock(&self.wakers);
            (wakers.receiver.clone(), wakers.driver.clone())
        };
        let once =
            matches!((&receiver, &driver), (Some(receiver), Some(driver)) if receiver.will_wake(driver));
        receiver.filter(|_| !once).into_iter().for_each(Waker::wake);
        driver.into_iter().for_each(Waker::wake);
    }
}

fn exchange(place: &mut Option<Waker>, waker: Option<&Waker>) -> Option<Waker> {
    match (&*place, waker) {
        (Some(old), Some(new)) if old.will_wake(new) => None,
        (_, new) => std::mem::replace(place, new.cloned()),
    }
}
