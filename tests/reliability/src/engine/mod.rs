//! Engines that only the program under test has.

mod derive;
mod harm;
