//! Messages that do harm: found, worked on where they hurt nobody, cut down to the guilty documents.
//!
//! ```text
//! came back unsettled -> lane -> isolation (a process of its own) -> verdict
//!                                      | it died
//!                                      v
//!                        halves, down to one document -> tries run out -> dead letter
//! ```
//!
//! See `docs/decisions/0011-containment.md`.

mod crash;
mod isolation;
mod lane;
mod panic;
mod split;
mod tally;
mod watch;

pub use isolation::{Answer, Counted, Death, Isolation, Trouble};
pub(crate) use lane::{Lanes, is_suspect, suspect};
pub(crate) use panic::{caught, listen};
pub use split::{Share, parts};
pub(crate) use split::{key_of, part_of};
pub use tally::Tally;
pub use watch::{Happening, Running, Stuck, Watch};
