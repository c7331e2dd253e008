//! Engines that only the program under test has.

pub mod count;
mod derive;
mod harm;
