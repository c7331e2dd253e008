//! Collectors of the harness, linked into the program under test.

mod vault;
