//! The computing half: message -> engine -> report -> message.
//!
//! `pool` takes messages, `engine` computes, `report` turns what was written into the next messages.

pub mod engine;
pub mod pool;
pub mod report;
