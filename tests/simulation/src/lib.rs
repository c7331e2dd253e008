//! The pools and flows of MaaS on a simulated clock, store and bus, with faults that follow from a seed.
//!
//! Every seed is another history: other items, other faults, other interleavings. A seed gives the same
//! history each time, so that what it finds can be looked at again. See
//! `docs/decisions/0013-simulation.md`.

mod alone;
pub mod bus;
pub mod dice;
mod difference;
mod drive;
pub mod engine;
pub mod fault;
pub mod fuse;
pub mod oracle;
mod process;
pub mod run;
pub mod source;
pub mod store;
pub mod trace;
pub mod world;
