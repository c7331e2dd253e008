//! What the tests of MaaS share: sample data, really started servers, the program as a process, measuring.

pub mod bench;
pub mod chain;
pub mod program;
pub mod sample;
pub mod server;
