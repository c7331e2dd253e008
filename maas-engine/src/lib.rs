//! The computing half: message -> engine -> report -> message.
//!
//! `pool` takes messages, `engine` computes, `report` turns what was written into the next messages.

pub mod engine;
pub mod pool;
pub mod report;

/// The examples of `docs/writing-an-engine.md` compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/writing-an-engine.md")]
struct WritingAnEngine;
