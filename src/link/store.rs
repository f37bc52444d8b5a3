//! Where the envelopes of a channel are kept: one log for each, in the order in which the hub took them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{id::Id, time::Timestamp};

/// One envelope in a log: its JSON, serialised once for every delivery and every read, and what the hub asks of it.
///
/// ```
/// use std::time::Duration;
/// use wscope::link::{Entry, Id, Timestamp};
///
/// let now = Timestamp::from_nanos(1);
/// let mut entry = Entry::new(Id::new(1, 1), now, "{}".into());
/// assert!(!entry.is_expired(now));
/// entry.expires_at = Some(now.after(Duration::from_secs(60)));
/// assert!(entry.is_expired(now.after(Duration::from_secs(60))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The id of the envelope.
    pub id: Id,
    /// When the hub took it.
    pub created_at: Timestamp,
    /// From when on it is no longer delivered.
    pub expires_at: Option<Timestamp>,
    /// The envelope as it is on the wire.
    pub json: Arc<str>,
}

impl Entry {
    /// An envelope that is delivered for ever.
    #[must_use]
    pub fn new(id: Id, created_at: Timestamp, json: Arc<str>) -> Self {
        Self { id, created_at, expires_at: None, json }
    }

    /// Whether it is too late to deliver it.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// Logs of envelopes, one for each channel. A place in a log is counted from 0, without gaps.
///
/// It is asked in line, while the hub handles a frame: it must not block. What an append has taken, a read gives back.
///
/// ```
/// use wscope::link::{Entry, HubConfig, Id, MemoryStore, Store, StoreError};
///
/// /// Logs in memory, and a line for each envelope that is kept.
/// #[derive(Debug)]
/// struct Told(MemoryStore);
///
/// impl Store for Told {
///     fn append(&mut self, channel: Id, entry: Entry) -> Result<u64, StoreError> {
///         println!("{channel}: {} bytes", entry.json.len());
///         self.0.append(channel, entry)
///     }
///
///     fn len(&self, channel: Id) -> u64 {
///         self.0.len(channel)
///     }
///
///     fn entry(&self, channel: Id, place: u64) -> Option<Entry> {
///         self.0.entry(channel, place)
///     }
///
///     fn remove(&mut self, channel: Id) {
///         self.0.remove(channel);
///     }
/// }
///
/// let config = HubConfig::new().store(Told(MemoryStore::new()));
/// # let _ = config;
/// ```
pub trait Store: fmt::Debug + Send {
    /// Adds to the end of a log, and tells the place.
    ///
    /// # Errors
    /// When it is not kept; then nothing has changed.
    fn append(&mut self, channel: Id, entry: Entry) -> Result<u64, StoreError>;

    /// How many envelopes the log has.
    fn len(&self, channel: Id) -> u64;

    /// The envelope in that place. O(1), or near it: a read of a log asks for one after the other.
    fn entry(&self, channel: Id, place: u64) -> Option<Entry>;

    /// Forgets a log.
    fn remove(&mut self, channel: Id);
}

/// Why an envelope is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The log, or the store, has no room.
    #[error("no room for more envelopes: {limit} bytes")]
    Full {
        /// How many bytes there may be.
        limit: usize,
    },
    /// The store could not write.
    #[error("the store failed")]
    Failed,
}

/// Logs in memory, bounded in bytes.
///
/// ```
/// use wscope::link::{Entry, Id, MemoryStore, Store, Timestamp};
///
/// let mut store = MemoryStore::new();
/// let (channel, now) = (Id::new(1, 1), Timestamp::from_nanos(2));
/// assert_eq!(store.append(channel, Entry::new(Id::new(2, 2), now, "{}".into())), Ok(0));
/// assert!(store.entry(channel, 0).is_some());
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    logs: BTreeMap<Id, Log>,
    bytes: usize,
    max_bytes: usize,
    max_log_bytes: usize,
}

impl MemoryStore {
    /// For all logs together: 1 GiB.
    pub const MAX_BYTES: usize = 1 << 30;
    /// For one log: 64 MiB.
    pub const MAX_LOG_BYTES: usize = 64 << 20;

    /// A store with the limits above. What is full takes no more; nothing is forgotten to make room.
    #[must_use]
    pub fn new() -> Self {
        Self {
            logs: BTreeMap::new(),
            bytes: 0,
            max_bytes: Self::MAX_BYTES,
            max_log_bytes: Self::MAX_LOG_BYTES,
        }
    }

    /// With another limit for all logs together.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// With another limit for one log.
    #[must_use]
    pub fn max_log_bytes(mut self, bytes: usize) -> Self {
        self.max_log_bytes = bytes;
        self
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn append(&mut self, channel: Id, entry: Entry) -> Result<u64, StoreError> {
        let log = self.logs.entry(channel).or_default();
        let cost = entry.json.len() + ENTRY_COST;
        if log.bytes + cost > self.max_log_bytes {
            return Err(StoreError::Full { limit: self.max_log_bytes });
        }
        if self.bytes + cost > self.max_bytes {
            return Err(StoreError::Full { limit: self.max_bytes });
        }
        log.bytes += cost;
        self.bytes += cost;
        log.entries.push(entry);
        Ok(log.entries.len() as u64 - 1)
    }

    fn len(&self, channel: Id) -> u64 {
        self.logs.get(&channel).map_or(0, |log| log.entries.len() as u64)
    }

    fn entry(&self, channel: Id, place: u64) -> Option<Entry> {
        self.logs.get(&channel)?.entries.get(usize::try_from(place).ok()?).cloned()
    }

    fn remove(&mut self, channel: Id) {
        if let Some(log) = self.logs.remove(&channel) {
            self.bytes -= log.bytes; // what was added for it and not removed since
        }
    }
}

#[derive(Debug, Default)]
struct Log {
    entries: Vec<Entry>,
    bytes: usize,
}

/// What an entry costs beside its text.
const ENTRY_COST: usize = size_of::<Entry>() + 16;
