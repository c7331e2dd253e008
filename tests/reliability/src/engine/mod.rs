//! Engines that only the program under test has.

pub mod count;
mod derive;
pub mod gather;
mod harm;
mod inflate;
mod toil;
