//! Collects what is wrong while a pipeline is read, and shows it without secrets.

use std::collections::BTreeSet;

use super::excerpt::Excerpts;
use super::problem::{Problem, Severity};
use super::tree::{Node, Place, join};

/// One file of the pipeline.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// As the user named it.
    pub(super) name: String,
    pub(super) text: String,
    /// `None`: not YAML, or empty.
    pub(super) root: Option<Node>,
    /// The file as it is, where `root` is what it was translated into: paths are told in it.
    pub(super) original: Option<Node>,
}

/// Where something stands: number of the file, path in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) path: String,
}

impl At {
    pub(super) fn below(&self, key: &str) -> Self {
        Self {
            file: self.file,
            path: join(&self.path, key),
        }
    }

    pub(super) fn item(&self, index: usize) -> Self {
        Self {
            file: self.file,
            path: format!("{}[{index}]", self.path),
        }
    }
}

/// What to point at: the key, or what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pin {
    Key,
    Value,
}

#[derive(Debug)]
struct Report {
    severity: Severity,
    at: At,
    pin: Pin,
    /// Known already (syntax errors, keys that stand twice).
    place: Option<Place>,
    message: String,
    hint: Option<String>,
}

/// More are not read by anybody, and a file made to be wrong may have a million.
const MAX_PROBLEMS: usize = 1000;

/// Everything that is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Reports {
    list: Vec<Report>,
    /// Files that could not be read.
    unread: Vec<Problem>,
    /// Texts that must not be shown, and what is shown instead.
    masks: BTreeSet<(String, String)>,
}

impl Reports {
    /// Whether nothing was found so far.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.unread.is_empty()
    }

    pub(super) fn error(
        &mut self,
        at: &At,
        pin: Pin,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.push(Severity::Error, at, pin, None, message.into(), hint);
    }

    pub(super) fn warning(
        &mut self,
        at: &At,
        pin: Pin,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.push(Severity::Warning, at, pin, None, message.into(), hint);
    }

    pub(super) fn error_at(
        &mut self,
        at: &At,
        place: Place,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.push(
            Severity::Error,
            at,
            Pin::Key,
            Some(place),
            message.into(),
            hint,
        );
    }

    /// An error at a place that is known.
    pub(super) fn error_in(
        &mut self,
        file: usize,
        place: Place,
        message: String,
        hint: Option<String>,
    ) {
        self.push_at(Severity::Error, file, place, message, hint);
    }

    /// A warning at a place that is known.
    pub(super) fn warning_in(
        &mut self,
        file: usize,
        place: Place,
        message: String,
        hint: Option<String>,
    ) {
        self.push_at(Severity::Warning, file, place, message, hint);
    }

    fn push_at(
        &mut self,
        severity: Severity,
        file: usize,
        place: Place,
        message: String,
        hint: Option<String>,
    ) {
        let path = String::new();
        let at = At { file, path };
        self.push(severity, &at, Pin::Value, Some(place), message, hint);
    }

    pub(super) fn unread(
        &mut self,
        severity: Severity,
        file: String,
        message: String,
        hint: String,
    ) {
        self.unread.push(Problem {
            severity,
            file,
            line: 0,
            column: 0,
            path: String::new(),
            message,
            hint: Some(hint),
            excerpt: None,
        });
    }

    /// From now on `text` is shown as `shown` in excerpts and messages.
    pub(super) fn mask(&mut self, text: &str, shown: &str) {
        // Shorter ones would eat parts of ordinary words, and are no secrets.
        if text.chars().count() > 2 {
            self.masks.insert((text.to_owned(), shown.to_owned()));
        }
    }

    fn push(
        &mut self,
        severity: Severity,
        at: &At,
        pin: Pin,
        place: Option<Place>,
        message: String,
        hint: Option<String>,
    ) {
        self.list.push(Report {
            severity,
            at: at.clone(),
            pin,
            place,
            message,
            hint,
        });
    }

    /// All problems, in the order of the files.
    pub(super) fn finish(self, files: &[SourceFile]) -> Vec<Problem> {
        let mut excerpts: Vec<Excerpts<'_>> =
            files.iter().map(|file| Excerpts::of(&file.text)).collect();
        let mut problems: Vec<(usize, Problem)> = Vec::new();
        for report in self.list.iter().take(MAX_PROBLEMS) {
            let Some(file) = files.get(report.at.file) else {
                continue;
            };
            let problem = self.problem(report, file, &mut excerpts[report.at.file]);
            if !problems.iter().any(|(_, known)| *known == problem) {
                problems.push((report.at.file, problem));
            }
        }
        problems.sort_by_key(|(file, problem)| (*file, problem.line, problem.column));
        let placed = problems.into_iter().map(|(_, problem)| problem);
        let untold = untold(&self.list, files);
        self.unread
            .into_iter()
            .chain(placed)
            .chain(untold)
            .collect()
    }

    fn problem(&self, report: &Report, file: &SourceFile, excerpts: &mut Excerpts<'_>) -> Problem {
        let place = report.place.or_else(|| {
            let located = file.root.as_ref()?.locate(&report.at.path);
            Some(if report.pin == Pin::Key {
                located.key
            } else {
                located.value
            })
        });
        let path = match (&file.original, place) {
            (Some(original), Some(place)) => original.path_of(place).unwrap_or_default(),
            _ => report.at.path.clone(),
        };
        let line = place.map_or(0, |place| place.line);
        Problem {
            severity: report.severity,
            file: file.name.clone(),
            line,
            column: place.map_or(0, |place| place.column),
            path,
            message: self.masked(&report.message),
            hint: report.hint.as_deref().map(|hint| self.masked(hint)),
            excerpt: excerpts.line(line, |line| self.masked(line)),
        }
    }

    fn masked(&self, text: &str) -> String {
        // Longer texts first: one secret may be the start of another.
        let mut masks: Vec<&(String, String)> = self.masks.iter().collect();
        masks.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        masks
            .into_iter()
            .fold(text.to_owned(), |text, (secret, shown)| {
                text.replace(secret, shown)
            })
    }
}

/// How many there are beyond those that are told.
fn untold(reports: &[Report], files: &[SourceFile]) -> Option<Problem> {
    let first = reports.get(MAX_PROBLEMS)?;
    let worst = reports[MAX_PROBLEMS..].iter().map(|report| report.severity);
    Some(Problem {
        severity: worst.min().unwrap_or(first.severity),
        file: files.get(first.at.file)?.name.clone(),
        line: 0,
        column: 0,
        path: String::new(),
        message: format!("{} more that are not told", reports.len() - MAX_PROBLEMS),
        hint: Some("mend these first".to_owned()),
        excerpt: None,
    })
}
