//! Measures the program as a whole, beside what the servers can do at best.

mod process;
mod raw;
mod report;

pub use process::{Measured, measure, status_mebibytes};
pub use raw::raw_bulk;
pub use report::{Report, Row};
