//! Who may use a name: secrets, claims, and the adapters that check them.
//!
//! A claim comes with each `register` and each `hello`. The hub asks the adapter of the scheme with which the name was
//! registered, keeps the scheme alone, and never gives a claim back.

use std::{collections::BTreeMap, fmt, hint::black_box};

use serde::{Serialize, Serializer};

use super::{
    json::{Fields, Payload},
    record::Passport,
};

/// A text that is never printed: `Debug` shows that it is there, and there is no `Display`.
///
/// ```
/// use wscope::link::Secret;
///
/// let secret = Secret::new("s3cret");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert!(secret.matches("s3cret") && !secret.matches("s3crex"));
/// ```
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Keeps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into_boxed_str())
    }

    /// Whether `text` is the secret, in a time that depends on the lengths alone.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), text.as_bytes());
        // All of their bytes are looked at, whatever our length: only the two lengths can be timed.
        let byte = |at: usize| ours.get(at).copied().unwrap_or_default();
        let differing =
            theirs.iter().enumerate().fold(0, |sum, (at, their)| black_box(sum | (byte(at) ^ their)));
        (differing == 0) & (ours.len() == theirs.len())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a tenant shows to prove that a name is its own, such as `{"token": ".."}`. Never printed.
///
/// ```
/// use wscope::link::Claim;
///
/// let claim = Claim::token("s3cret");
/// assert_eq!(claim.text("token").as_deref(), Some("s3cret"));
/// assert_eq!(format!("{claim:?}"), "Claim(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Claim(Payload);

impl Claim {
    /// `{}`: nothing is claimed.
    #[must_use]
    pub fn none() -> Self {
        Self(Payload::empty_object())
    }

    /// `{"token": token}`, as [`ApiKeys`] wants it.
    #[must_use]
    pub fn token(token: &str) -> Self {
        Payload::of(&BTreeMap::from([("token", token)])).map_or_else(|_| Self::none(), Self)
    }

    /// The text under `name`, when the claim is an object that has one.
    #[must_use]
    pub fn text(&self, name: &'static str) -> Option<String> {
        Fields::cut(self.0.as_str()).ok()?.text(name).ok()
    }

    /// Whether it is an object, as it must be.
    pub(super) fn is_object(&self) -> bool {
        self.0.is_object()
    }
}

impl From<Payload> for Claim {
    fn from(payload: Payload) -> Self {
        Self(payload)
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim(..)")
    }
}

impl Serialize for Claim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Checks claims of one scheme.
///
/// It is asked in line, while the hub handles a frame: it must not block, and what it needs must be in memory.
///
/// ```
/// use wscope::link::{AuthAdapter, AuthError, Claim, Passport};
///
/// /// Whoever knows the owner of a name may use it.
/// #[derive(Debug)]
/// struct ByOwner;
/// impl AuthAdapter for ByOwner {
///     fn scheme(&self) -> &str {
///         "by_owner"
///     }
///     fn validate(&self, passport: &Passport, claim: &Claim) -> Result<(), AuthError> {
///         match claim.text("owner") {
///             Some(owner) if owner == passport.owner => Ok(()),
///             _ => Err(AuthError::Refused { name: passport.name.clone() }),
///         }
///     }
/// }
/// ```
pub trait AuthAdapter: fmt::Debug + Send + Sync {
    /// The name of the scheme, as in `auth_scheme`.
    fn scheme(&self) -> &str;

    /// Whether `claim` proves that `passport` is the claimant's. At a hello it is the passport as it was registered.
    ///
    /// # Errors
    /// Why not. The text is sent to the tenant, so it may hold no secret.
    fn validate(&self, passport: &Passport, claim: &Claim) -> Result<(), AuthError>;
}

/// `none`: anyone may use any name.
///
/// ```
/// use wscope::link::{ApiKeys, HubConfig, NoAuth};
///
/// // A hub with keys does not take `none`, unless it is told to.
/// let config = HubConfig::new().auth(ApiKeys::new().key("alice", "s3cret")).auth(NoAuth::new());
/// # let _ = config;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoAuth;

