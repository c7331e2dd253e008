//! Takes one record out of what an extractor makes: out of its own text where that is enough, or else out of its
//! file, wherever that is by now.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use maas_model::document::Source;

use crate::extract::{BadRecord, ExtractError, Extractor, Input, Origin, RecordSink};

/// The record, as its letter tells of it.
pub(super) struct Wanted {
    /// Where it was read from.
    pub(super) file: PathBuf,
    pub(super) place: String,
    pub(super) raw: String,
    pub(super) head: Option<String>,
}

/// Gives one record and no other.
pub(super) struct Only {
    inner: Box<dyn Extractor>,
    wanted: Wanted,
    places: Vec<PathBuf>,
}

impl Only {
    pub(super) fn new(inner: Box<dyn Extractor>, wanted: Wanted, places: Vec<PathBuf>) -> Self {
        Self {
            inner,
            wanted,
            places,
        }
    }

    /// The record out of its own text; `None` when that is not enough.
    fn alone(&self, input: &Input<'_>) -> Option<Found> {
        let raw = &self.wanted.raw;
        // What was cut, or was no text, is not there whole.
        if raw.is_empty() || raw.len() >= BadRecord::LONGEST || raw.contains('\u{FFFD}') {
            return None;
        }
        let file = self.inner.alone(raw, self.wanted.head.as_deref())?;
        let path = temporary(&file).ok()?;
        self.look(&path, input, |_, _| Match::Exact)
    }

    /// The record out of its file: the text must be the same, and where several have it, the place.
    fn within(&self, path: &Path, input: &Input<'_>) -> Option<Found> {
        let wanted = &self.wanted;
        self.look(path, input, |raw, place| match raw == wanted.raw {
            true if place == wanted.place => Match::Exact,
            true => Match::Alike,
            false => Match::None,
        })
    }

    fn look(
        &self,
        path: &Path,
        input: &Input<'_>,
        matches: impl Fn(&str, &str) -> Match,
    ) -> Option<Found> {
        let mut sink = Search {
            matches,
            found: None,
        };
        let input = Input { path, ..*input };
        // A file that is damaged further down may hold it all the same.
        let _ = self.inner.extract(&input, &mut sink);
        sink.found
    }

    fn missing(&self) -> ExtractError {
        let Wanted { file, place, .. } = &self.wanted;
        ExtractError {
            place: place.clone(),
            reason: format!(
                "what the letter holds of it is not enough to read it alone, and it is not in `{}` or where that \
                 is put aside: bring the file back, or ingest a mended one with \
                 `maas collect --interface NAME FILE` and discard this letter",
                file.display()
            ),
        }
    }
}

impl Extractor for Only {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let raw = !self.wanted.raw.is_empty();
        let places = self.places.iter().filter(|_| raw);
        let found = self.alone(input).or_else(|| {
            places
                .into_iter()
                .find_map(|place| self.within(place, input))
        });
        let Some(Found {
            record,
            bad,
            report,
        }) = found
        else {
            return Err(self.missing());
        };
        let _ = match record {
            None => sink.bad(bad),
            Some(record) => {
                let (place, raw) = (|| bad.place.clone(), || bad.raw.clone().into_bytes());
                let origin = Origin::new(&place, &raw).under(bad.head.as_deref());
                match &report {
                    Some(report) => sink.record(record, &origin.of_report(report)),
                    None => sink.record(record, &origin),
                }
            }
        };
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    None,
    Alike,
    Exact,
}

/// A record with where it is from, or what is wrong with it.
struct Found {
    record: Option<Source>,
    bad: BadRecord,
    report: Option<String>,
}

struct Search<M> {
    matches: M,
    found: Option<Found>,
}

impl<M: Fn(&str, &str) -> Match> Search<M> {
    fn consider(&mut self, found: impl FnOnce() -> Found, bad: &BadRecord) -> ControlFlow<()> {
        match (self.matches)(&bad.raw, &bad.place) {
            Match::Exact => {
                self.found = Some(found());
                return ControlFlow::Break(());
            }
            Match::Alike if self.found.is_none() => self.found = Some(found()),
            Match::Alike | Match::None => {}
        }
        ControlFlow::Continue(())
    }
}

impl<M: Fn(&str, &str) -> Match> RecordSink for Search<M> {
    fn record(&mut self, record: Source, origin: &Origin<'_>) -> ControlFlow<()> {
        let bad = origin.bad(None, "");
        let found = || Found {
            record: Some(record),
            bad: bad.clone(),
            report: origin.report().map(str::to_owned),
        };
        self.consider(found, &bad)
    }

    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()> {
        let found = || Found {
            record: None,
            bad: bad.clone(),
            report: None,
        };
        self.consider(found, &bad)
    }
}

/// A file of its own for these bytes, gone when it is dropped.
fn temporary(bytes: &[u8]) -> io::Result<tempfile::TempPath> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), bytes)?;
    Ok(file.into_temp_path())
}
