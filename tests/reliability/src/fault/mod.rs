//! What is done to processes, servers and files: one function per recipe.

mod disk;
pub mod opensearch;
mod power_cut;
mod process;

pub use disk::Disk;
pub use power_cut::{Tear, power_cut};
pub use process::{WallClock, few_descriptors};
