//! The last idempotency keys of one sender in one channel, and what they became.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::id::Id;

/// Keys and the envelopes posted with them. At most [`MAX_KEYS`]; the oldest goes first.
#[derive(Debug, Default)]
pub(super) struct RecentKeys {
    ids: BTreeMap<Arc<str>, Id>,
    order: VecDeque<Arc<str>>,
}

impl RecentKeys {
    /// The envelope that was posted with this key.
    pub(super) fn id(&self, key: &str) -> Option<Id> {
        self.ids.get(key).copied()
    }

    /// Remembers a key that was not there.
    pub(super) fn remember(&mut self, key: &str, id: Id) {
        let key: Arc<str> = key.into();
        self.ids.insert(key.clone(), id);
        self.order.push_back(key);
        if self.order.len() > MAX_KEYS
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

/// How many keys are remembered for each sender and channel.
pub(super) const MAX_KEYS: usize = 1_024;

/// How long a key may be, in bytes.
pub(super) const MAX_KEY_LEN: usize = 256;
