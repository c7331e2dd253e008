//! What publications and products have in common.

mod common;
mod datatake;
mod foundation;
mod levels;
mod named;
mod report;

pub(super) use common::{Fallback, fill_common};
pub(super) use foundation::Foundation;
pub(super) use named::{Named, product_name};
pub(super) use report::emissions_of;
