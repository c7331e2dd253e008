//! The shared language of MaaS: documents and their models, the store that keeps them, the messages
//! that announce them, the bus that carries those, and the pipeline file that ties all together.
//!
//! ```text
//! collect -> extract -> store -> message -> pool -> engine -> store -> report -> message -> ... -> display
//!                       ^^^^^    ^^^^^^^                      ^^^^^              ^^^^^^^
//! ```
//!
//! `maas-collector` and `maas-engine` depend on this crate and never on each other: they meet only
//! in documents and messages.

pub mod chance;
pub mod clock;
pub mod document;
pub mod expression;
pub mod failpoint;
mod file_name;
pub mod layer;
pub mod ledger;
pub mod message;
pub mod model;
pub mod pattern;
pub mod pipeline;
pub mod planted;
pub mod plugin;
pub mod private;
pub mod secret;
mod sqlite;
pub mod store;

#[cfg(test)]
mod cases;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use file_name::safe_file_name;

/// An error of another crate, kept as the cause of one of ours.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
