//! Where masking keys and handshake nonces come from (RFC 6455 §4.1, §5.3, §10.3).
//!
//! `proto` draws no randomness by itself: whoever builds an engine may bring the source, and tests bring a fixed one.

use rand::Rng;
use std::fmt;

/// A source of random bytes for masking keys and handshake nonces.
///
/// RFC 6455 §10.3 wants masking keys that the application cannot predict, so a real source is a cryptographic
/// generator: [`SystemRandom`] is one. A fixed source belongs in tests alone.
///
/// ```
/// use wscope::proto::RandomSource;
///
/// #[derive(Debug)]
/// struct Fixed(u8);
/// impl RandomSource for Fixed {
///     fn fill(&mut self, bytes: &mut [u8]) {
///         bytes.fill(self.0);
///     }
/// }
///
/// let mut key = [0; 4];
/// Fixed(7).fill(&mut key);
/// assert_eq!(key, [7; 4]);
/// ```
pub trait RandomSource: fmt::Debug + Send {
    /// Overwrites `bytes` with random ones.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// The default source: the thread's ChaCha generator, seeded and reseeded by the operating system.
///
/// Costs a connection no memory: the generator's state belongs to the thread.
///
/// ```
/// use wscope::proto::{RandomSource, SystemRandom};
///
/// let (mut one, mut other) = ([0; 16], [0; 16]);
/// SystemRandom::new().fill(&mut one);
/// SystemRandom::new().fill(&mut other);
/// assert_ne!(one, other);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemRandom;

impl SystemRandom {
    /// The default source.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl RandomSource for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
