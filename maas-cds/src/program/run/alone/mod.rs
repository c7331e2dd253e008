//! Messages that may end their process, worked on one at a time in a child of this program.
//!
//! The child is the same program with the same arguments and one more (`--alone POOL`), so it has the same
//! pipeline, engines, store and bus, also in a custom build. See `docs/decisions/0011-containment.md`.

mod arguments;
mod child;
mod limit;
mod nursery;
mod process;
mod wire;

pub(crate) use child::serve;
pub(crate) use nursery::Nursery;
