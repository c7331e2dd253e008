//! Contracts, run on really started servers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A failure is to stop the test.

mod bus;
mod bus_again;
mod bus_full;
mod bus_tls;
mod opensearch;
mod opensearch_beginning;
mod opensearch_tls;
mod servers;
mod templates;
