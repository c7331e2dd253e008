//! Takes messages from queues, runs engines on them, writes what they return, reports, acknowledges.

pub mod context;
pub mod session;
