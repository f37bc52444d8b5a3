//! What an agent may do and what it lets others do: access by globs over names, and limits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::websocket::Printable;

/// The rule of one agent. Without one, everything is allowed within AG2's default limits.
///
/// ```
/// use wscope::link::Rule;
///
/// let mut rule = Rule::default();
/// rule.access.inbound_from = vec!["team-*".to_owned()];
/// assert!(rule.access.accepts_from("team-blue") && !rule.access.accepts_from("mallory"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Rule {
    /// Raised by the hub at each change.
    pub version: i64,
    /// Who may reach the agent, and whom it may reach.
    pub access: Access,
    /// How much of everything it may have.
    pub limits: Limits,
}

impl Default for Rule {
    fn default() -> Self {
        Self { version: 1, access: Access::default(), limits: Limits::default() }
    }
}

/// Who may reach an agent, and whom it may reach: globs over names.
///
/// ```
/// use wscope::link::Access;
///
/// let mut access = Access::default();
/// access.outbound_to = vec!["archive".to_owned(), "team-?".to_owned()];
/// assert!(access.may_address("team-a") && !access.may_address("team-10"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Access {
    /// Whose envelopes it takes.
    pub inbound_from: Vec<String>,
    /// To whom it may address envelopes.
    pub outbound_to: Vec<String>,
    /// Which types of channels it may be in.
    pub channel_types: ChannelTypes,
}

impl Default for Access {
    fn default() -> Self {
        Self { inbound_from: anyone(), outbound_to: anyone(), channel_types: ChannelTypes::default() }
    }
}

impl Access {
    /// Whether it takes envelopes from the agent of this name.
    #[must_use]
    pub fn accepts_from(&self, name: &str) -> bool {
        any_matches(&self.inbound_from, name)
    }

    /// Whether it may address the agent of this name.
    #[must_use]
    pub fn may_address(&self, name: &str) -> bool {
        any_matches(&self.outbound_to, name)
    }
}

/// Which types of channels an agent may be in: globs over the names of the types.
///
/// ```
/// use wscope::link::Rule;
///
/// let mut rule = Rule::default();
/// rule.access.channel_types.initiate = vec!["con*".to_owned()];
/// assert!(rule.access.channel_types.may_initiate("consulting"));
/// assert!(!rule.access.channel_types.may_initiate("discussion"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChannelTypes {
    /// Which it may create.
    pub initiate: Vec<String>,
    /// To which it may be invited.
    pub accept: Vec<String>,
}

impl Default for ChannelTypes {
    fn default() -> Self {
        Self { initiate: anyone(), accept: anyone() }
    }
}

impl ChannelTypes {
    /// Whether it may create a channel of this type.
    #[must_use]
    pub fn may_initiate(&self, kind: &str) -> bool {
        any_matches(&self.initiate, kind)
    }

    /// Whether it may be invited to a channel of this type.
    #[must_use]
    pub fn may_accept(&self, kind: &str) -> bool {
        any_matches(&self.accept, kind)
    }
}

/// How much of everything an agent may have. Zero is no limit.
///
/// ```
/// use wscope::link::{Overflow, Rule, Ttl};
///
/// let mut rule = Rule::default();
/// rule.limits.channel_ttl_default = Ttl::Text("30m".to_owned());
/// rule.limits.rate.per_minute = 60;
/// rule.limits.rate.burst = 10;
/// rule.limits.inbox.overflow = Overflow::DropOldest;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// Channels of its own that are not closed.
    pub max_concurrent_channels: u64,
    /// Tasks at the same time.
    pub max_concurrent_tasks: u64,
    /// How long a channel lives when its creator does not say.
    pub channel_ttl_default: Ttl,
    /// The same for a task.
    pub task_ttl_default: Ttl,
    /// How often it may post.
    pub rate: Rate,
    /// How many delegations may lie before what it posts.
    pub delegation_depth: i64,
    /// How much may wait for it.
    pub inbox: Inbox,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_concurrent_channels: 0,
            max_concurrent_tasks: 0,
            channel_ttl_default: Ttl::Text("2h".to_owned()),
            task_ttl_default: Ttl::Text("15m".to_owned()),
            rate: Rate::default(),
            delegation_depth: 5,
            inbox: Inbox::default(),
        }
    }
}

/// How often an agent may post: a bucket of `burst` tokens, filled with `per_minute` of them a minute.
///
/// ```
/// use wscope::link::{Rate, Rule};
///
/// let mut rate = Rate::default(); // no limit
/// (rate.per_minute, rate.burst) = (60, 10);
/// let mut rule = Rule::default();
/// rule.limits.rate = rate;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Rate {
    /// Posts a minute; zero is no limit.
    pub per_minute: u64,
    /// Posts at once; zero counts as one.
    pub burst: u64,
}

/// How much content may wait for an agent: delivered or not, but not acknowledged.
///
/// ```
/// use wscope::link::{Inbox, Overflow, Rule};
///
/// let mut inbox = Inbox::default();
/// (inbox.max_pending, inbox.overflow) = (10, Overflow::DropOldest); // only the latest news
/// let mut rule = Rule::default();
/// rule.limits.inbox = inbox;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Inbox {
    /// Envelopes; zero is no limit but the hub's own.
    pub max_pending: u64,
    /// What happens to one more.
    pub overflow: Overflow,
    /// From how many on the agent counts as under pressure; none is four fifths of `max_pending`.
    pub high_water: Option<u64>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { max_pending: 1_000, overflow: Overflow::Reject, high_water: None }
    }
}

