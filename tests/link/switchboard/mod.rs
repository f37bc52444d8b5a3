//! The hub's mind, one file for each of its files.

mod board;
mod closing;
mod config;
mod delivery;
mod hello;
mod opening;
mod post;
mod request;
