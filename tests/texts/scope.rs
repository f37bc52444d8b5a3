//! Errors of scoped work.

use std::time::Duration;

use wscope::{CancelScope, Cancelled, fail_after, run, scope, sleep, testing::Simulation};

use crate::texts::{Texts, text};

pub(crate) fn texts(texts: &mut Texts) {
    let slow = Simulation::new().run(fail_after(Duration::from_millis(1500), sleep(Duration::from_secs(2))));
    let slow = slow.unwrap_err();
    text!(texts, slow, scope::TooSlow);
    text!(texts, scope::Error::from(slow), scope::Error::TooSlow);
    let cancel = CancelScope::new();
    cancel.cancel();
    let cancelled: Cancelled = run(cancel.run(std::future::pending::<()>())).unwrap_err();
    text!(texts, cancelled, scope::Cancelled);
    text!(texts, scope::Error::from(cancelled), scope::Error::Cancelled);
    let missing = std::fs::read("no such file").unwrap_err();
    text!(texts, scope::Error::from(missing), scope::Error::Io);
    text!(texts, scope::Error::other("no such room"), scope::Error::Other);
}
