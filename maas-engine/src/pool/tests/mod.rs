//! The pool on a store and a bus that fail on command.

mod bench;
mod bus;
mod consuming;
mod contained;
mod copies;
mod crashes;
mod engines;
mod one_message;
mod store;

pub(crate) use bench::exchange;
