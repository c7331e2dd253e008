//! How bytes become records: the extractor contract and the registry of extractors.

pub mod anomaly_correlation;
pub mod archive;
mod bounded;
mod convert;
pub mod csv;
pub mod edrs_ddp;
pub mod edrs_pass_status;
pub mod eisp;
pub mod esip_products;
mod field;
#[cfg(test)]
mod hostile;
pub mod json;
pub mod legacy;
pub mod log;
pub mod orbit_ephemeris_message;
mod plugin;
pub mod satellite_unavailability;
#[cfg(test)]
pub(crate) mod testing;
mod workbook;
pub mod xlsx;
pub mod xlsx_columns;
pub mod xml;
mod zip;

pub use convert::{Convert, RegexConvert};
pub use plugin::{ExtractorConfig, ExtractorPlugin};

use std::ops::ControlFlow;

use maas_model::document::Source;

/// Turns one file into records. No network, no clock: same bytes, same records. Runs on a blocking
/// thread.
pub trait Extractor: Send + Sync {
    /// Gives every record of the file to `sink`, in the order of the file, and stops early when the sink
    /// says so. Memory does not grow with the file where the format allows it.
    ///
    /// A record that is wrong goes to the sink as [`BadRecord`] and the rest goes on; `Err` means that
    /// nothing more can be read from the file.
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError>;

    /// A file that holds one record alone, made of what a [`BadRecord`] kept of it; `None` when a record
    /// cannot be read without the rest of its file.
    fn alone(&self, _raw: &str, _head: Option<&str>) -> Option<Vec<u8>> {
        None
    }
}

/// The file to read.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Where the bytes are.
    pub path: &'a std::path::Path,
    /// Base name: `reportName` of the records.
    pub name: &'a str,
    /// Where it came from, when known.
    pub folder: Option<&'a str>,
}

/// Takes the records of a file.
pub trait RecordSink {
    /// One record and where it comes from. `Break`: no more is wanted.
    fn record(&mut self, record: Source, origin: &Origin<'_>) -> ControlFlow<()>;
    /// One record that is wrong.
    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()>;
}

/// Where a record comes from; made out only for records that turn out to be wrong.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    place: &'a dyn Fn() -> String,
    raw: &'a dyn Fn() -> Vec<u8>,
    head: Option<&'a str>,
    report: Option<&'a str>,
}

impl<'a> Origin<'a> {
    /// `place` as in [`BadRecord::place`], `raw` the bytes of the record as they were read.
    pub fn new(place: &'a dyn Fn() -> String, raw: &'a dyn Fn() -> Vec<u8>) -> Self {
        Self {
            place,
            raw,
            head: None,
            report: None,
        }
    }

    /// What stands before all records of the file and gives them their meaning.
    pub fn under(self, head: Option<&'a str>) -> Self {
        Self { head, ..self }
    }

    /// The record is from a file within the file, with this name.
    pub fn of_report(self, name: &'a str) -> Self {
        Self {
            report: Some(name),
            ..self
        }
    }

    /// `reportName` of the record, where it is not the name of the file.
    pub fn report(&self) -> Option<&'a str> {
        self.report
    }

    fn place(&self) -> String {
        (self.place)()
    }

    fn raw(&self) -> Vec<u8> {
        (self.raw)()
    }

    /// The record as a bad one.
    pub fn bad(&self, field: Option<String>, reason: impl Into<String>) -> BadRecord {
        let raw = self.raw();
        let kept = &raw[..raw.len().min(BadRecord::LONGEST)];
        BadRecord {
            place: self.place(),
            field,
            reason: reason.into(),
            raw: String::from_utf8_lossy(kept).into_owned(),
            head: self.head.map(str::to_owned),
        }
    }
}

impl BadRecord {
    /// Longest text of a record that is kept.
    pub const LONGEST: usize = 1 << 20;

    /// Field and reason. Reasons of the model name the field themselves.
    pub fn detail(&self) -> String {
        match &self.field {
            Some(field) if !self.reason.contains(&format!("`{field}`")) => {
                format!("`{field}`: {}", self.reason)
            }
            _ => self.reason.clone(),
        }
    }
}

/// A record that cannot be used; its neighbours go on.
#[derive(Debug, Clone, PartialEq)]
pub struct BadRecord {
    /// Where in the file: `record 12`, `line 13`.
    pub place: String,
    /// The field at fault, when one is.
    pub field: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// The record as it was read; cut at 1 MiB.
    pub raw: String,
    /// What stands before all records of the file and gives them their meaning, where the format has such
    /// and a record can be read with it alone.
    pub head: Option<String>,
}

/// Why nothing more can be read from a file.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ExtractError {
    /// Where in the file: `line 3, column 7`, `byte 1200`.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}
