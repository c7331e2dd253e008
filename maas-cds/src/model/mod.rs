//! What is particular to the Copernicus models: levels, partitions, datatakes, measures between dates.
//! The models themselves are in the pipeline's YAML; here are typed views of the fields that engines use.

mod consolidated;
mod dataflow;
mod datatake;
mod dissemination;
mod measure;
mod partition;
mod prip;
mod product;
mod publication;

pub use consolidated::Consolidated;
pub use dataflow::{CdsDataflow, Levels, MISSING_LEVEL, is_sensing_level};
pub use datatake::{CdsDatatake, MISSING_DATATAKE, Span, attach, nearest};
pub use dissemination::DisseminationService;
pub use measure::{date_of, iso_text, microseconds_between};
pub use partition::{PRODUCT_DATES, PUBLICATION_DATES, partition_date, partition_index};
pub use prip::PripProduct;
pub use product::CdsProduct;
pub use publication::CdsPublication;
