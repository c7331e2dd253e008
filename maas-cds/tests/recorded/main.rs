//! What the original system did, recorded, and what ours does with the same.

mod cases;
mod names;
