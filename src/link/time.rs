//! The one way in which the wire writes a time: Python's `isoformat()` in UTC, never with a `Z`.
//!
//! The clock is an argument everywhere in `link`; this file only counts and writes.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Serialize, Serializer};

/// A point in time: nanoseconds since the Unix epoch, up to the year 2554.
///
/// Written with six digits of microseconds, or with none when they are zero, and always with `+00:00`: Python 3.10
/// cannot read `Z`.
///
/// ```
/// use wscope::link::Timestamp;
///
/// let time = Timestamp::from_nanos(1_795_242_941_727_792_000);
/// assert_eq!(time.to_string(), "2026-11-21T06:35:41.727792+00:00");
/// assert_eq!("2026-11-21T06:35:41.727792+00:00".parse(), Ok(time));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time that is `nanos` nanoseconds after 1970 began.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since 1970 began.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time `duration` later; the last time there is when that is past it.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0 / NANOS, self.0 % NANOS / 1_000);
        let (days, of_day) = (seconds / DAY, seconds % DAY);
        let (year, month, day) = civil(days);
        write!(f, "{year:04}-{month:02}-{day:02}T")?;
        write!(f, "{:02}:{:02}:{:02}", of_day / 3_600, of_day / 60 % 60, of_day % 60)?;
        if micros > 0 {
            write!(f, ".{micros:06}")?;
        }
        f.write_str("+00:00")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Reads what [`Display`](fmt::Display) writes, and `Z` in place of `+00:00`.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        parse(text).ok_or(InvalidTimestamp)
    }
}

/// A text that is no time in UTC, or one before 1970 or after 2554.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UTC time as in 2026-11-21T06:35:41.727792+00:00")]
#[non_exhaustive]
pub struct InvalidTimestamp;

fn parse(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix("+00:00").or_else(|| text.strip_suffix('Z'))?;
    let (date, clock) = text.split_once('T')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if year < 1970 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year, month, day);
    if civil(days) != (year, month, day) {
        return None; // no such day in that month
    }
    let seconds = days * DAY + hour * 3_600 + minute * 60 + second;
    seconds.checked_mul(NANOS)?.checked_add(nanos(fraction)?).map(Timestamp)
}

/// Three numbers of the given widths, digits alone.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (number, width) in found.iter_mut().zip(widths) {
        *number = parts.next().filter(|part| part.len() == width).and_then(digits)?;
    }
    parts.next().is_none().then_some(found)
}

/// The fraction of a second, one to nine digits, or none at all.
fn nanos(fraction: &str) -> Option<u64> {
    if fraction.len() > 9 {
        return None;
    }
    let missing = u32::try_from(9 - fraction.len()).ok()?;
    if fraction.is_empty() { Some(0) } else { Some(digits(fraction)? * 10_u64.pow(missing)) }
}

fn digits(text: &str) -> Option<u64> {
    // `parse` alone would take a sign.
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Year, month and day of the Gregorian calendar, `days` after 1 January 1970.
///
/// Counted in eras of 400 years that begin on 1 March, so that the leap day is the last one of its year.
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + DAYS_TO_EPOCH;
    let (era, of_era) = (shifted / ERA, shifted % ERA);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + (month <= 2) as u64;
    (year, month, day)
}

/// The other way round. A month past 12, or a day past the month's last, gives a day that [`civil`] calls differently.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - (month <= 2) as u64;
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day;
    let year_of_era = year % 400;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    // One day less, since days of a month are counted from 1.
    (year / 400 * ERA + of_era).saturating_sub(DAYS_TO_EPOCH + 1)
}

const NANOS: u64 = 1_000_000_000;
const DAY: u64 = 86_400;
/// Days in 400 years.
const ERA: u64 = 146_097;
/// Days from 1 March of the year 0 to 1 January 1970.
const DAYS_TO_EPOCH: u64 = 719_468;
