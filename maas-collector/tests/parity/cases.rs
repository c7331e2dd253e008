//! Where the recorded cases are, what we do otherwise, and the count at the end.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// The folder of the recorded cases; `None` when it is not there, which only CI may not accept.
pub(crate) fn folder() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/cases");
    let folder = std::env::var_os("MAAS_CASES").map_or_else(|| default.into(), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("no recorded cases at `{}`", folder.display());
    assert!(
        std::env::var_os("CI").is_none(),
        "CI must have the recorded cases"
    );
    None
}

/// The JSON in a file below `folder`.
pub(crate) fn read(folder: &std::path::Path, path: &str) -> Value {
    let text = std::fs::read(folder.join(path)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// What differs on purpose: name of the case -> reason.
pub(crate) fn deviations(kind: &str) -> BTreeMap<String, String> {
    let text = include_str!("deviations.json");
    let mut all: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(text).unwrap();
    all.remove(kind).unwrap_or_default()
}

/// Counts, and fails at the end when anything failed.
#[derive(Default)]
pub(crate) struct Score {
    passed: usize,
    failed: usize,
    deviating: usize,
}

impl Score {
    /// `result` of one case; a listed deviation has to deviate.
    pub(crate) fn add(
        &mut self,
        case: &str,
        result: Result<(), String>,
        deviation: Option<&String>,
    ) {
        match (result, deviation) {
            (Ok(()), None) => self.passed += 1,
            (Err(_), Some(reason)) => {
                self.deviating += 1;
                println!("deviates: {case}: {reason}");
            }
            (Ok(()), Some(_)) => {
                self.failed += 1;
                println!("FAILED: {case}: it is listed as a deviation and does not deviate");
            }
            (Err(error), None) => {
                self.failed += 1;
                println!("FAILED: {case}: {error}");
            }
        }
    }

    pub(crate) fn end(self) {
        println!("{} deviate on purpose", self.deviating);
        println!("{} passed, {} failed", self.passed, self.failed);
        assert!(self.failed == 0 && self.passed > 0);
    }
}
