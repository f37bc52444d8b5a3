//! The slot, as it is.

#[path = "../../src/scope/slot.rs"]
pub(crate) mod slot;
