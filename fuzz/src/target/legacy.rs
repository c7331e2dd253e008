//! Configuration of the Python system.

use maas_collector::extract::legacy::translate;
use maas_model::pipeline::Pipeline;

use super::pipeline::{judge, refused};
use super::says_something;

/// A configuration file of any kind.
pub(super) fn config(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let path = folder.path().join("config.json");
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    match Pipeline::load_legacy(&[path], &|_| None) {
        Ok((pipeline, warnings)) => {
            judge(&warnings);
            pipeline.topology();
        }
        Err(error) => refused(&error),
    }
}

/// The section `extractor` of an interface.
pub(super) fn extractor(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice(bytes) else {
        return;
    };
    if let Err(error) = translate(&value) {
        says_something(&error.to_string());
    }
}
