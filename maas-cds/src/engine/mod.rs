//! The engines that make `cds-*` documents of raw ones.
//!
//! ```text
//! raw product -> base: name, level, common fields -> publication/ (one per product and interface)
//!                                                 -> product/     (one per product, all interfaces meet)
//!             -> base: datatakes of all documents together -> mission reports
//! ```

mod base;
pub mod product;
pub mod publication;
mod raw_class;
mod settings;

pub use raw_class::RawClass;
