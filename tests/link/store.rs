//! The store in memory: places without gaps, and an end to its room.

use std::sync::Arc;

use wscope::link::{Entry, Id, MemoryStore, Store, StoreError, Timestamp};

fn entry(id: u64) -> Entry {
    Entry::new(Id::new(id, 0), Timestamp::from_nanos(id), Arc::from("x".repeat(100)))
}

#[test]
fn places_are_counted_per_channel_from_zero() {
    let (mut store, one, other) = (MemoryStore::new(), Id::new(1, 1), Id::new(2, 2));
    assert_eq!(store.append(one, entry(1)), Ok(0));
    assert_eq!(store.append(other, entry(2)), Ok(0));
    assert_eq!(store.append(one, entry(3)), Ok(1));
    assert_eq!((store.len(one), store.len(other), store.len(Id::new(3, 3))), (2, 1, 0));
    assert_eq!(store.entry(one, 1), Some(entry(3)));
    assert_eq!(store.entry(one, 2), None);
    store.remove(one);
    assert_eq!((store.len(one), store.entry(one, 0)), (0, None));
}

#[test]
fn a_full_log_and_a_full_store_take_no_more() {
    let (one, other) = (Id::new(1, 1), Id::new(2, 2));
    let mut store = MemoryStore::new().max_log_bytes(500).max_bytes(700);
    while store.append(one, entry(1)).is_ok() {}
    assert_eq!(store.append(one, entry(2)), Err(StoreError::LogFull { limit: 500 }));
    while store.append(other, entry(1)).is_ok() {}
    assert_eq!(store.append(other, entry(2)), Err(StoreError::Full { limit: 700 }));
    store.remove(one);
    assert!(store.append(other, entry(2)).is_ok(), "what is forgotten makes room");
}

#[test]
fn an_entry_expires_at_its_time() {
    let mut entry = entry(1);
    assert!(!entry.is_expired(Timestamp::from_nanos(u64::MAX)));
    entry.expires_at = Some(Timestamp::from_nanos(5));
    assert!(!entry.is_expired(Timestamp::from_nanos(4)) && entry.is_expired(Timestamp::from_nanos(5)));
}
