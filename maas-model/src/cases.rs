//! Answers recorded from the original, for tests. They lie beside the repository.

use std::path::PathBuf;

use serde_json::Value;

/// The cases of one file.
pub(crate) struct Cases {
    file: &'static str,
    list: Option<Vec<Value>>,
}

impl Cases {
    /// The folder is `MAAS_CASES`; without the files the test passes on a laptop, and fails in CI.
    pub(crate) fn of(file: &'static str) -> Self {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/cases");
        let folder = std::env::var_os("MAAS_CASES").map_or_else(|| beside.into(), PathBuf::from);
        let Ok(text) = std::fs::read(folder.join(file)) else {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no {file}");
            println!("{file} is not there; set MAAS_CASES");
            return Self { file, list: None };
        };
        let list = serde_json::from_slice(&text).expect("a list of cases");
        Self {
            file,
            list: Some(list),
        }
    }

    /// Runs each, and fails with all failures.
    pub(crate) fn run(self, mut check: impl FnMut(&Value) -> Result<(), String>) {
        let Some(list) = self.list else { return };
        let failures: Vec<String> = list.iter().filter_map(|case| check(case).err()).collect();
        for failure in &failures {
            println!("{}: {failure}", self.file);
        }
        println!(
            "{} passed, {} failed",
            list.len() - failures.len(),
            failures.len()
        );
        assert!(!list.is_empty() && failures.is_empty());
    }
}
