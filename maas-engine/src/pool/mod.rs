//! Takes messages from queues, runs engines on them, writes what they return, reports, acknowledges.
//!
//! ```text
//! turns -> consume -> process -> run -> guard (engine) -> write -> plan -> publish -> settle
//!                                 ^------- overtaken -------'
//!  turns -> consume -> contain (what came back unsettled)
//! ```
//!
//! See `docs/decisions/0006-pool.md` for what happens when something fails in between, and `0011-containment.md`
//! for messages that end their process.

mod blame;
mod bury;
mod chain;
mod consume;
pub mod contain;
pub mod context;
mod dead;
mod fate;
mod guard;
mod hand;
mod intent;
mod plan;
mod process;
mod publish;
mod reason;
mod run;
mod runner;
pub mod session;
mod shared;
mod stats;
mod sweep;
#[cfg(test)]
mod tests;
mod turns;
mod verdict;
mod wait;
mod work;
mod write;

pub use hand::QueuePace;
pub use intent::intents_model;
pub use process::Processed;
pub use runner::{PoolContext, PoolError, PoolRunner};
pub use stats::{Counter, PoolStats};
pub use verdict::Verdict;
pub use work::Work;
