//! What the tests of MaaS share: sample data, really started servers, the program as a process,
//! a proxy that hurts the way to a server, measuring.

pub mod audit;
pub mod bench;
pub mod certificate;
pub mod chain;
pub mod program;
pub mod proxy;
pub mod random;
pub mod sample;
pub mod server;
pub mod tls_front;
