//! Runs one interface: collect, extract, store, announce, journal.
