//! One member of an archive: into a temporary file, and from there to its extractor.

use std::io::{Read, Write};
use std::ops::ControlFlow;

use globset::GlobMatcher;
use maas_model::document::Source;
use tempfile::NamedTempFile;

use super::{ExtractError, Extractor, Input, Origin, RecordSink};
use crate::extract::BadRecord;

/// The members of one archive.
pub(super) struct Members<'a> {
    pub(super) pattern: &'a GlobMatcher,
    pub(super) extractor: &'a dyn Extractor,
    pub(super) folder: Option<&'a str>,
    pub(super) sink: &'a mut dyn RecordSink,
    /// How many more there may be.
    pub(super) left: u64,
}

impl Members<'_> {
    /// Whether a member is to be read. Each is to be asked for.
    pub(super) fn wants(&mut self, name: &str, is_file: bool) -> Result<bool, ExtractError> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| super::damage("it has more members than `most_members` allows"))?;
        Ok(is_file && self.pattern.is_match(name))
    }

    /// Reads a member. `Break`: no more is wanted. An error is one of the archive: no further member can be
    /// read.
    pub(super) fn read(
        &mut self,
        name: &str,
        bytes: &mut dyn Read,
    ) -> Result<ControlFlow<()>, ExtractError> {
        // Never under its own name, which may lead anywhere. Gone as soon as it is dropped.
        let mut file = NamedTempFile::new().map_err(super::damage)?;
        std::io::copy(bytes, &mut file).map_err(|error| damage(name, error))?;
        file.flush().map_err(super::damage)?;
        let input = Input {
            path: file.path(),
            name: base_name(name),
            folder: self.folder,
        };
        let mut sink = MemberSink {
            member: name,
            name: input.name,
            sink: self.sink,
            stopped: false,
        };
        let extracted = self.extractor.extract(&input, &mut sink);
        let stopped = sink.stopped;
        let goes_on = match extracted {
            Err(error) if !stopped => self.sink.bad(BadRecord {
                place: place(name, &error.place),
                field: None,
                reason: error.reason,
                raw: String::new(),
                head: None,
            }),
            _ if stopped => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        Ok(goes_on)
    }
}

/// What is behind the last separator, of either system.
fn base_name(name: &str) -> &str {
    match name.rsplit(['/', '\\']).next() {
        Some(base) if !base.is_empty() => base,
        _ => name,
    }
}

fn place(member: &str, place: &str) -> String {
    format!("member `{member}`, {place}")
}

/// A member that cannot be unpacked.
pub(super) fn damage(name: &str, error: impl ToString) -> ExtractError {
    ExtractError {
        place: format!("member `{name}`"),
        reason: error.to_string(),
    }
}

/// Tells of every record which member it comes from.
struct MemberSink<'a> {
    /// The full name.
    member: &'a str,
    /// The base name.
    name: &'a str,
    sink: &'a mut dyn RecordSink,
    stopped: bool,
}

impl MemberSink<'_> {
    fn took(&mut self, taken: ControlFlow<()>) -> ControlFlow<()> {
        self.stopped |= taken.is_break();
        taken
    }
}

impl RecordSink for MemberSink<'_> {
    fn record(&mut self, record: Source, origin: &Origin<'_>) -> ControlFlow<()> {
        let place = || place(self.member, &origin.place());
        let raw = || origin.raw();
        let origin = Origin::new(&place, &raw).of_report(self.name);
        let taken = self.sink.record(record, &origin);
        self.took(taken)
    }

    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()> {
        let place = place(self.member, &bad.place);
        let taken = self.sink.bad(BadRecord { place, ..bad });
        self.took(taken)
    }
}
