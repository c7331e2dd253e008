//! Which test files there are, and which pipeline each tests.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The folder of tests beside a pipeline.
const FOLDER: &str = "tests";
/// Or one file.
const FILE: &str = "test.yaml";

/// A test file and the pipeline it tests unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) file: PathBuf,
    pub(super) pipeline: PathBuf,
}

/// The test files that these paths mean, sorted: of a test file itself; of a pipeline those beside it; of a
/// folder of pipelines those of all of them.
pub(super) fn find(paths: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        if path.is_dir() {
            in_folder(path, &mut found)?;
            if found.len() == before {
                for folder in entries(path)?.iter().filter(|entry| entry.is_dir()) {
                    in_folder(folder, &mut found)?;
                }
            }
        } else if is_test(path) {
            found.push(of(path));
        } else {
            beside(parent(path), path, &mut found)?;
        }
        if found.len() == before {
            bail!(
                "no tests in `{}`: they are YAML files in a folder `{FOLDER}` of the pipeline, or a file `{FILE}`",
                path.display()
            );
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn in_folder(folder: &Path, found: &mut Vec<Found>) -> anyhow::Result<()> {
    // `tests` itself, also when it is named by `.`.
    let name = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    if name.file_name().is_some_and(|name| name == FOLDER) {
        let files = entries(folder)?.into_iter().filter(|file| is_yaml(file));
        found.extend(files.map(|file| Found {
            file,
            pipeline: folder.join(".."),
        }));
        return Ok(());
    }
    beside(folder, folder, found)
}

/// The tests in `folder`, which are for `pipeline`.
fn beside(folder: &Path, pipeline: &Path, found: &mut Vec<Found>) -> anyhow::Result<()> {
    let tests = folder.join(FOLDER);
    let mut files = match tests.is_dir() {
        true => entries(&tests)?,
        false => Vec::new(),
    };
    files.retain(|file| is_yaml(file));
    files.extend(Some(folder.join(FILE)).filter(|file| file.is_file()));
    found.extend(files.into_iter().map(|file| Found {
        file,
        pipeline: pipeline.to_owned(),
    }));
    Ok(())
}

/// A test file that was named itself.
fn of(file: &Path) -> Found {
    let folder = parent(file);
    let pipeline = match file.file_name().is_some_and(|name| name == FILE) {
        true => folder.to_owned(),
        false => match folder.parent() {
            Some(above) if folder != Path::new("..") && !above.as_os_str().is_empty() => {
                above.to_owned()
            }
            _ => folder.join(".."),
        },
    };
    Found {
        file: file.to_owned(),
        pipeline,
    }
}

fn is_test(file: &Path) -> bool {
    let folder = std::fs::canonicalize(parent(file)).unwrap_or_default();
    file.file_name().is_some_and(|name| name == FILE)
        || folder.file_name().is_some_and(|name| name == FOLDER)
}

/// `.` of a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn is_yaml(file: &Path) -> bool {
    let hidden = file
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden
        && file.is_file()
        && file
            .extension()
            .is_some_and(|extension| extension == "yaml")
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let mut entries =
        list().with_context(|| format!("cannot list the folder `{}`", folder.display()))?;
    entries.sort();
    Ok(entries)
}