/// What happens to an envelope for which an inbox has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overflow {
    /// Its sender is refused.
    #[default]
    Reject,
    /// The oldest that waits for the agent is given up.
    DropOldest,
    /// It is not delivered to this agent.
    DropNewest,
}

/// A duration as AG2 writes it: `"30s"`, `"15m"`, `"2h"`, `"1d"`, or seconds.
///
/// ```
/// use std::time::Duration;
/// use wscope::link::Ttl;
///
/// assert_eq!(Ttl::Text("2h".to_owned()).duration(), Ok(Some(Duration::from_secs(7_200))));
/// assert_eq!(Ttl::Seconds(0).duration(), Ok(None)); // no end
/// assert!(Ttl::Text("2 fortnights".to_owned()).duration().is_err());
/// ```
#[allow(clippy::exhaustive_enums, reason = "JSON has no third form for it")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ttl {
    /// Whole seconds.
    Seconds(i64),
    /// A number and its unit.
    Text(String),
}

impl Ttl {
    /// How long that is; zero, less and `""` have no end.
    ///
    /// # Errors
    /// When it is no number with one of the four units.
    pub fn duration(&self) -> Result<Option<Duration>, InvalidTtl> {
        let seconds = match self {
            Self::Seconds(seconds) => *seconds,
            Self::Text(text) => {
                seconds(text).ok_or_else(|| InvalidTtl { text: text.chars().take(64).collect() })?
            }
        };
        Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs))
    }
}

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is no duration as in 30s, 15m, 2h or 1d", Printable(text))]
#[non_exhaustive]
pub struct InvalidTtl {
    /// The text, or the beginning of it.
    pub text: String,
}

fn seconds(text: &str) -> Option<i64> {
    let unit = |unit| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    };
    match text.chars().last() {
        None => Some(0),
        Some(last) => match unit(last) {
            Some(seconds) => text.strip_suffix(last)?.parse::<i64>().ok()?.checked_mul(seconds),
            None => text.parse().ok(),
        },
    }
}

/// Whether a glob matches a name, as Python's `fnmatchcase` does: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`.
///
/// O(pattern x name), never more: a star that has matched is not tried again once a later one has.
///
/// ```
/// use wscope::link::glob_matches;
///
/// assert!(glob_matches("team-[a-c]?*", "team-b1") && !glob_matches("team-*", "Team-b"));
/// ```
#[must_use]
pub fn glob_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut read) = (0, 0);
    let mut star = None; // behind the last star, and how much of the name it has left
    // Known once, so that a row of brackets without an end is not read to its end for each of them.
    let last_closing = pattern.iter().rposition(|character| *character == ']').unwrap_or(0);
    while read < name.len() {
        let step = pattern.get(at).and_then(|_| one(&pattern[at..], at < last_closing, name[read]));
        if pattern.get(at) == Some(&'*') {
            at += 1;
            star = Some((at, read));
        } else if let Some(length) = step {
            (at, read) = (at + length, read + 1);
        } else if let Some((behind, left)) = star {
            star = Some((behind, left + 1));
            (at, read) = (behind, left + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// How many characters of the pattern match this one of the name; `None` when they do not.
fn one(pattern: &[char], closes: bool, character: char) -> Option<usize> {
    match pattern[0] {
        '?' => Some(1),
        '[' => match closes.then(|| class(pattern)).flatten() {
            Some((members, length)) => is_member(members, character).then_some(length),
            None => (character == '[').then_some(1), // without an end it is a bracket
        },
        literal => (literal == character).then_some(1),
    }
}

/// What stands between the brackets, and how long that is with them. A `]` in the first place is a member.
fn class(pattern: &[char]) -> Option<(&[char], usize)> {
    let negated = usize::from(pattern.get(1) == Some(&'!'));
    let first = 1 + negated;
    let from = first + usize::from(pattern.get(first) == Some(&']'));
    let length = pattern.get(from..)?.iter().position(|character| *character == ']')?;
    Some((&pattern[1..from + length], from + length + 1))
}

fn is_member(members: &[char], character: char) -> bool {
    let negated = members.first() == Some(&'!');
    let mut rest = &members[usize::from(negated)..];
    let mut found = false;
    while let Some((&first, tail)) = rest.split_first() {
        match tail {
            ['-', last, behind @ ..] => {
                found |= (first..=*last).contains(&character);
                rest = behind;
            }
            _ => {
                found |= first == character;
                rest = tail;
            }
        }
    }
    found != negated
}

fn any_matches(globs: &[String], name: &str) -> bool {
    globs
        .iter()
        .any(|glob| glob == "*" || if is_wild(glob) { glob_matches(glob, name) } else { glob == name })
}

/// Whether a glob may match more than itself: then it is not just compared.
pub(super) fn is_wild(glob: &str) -> bool {
    glob.contains(['*', '?', '['])
}

fn anyone() -> Vec<String> {
    vec!["*".to_owned()]
}
