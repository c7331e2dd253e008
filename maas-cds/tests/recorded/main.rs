//! What the original system did, recorded, and what ours does with the same.

// What clippy allows in functions marked `#[test]` goes for their helpers too.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod calls;
mod case;
mod cases;
mod compare;
mod deviations;
mod engines;
mod models;
mod names;
mod prip_chain;
mod world;
