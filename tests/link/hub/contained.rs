//! Adapters and stores that panic: that link is closed with 1011, and the hub lives.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use wscope::{
    Error,
    link::{
        AuthAdapter, AuthError, Claim, Entry, Hub, Id, MemoryStore, Operation, Passport, Register, Store,
        StoreError,
    },
};

use crate::guest::{Guest, said, simulated};

/// Panics over whoever is called mallory.
#[derive(Debug)]
struct Superstitious;

impl AuthAdapter for Superstitious {
    fn scheme(&self) -> &'static str {
        "none"
    }

    fn validate(&self, passport: &Passport, _: &Claim) -> Result<(), AuthError> {
        if passport.name == "mallory" {
            std::panic::resume_unwind(Box::new("mallory!"));
        }
        Ok(())
    }
}

/// Panics while it is told to.
#[derive(Debug)]
struct Moody {
    store: MemoryStore,
    bad: Arc<AtomicBool>,
}

impl Store for Moody {
    fn append(&mut self, channel: Id, entry: Entry) -> Result<u64, StoreError> {
        if self.bad.load(Ordering::Relaxed) {
            std::panic::resume_unwind(Box::new("not today"));
        }
        self.store.append(channel, entry)
    }

    fn len(&self, channel: Id) -> u64 {
        self.store.len(channel)
    }

    fn entry(&self, channel: Id, place: u64) -> Option<Entry> {
        self.store.entry(channel, place)
    }

    fn remove(&mut self, channel: Id) {
        self.store.remove(channel);
    }
}

async fn is_failed(guest: &Guest) -> Result<(), Error> {
    let closed = guest.closed().await?;
    assert_eq!((closed.code(), closed.reason()), (1011, "the hub failed"));
    Ok(())
}

#[test]
fn an_auth_adapter_that_panics() {
    simulated(async |n| {
        let hub = Hub::builder().auth(Superstitious).build();
        let (alice, mallory) = (Guest::new(hub.local_link(&n)), Guest::new(hub.local_link(&n)));
        alice.register("alice").await?;
        let register = Register::new(Passport::new("mallory"));
        let refused = mallory.request(&Operation::Register(Box::new(register))).await?;
        assert_eq!(refused.unwrap_err().0, "auth_failed");
        is_failed(&mallory).await?;
        alice.say(r#"{"kind": "ping"}"#).await?;
        assert_eq!(alice.hear().await?, wscope::link::Frame::Pong);
        Ok(())
    });
}

#[test]
fn a_store_that_panics() {
    simulated(async |n| {
        let bad = Arc::new(AtomicBool::new(false));
        let hub = Hub::builder().store(Moody { store: MemoryStore::new(), bad: bad.clone() }).build();
        let (alice, bob) = (Guest::new(hub.local_link(&n)), Guest::new(hub.local_link(&n)));
        let (a, b) = (alice.register("alice").await?, bob.register("bob").await?);
        let channel = alice.open(&a, &bob, &b).await?;
        bad.store(true, Ordering::Relaxed);
        assert_eq!(alice.post(said(&channel, &a, "lost")).await?.unwrap_err().0, "error");
        is_failed(&alice).await?;
        bad.store(false, Ordering::Relaxed);
        let back = Guest::new(hub.local_link(&n));
        back.hello("alice", Some("")).await?;
        back.post_text(&channel, &a, "kept").await?;
        assert_eq!(bob.text().await?, "kept");
        Ok(())
    });
}
