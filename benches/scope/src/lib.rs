//! What a child costs in a nursery of wscope, and in what others offer for the same purpose.

pub mod child;
pub mod in_task;
pub mod measure;
pub mod pool;

/// One repetition of what is measured.
pub type Step = Box<dyn FnMut()>;

/// A way to have children, and how to set up the measured step for so many of them.
pub type Contender = (&'static str, fn(usize) -> Step);

/// A way to have children that are started and stay: what is returned keeps them alive.
pub type Keeper = (&'static str, fn(usize) -> Box<dyn std::any::Any>);

/// Wakes of children on the executor are measured by so many at a time.
pub const BURST: usize = 64;
