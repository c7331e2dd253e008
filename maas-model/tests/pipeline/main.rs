//! The pipeline file: what is read from correct ones, and how wrong ones are refused.

#![allow(clippy::unwrap_used)] // A failed assumption is a failed test.

mod correct;
mod effective;
mod hostile;
mod picture;
mod plugins;
mod schema;
mod table;
mod wrong;
