//! Which files make a configuration of the Python system.

use std::path::{Path, PathBuf};

use super::told::Told;
use crate::pipeline::files;
use crate::pipeline::tree::{Node, Place};

/// Folders nested deeper are a circle of links.
const MAX_DEPTH: usize = 16;

/// One file of the configuration.
pub(super) struct OldFile {
    /// As the user named it, or found below a folder that the user named.
    pub(super) name: String,
    /// The folders it lies in, below the one that the user named: `odata/prip`.
    pub(super) folder: String,
    /// Its name without `.json`.
    pub(super) stem: String,
    pub(super) text: String,
    pub(super) root: Node,
}

impl OldFile {
    /// Its path below what the user named.
    pub(super) fn below(&self) -> String {
        match self.folder.as_str() {
            "" => format!("{}.json", self.stem),
            folder => format!("{folder}/{}.json", self.stem),
        }
    }
}

/// What stands at the given paths.
#[derive(Default)]
pub(super) struct Found {
    pub(super) files: Vec<OldFile>,
    /// Files that cannot be read: name, what is wrong, what to do.
    pub(super) unread: Vec<(String, String, String)>,
}

/// Reads files, and the `.json` files below folders, in the order given and, within a folder, of their
/// paths: of settings that several files have, the last one counts, and the original took them as the file
/// system gave them. Names that begin with a dot are skipped, as there.
pub(super) fn read(paths: &[PathBuf], told: &mut Told) -> Found {
    let mut found = Found::default();
    for path in paths {
        let mut files = Vec::new();
        if path.is_dir() {
            list(path, MAX_DEPTH, &mut files, &mut found);
            files.sort();
        } else {
            files.push(path.clone());
        }
        for file in files {
            add(path, &file, &mut found, told);
        }
        if path.is_dir() && found.files.is_empty() && found.unread.is_empty() {
            let message = "no `.json` file in this folder or below it".to_owned();
            let hint = "name the folders of collectors, engines, credentials and templates";
            let shown = path.display().to_string();
            found.unread.push((shown, message, hint.to_owned()));
        }
    }
    found
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, found: &mut Found) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) if depth > 0 => entries,
        Ok(_) => {
            let message = format!("more than {MAX_DEPTH} folders in each other");
            let hint = "a link among them leads back".to_owned();
            return found
                .unread
                .push((folder.display().to_string(), message, hint));
        }
        Err(error) => {
            let message = format!("cannot list the folder: {error}");
            let hint = "check its permissions".to_owned();
            return found
                .unread
                .push((folder.display().to_string(), message, hint));
        }
    };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            list(&path, depth - 1, files, found);
        } else if name.ends_with(".json") {
            files.push(path);
        }
    }
}

fn add(top: &Path, file: &Path, found: &mut Found, told: &mut Told) {
    let (name, text) = match files::read_one(file) {
        Ok(read) => read,
        Err(unread) => return found.unread.push(unread),
    };
    let (read, number) = (super::json::parse(&text), found.files.len());
    let root = match read {
        Ok(read) => {
            for (key, place) in read.overwritten {
                let message = format!("the key `{key}` stands here and again later");
                let hint = "the last one counts; remove the others";
                told.warning(number, place, message, hint);
            }
            read.root
        }
        Err(error) => {
            told.error(number, error.place, error.message, None);
            nothing()
        }
    };
    let below = file.strip_prefix(top).unwrap_or(file);
    let folder = below.parent().unwrap_or(Path::new(""));
    let stem = file.file_stem().unwrap_or_default();
    found.files.push(OldFile {
        name,
        folder: folder.to_string_lossy().into_owned(),
        stem: stem.to_string_lossy().into_owned(),
        text,
        root,
    });
}

fn nothing() -> Node {
    super::make::map(Place { line: 1, column: 1 }, Vec::new())
}
