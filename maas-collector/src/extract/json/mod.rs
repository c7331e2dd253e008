//! JSON files.

pub mod path;
