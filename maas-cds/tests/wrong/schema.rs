//! The JSON Schema that `maas schema` prints accepts every pipeline file that is shipped.

use std::path::{Path, PathBuf};

use maas_model::pipeline::schema;
use serde_json::Value;

/// The files of every pipeline in `folder`.
fn shipped(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(folder);
    let folders = std::fs::read_dir(root).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).into_iter());
    files
        .flatten()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect()
}

/// As the loader and editors read it: with merge keys, `yes` is a text.
fn yaml(path: &Path) -> Value {
    let options = serde_yaml::options! { strict_booleans: true, reject_unsupported_tags: true };
    let text = std::fs::read_to_string(path).unwrap();
    serde_yaml::from_str_with_options(&text, options).unwrap()
}

fn errors(path: &Path) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let value = yaml(path);
    let errors = validator.iter_errors(&value);
    errors
        .map(|error| format!("{}: {}: {error}", path.display(), error.instance_path()))
        .collect()
}

#[test]
fn every_pipeline_is_accepted() {
    let files = shipped("pipelines");
    assert!(!files.is_empty());
    let errors: Vec<String> = files.iter().flat_map(|path| errors(path)).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
