//! The collecting half: collect -> extract -> store -> message.
//!
//! `collect` brings files, `extract` turns them into records, `flow` runs one interface: it is the only
//! one that knows both.

pub mod collect;
pub mod extract;
pub mod flow;
