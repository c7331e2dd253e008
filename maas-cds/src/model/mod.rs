//! What is particular to the Copernicus models: levels, partitions, datatakes, measures between dates.
//! The models themselves are in the pipeline's YAML.

mod dataflow;
mod datatake;
mod dissemination;
mod measure;
mod partition;

pub use dataflow::{Levels, MISSING_LEVEL, is_sensing_level};
pub use datatake::{MISSING_DATATAKE, Span, attach, nearest};
pub use dissemination::DisseminationService;
pub use measure::{date_of, iso_text, microseconds_between};
pub use partition::{PRODUCT_DATES, PUBLICATION_DATES, partition_date, partition_index};
