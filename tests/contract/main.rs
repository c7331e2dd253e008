//! Contracts, run on really started servers.

mod bus;
mod opensearch;
mod servers;
