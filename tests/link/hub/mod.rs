//! The hub on its links, one file for each of its files.

mod attachment;
mod contained;
mod handle;
mod timekeeper;
