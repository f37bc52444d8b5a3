//! What the two programs of this crate share.

pub mod libraries;
pub mod measure;
pub mod messages;
pub mod pipe;
pub mod settings;
