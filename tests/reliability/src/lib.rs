//! Breaks MaaS on purpose: proves that nothing is lost, nothing is done twice, nothing is forgotten.
//!
//! A [`goal`] is a load, a [`schedule`] of faults, and a judgement. What was issued and what was observed the
//! [`oracle`] knows; it reads stores and queues, never the metrics of the program. The [`judge`] compares what a
//! run left behind with a run without faults. The program itself runs as a process of its own
//! ([`program`]), with the [`engine`]s of this package linked.
//!
//! `cargo run -p maas-reliability` runs all goals in their short form, `-- --long` in the long one.

pub mod beside;
pub mod chain;
pub mod collector;
pub mod crew;
pub mod engine;
pub mod fault;
pub mod goal;
pub mod inflated;
pub mod judge;
pub mod lab;
pub mod load;
pub mod meters;
pub mod oracle;
pub mod pair;
pub mod pools;
pub mod program;
pub mod report;
pub mod schedule;
pub mod scrape;
