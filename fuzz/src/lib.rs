//! Hostile input for everything that reads what others wrote: files, configuration, messages, answers.
//!
//! A target takes bytes, reads them, and panics when a promise is broken: a panic, an error that does not say
//! what is wrong and where, something without end. `maas-fuzz` (see `main.rs`) makes up the bytes.

pub mod mutate;
pub mod target;

use maas_cds as _; // linked for its registrations
use maas_engine as _;
