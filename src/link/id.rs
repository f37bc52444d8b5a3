//! Ids: 32 lowercase hex digits, 8 bytes of wall clock and 8 random ones.
//!
//! The wire compares ids as texts. [`Id`] reads the canonical text alone, so that two ids are equal, and ordered, exactly
//! as their texts are.

use std::{fmt, str::FromStr};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Serialize, Serializer};

use super::time::Timestamp;

/// The id of an agent, a channel, an endpoint or an envelope.
///
/// ```
/// use wscope::link::Id;
///
/// let id: Id = "18e9fbf1a33648e4a6c8da0c4aa1ccfe".parse()?;
/// assert_eq!(id.to_string(), "18e9fbf1a33648e4a6c8da0c4aa1ccfe");
/// assert!("18E9FBF1A33648E4A6C8DA0C4AA1CCFE".parse::<Id>().is_err()); // another text would be another id
/// # Ok::<(), wscope::link::InvalidId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u128);

impl Id {
    /// The id of these two halves: nanoseconds of wall clock, and randomness.
    #[must_use]
    pub const fn new(nanos: u64, random: u64) -> Self {
        Self((nanos as u128) << 64 | random as u128)
    }

    /// The wall clock in it, in nanoseconds. Ids of one source strictly increase in this half.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "the upper half of 128 bits is 64 bits")]
    pub const fn nanos(self) -> u64 {
        (self.0 >> 64) as u64
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Id {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let canonical = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != LEN || !text.bytes().all(canonical) {
            return Err(InvalidId);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| InvalidId)
    }
}

/// A text that is not 32 lowercase hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is {LEN} lowercase hex digits")]
#[non_exhaustive]
pub struct InvalidId;

/// Makes ids that strictly increase, whatever the clock does.
///
/// Delivery cursors and replay compare ids, so a clock that stands still or goes back may not show in them: the first half
/// is then the last one plus a nanosecond.
///
/// ```
/// use wscope::link::{IdSource, Timestamp};
///
/// let mut ids = IdSource::new([7; 32]); // in earnest: from the operating system
/// let (first, second) = (ids.next(Timestamp::from_nanos(1_000)), ids.next(Timestamp::from_nanos(10)));
/// assert!(first < second);
/// assert_eq!(second.nanos(), 1_001);
/// ```
pub struct IdSource {
    last: u64,
    random: StdRng,
}

impl IdSource {
    /// A source whose random halves follow from `seed`. Whoever knows the seed can tell the ids.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self { last: 0, random: StdRng::from_seed(seed) }
    }

    /// The next id, greater than all before it.
    pub fn next(&mut self, now: Timestamp) -> Id {
        self.last = now.as_nanos().max(self.last.saturating_add(1));
        Id::new(self.last, self.random.next_u64())
    }
}

impl fmt::Debug for IdSource {
    /// Without the generator, whose state would tell the ids to come.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdSource").field("last", &self.last).finish_non_exhaustive()
    }
}

/// Digits in an id.
const LEN: usize = 32;
