//! The recorded answers of the original, replayed.

// A test ends at the first surprise, and says what it saw.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod cases;
mod extractors;
mod filesystem;
mod jsonpath;
mod prip_chain;