impl NoAuth {
    /// The scheme that trusts everyone.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl AuthAdapter for NoAuth {
    fn scheme(&self) -> &'static str {
        "none"
    }

    fn validate(&self, _passport: &Passport, _claim: &Claim) -> Result<(), AuthError> {
        Ok(())
    }
}

/// `api_key`: a token for each name.
///
/// ```
/// use wscope::link::ApiKeys;
///
/// let keys = ApiKeys::new().key("alice", "s3cret").key("bob", "an0ther");
/// assert!(!format!("{keys:?}").contains("s3cret"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ApiKeys(BTreeMap<String, Secret>);

impl ApiKeys {
    /// No key, so that no name may be used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the key of a name, in place of one that it had.
    #[must_use]
    pub fn key(mut self, name: impl Into<String>, token: impl Into<String>) -> Self {
        self.0.insert(name.into(), Secret::new(token));
        self
    }
}

impl AuthAdapter for ApiKeys {
    fn scheme(&self) -> &'static str {
        "api_key"
    }

    fn validate(&self, passport: &Passport, claim: &Claim) -> Result<(), AuthError> {
        let token = claim.text("token").filter(|token| !token.is_empty()).ok_or(AuthError::NoToken)?;
        let name = || passport.name.clone();
        let key = self.0.get(&passport.name).ok_or_else(|| AuthError::NoKey { name: name() })?;
        if key.matches(&token) { Ok(()) } else { Err(AuthError::Mismatch { name: name() }) }
    }
}

/// Why a claim is refused. Sent as `auth_failed`, in AG2's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The claim has no token.
    #[error("api_key claim missing required string field 'token'")]
    NoToken,
    /// There is no key for this name.
    #[error("no api_key registered for '{name}'")]
    NoKey {
        /// The name.
        name: String,
    },
    /// The token is not the key.
    #[error("api_key mismatch for '{name}'")]
    Mismatch {
        /// The name.
        name: String,
    },
    /// The claim is no object.
    #[error("auth_claim must be a JSON object")]
    NotAnObject,
    /// The hub has no adapter for this scheme.
    #[error("unknown auth scheme: '{scheme}'")]
    UnknownScheme {
        /// The scheme, or the beginning of it.
        scheme: String,
    },
    /// The name was registered with another scheme.
    #[error("auth scheme '{scheme}' does not match '{name}''s registered scheme '{registered}'")]
    OtherScheme {
        /// The name.
        name: String,
        /// The scheme of the hello.
        scheme: String,
        /// The scheme of the name.
        registered: String,
    },
    /// An adapter of your own says no.
    #[error("claim refused for '{name}'")]
    Refused {
        /// The name.
        name: String,
    },
}

/// The adapters of a hub, by scheme.
#[derive(Debug, Default)]
pub(crate) struct AuthRegistry(BTreeMap<String, Box<dyn AuthAdapter>>);

impl AuthRegistry {
    pub(super) fn add(&mut self, adapter: Box<dyn AuthAdapter>) {
        self.0.insert(adapter.scheme().to_owned(), adapter);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether anyone may use any name.
    pub(super) fn trusts_everyone(&self) -> bool {
        self.0.contains_key(NoAuth.scheme())
    }

    /// Puts each adapter into another.
    pub(super) fn wrap(self, wrap: impl Fn(Box<dyn AuthAdapter>) -> Box<dyn AuthAdapter>) -> Self {
        Self(self.0.into_iter().map(|(scheme, adapter)| (scheme, wrap(adapter))).collect())
    }

    /// Asks the adapter of `scheme`.
    pub(super) fn validate(&self, scheme: &str, passport: &Passport, claim: &Claim) -> Result<(), AuthError> {
        let unknown = || AuthError::UnknownScheme { scheme: scheme.chars().take(64).collect() };
        let adapter = self.0.get(scheme).ok_or_else(unknown)?;
        if claim.is_object() { adapter.validate(passport, claim) } else { Err(AuthError::NotAnObject) }
    }
}
