//! Contracts and fixtures for every store and bus.

// A broken promise of a contract ends its test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod bus;
pub mod store;
