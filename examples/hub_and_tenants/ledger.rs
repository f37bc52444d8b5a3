//! What was posted and what arrived: the play's judge.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Counts of everyone to whom something is posted.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<&'static str, Account>>);

#[derive(Clone, Default)]
struct Account {
    posted: Vec<u32>,
    arrived: Vec<u32>,
}

/// What became of the envelopes to one tenant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) posted: usize,
    pub(crate) arrived: usize,
    pub(crate) missing: usize,
    pub(crate) twice: usize,
    pub(crate) out_of_order: usize,
}

impl Ledger {
    pub(crate) fn posted(&self, to: &'static str, number: u32) {
        self.lock().entry(to).or_default().posted.push(number);
    }

    pub(crate) fn arrived(&self, to: &'static str, number: u32) {
        self.lock().entry(to).or_default().arrived.push(number);
    }

    /// How many have arrived.
    pub(crate) fn count(&self, to: &'static str) -> usize {
        self.lock().get(to).map_or(0, |account| account.arrived.len())
    }

    pub(crate) fn verdicts(&self) -> Vec<(&'static str, Verdict)> {
        self.lock().iter().map(|(to, account)| (*to, account.verdict())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn verdict(&self) -> Verdict {
        let mut times = BTreeMap::<u32, usize>::new();
        for number in &self.arrived {
            *times.entry(*number).or_default() += 1;
        }
        Verdict {
            posted: self.posted.len(),
            arrived: self.arrived.len(),
            missing: self.posted.iter().filter(|number| !times.contains_key(*number)).count(),
            twice: times.values().filter(|times| **times > 1).count(),
            out_of_order: self.arrived.windows(2).filter(|pair| pair[0] > pair[1]).count(),
        }
    }
}

impl Verdict {
    /// Exactly once, and in order.
    pub(crate) fn is_good(&self) -> bool {
        self.posted > 0 && (self.missing, self.twice, self.out_of_order) == (0, 0, 0)
    }
}
