//! The configuration of the original loads unchanged, and converts into the same pipeline.

// What clippy allows in functions marked `#[test]` goes for their helpers too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use maas_cds as _; // linked for its registrations

mod convert;
mod load;
mod original;
mod pages;
mod program;
mod small;
#[path = "../support/mod.rs"]
mod support;
