//! What the tests of MaaS share: sample data and really started servers.

pub mod sample;
pub mod server;
