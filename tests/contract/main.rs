//! Contracts, run on really started servers.

mod bus;
mod servers;
