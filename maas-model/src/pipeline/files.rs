//! Which files make a pipeline.

use std::path::{Path, PathBuf};

/// Not part of the pipeline: it tests it.
const TEST_FILE: &str = "test.yaml";

/// Larger files are refused: a pipeline is written by people.
const MAX_BYTES: u64 = 4 << 20;

/// What stands at a path.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Name and text of each file, in the order in which they are merged.
    pub(super) texts: Vec<(String, String)>,
    /// Files that cannot be read: name, what is wrong, what to do.
    pub(super) errors: Vec<(String, String, String)>,
    /// Files that look like a mistake.
    pub(super) warnings: Vec<(String, String, String)>,
}

/// The file, or the `.yaml` files of the folder by name. Folders inside it (`samples`, `display`) and
/// hidden files are not read, and neither is `test.yaml`.
pub(super) fn read(path: &Path) -> Found {
    let mut found = Found::default();
    if !path.is_dir() {
        add(path, &mut found);
        return found;
    }
    let shown = path.display().to_string();
    let mut files = match list(path) {
        Ok(files) => files,
        Err(error) => {
            let message = format!("cannot list the folder: {error}");
            found
                .errors
                .push((shown, message, "check its permissions".into()));
            return found;
        }
    };
    files.sort();
    for file in files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with('.') || name == TEST_FILE || !file.is_file() {
            continue;
        }
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") => add(&file, &mut found),
            Some("yml") => found.warnings.push((
                file.display().to_string(),
                "not read: its name does not end with `.yaml`".into(),
                "rename it, or move it out of the folder".into(),
            )),
            _ => {}
        }
    }
    if found.texts.is_empty() && found.errors.is_empty() {
        let hint = "a pipeline is a `.yaml` file, or a folder with at least one";
        found
            .errors
            .push((shown, "no `.yaml` file in this folder".into(), hint.into()));
    }
    found
}

fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect()
}

fn add(file: &Path, found: &mut Found) {
    match read_one(file) {
        Ok(text) => found.texts.push(text),
        Err(error) => found.errors.push(error),
    }
}

/// Name and text of a file, or its name, what is wrong and what to do.
pub(super) fn read_one(file: &Path) -> Result<(String, String), (String, String, String)> {
    let shown = file.display().to_string();
    let size = std::fs::metadata(file).map(|metadata| metadata.len());
    if size.is_ok_and(|size| size > MAX_BYTES) {
        let message = format!("larger than {} MiB", MAX_BYTES >> 20);
        let hint = "split it over several files of one folder";
        return Err((shown, message, hint.into()));
    }
    match std::fs::read(file).map(String::from_utf8) {
        Ok(Ok(text)) => Ok((shown, text)),
        Ok(Err(error)) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = format!("line {line} is not UTF-8");
            Err((shown, message, "save the file as UTF-8".into()))
        }
        Err(error) => {
            let message = format!("cannot read it: {error}");
            let hint = "the pipeline is a `.yaml` file, or a folder with `.yaml` files";
            Err((shown, message, hint.into()))
        }
    }
}

/// What a pipeline is called, and where its relative paths start.
pub(super) fn name_and_base(path: &Path) -> (String, PathBuf) {
    // `.` has no name of its own.
    let absolute = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if path.is_dir() {
        let name = absolute.file_name().unwrap_or_default();
        (name.to_string_lossy().into_owned(), path.to_owned())
    } else {
        let name = absolute.file_stem().unwrap_or_default();
        let base = path.parent().unwrap_or(Path::new(""));
        (name.to_string_lossy().into_owned(), base.to_owned())
    }
}
