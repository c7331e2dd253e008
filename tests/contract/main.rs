//! Contracts, run on really started servers.

mod servers;
