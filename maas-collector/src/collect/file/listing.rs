//! What lies in the folders. Blocks.

use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use globset::{GlobBuilder, GlobMatcher};
use maas_model::plugin::SettingError;

use super::{Broken, Done, FileConfig};
use crate::collect::RawItem;
use crate::flow::SIDE_FILE;

/// Deepest folder below a path: a loop of links would be deeper.
const DEEPEST: usize = 32;
/// Longer patterns are refused: each bracket in one becomes some hundred states of a machine.
const LONGEST_GLOB: usize = 1_024;
const UNFINISHED: [&str; 3] = [".part", ".tmp", ".filepart"];

/// Where to look and for what.
#[derive(Debug)]
pub(super) struct Listing {
    places: Vec<Place>,
    pattern: GlobMatcher,
    recursive: bool,
    settle: Duration,
    /// Folders that hold what was put aside.
    aside: Vec<PathBuf>,
}

/// A path of the settings: the folder that is certain, and the glob below it when there is one.
#[derive(Debug)]
struct Place {
    root: PathBuf,
    glob: Option<GlobMatcher>,
    depth: usize,
}

/// What one look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Oldest first, then by name.
    pub(super) items: Vec<RawItem>,
    /// How long until the next one has settled.
    pub(super) unsettled: Option<Duration>,
    /// Folders that cannot be read.
    pub(super) troubles: Vec<String>,
}

impl Listing {
    pub(super) fn new(config: &FileConfig, base: &Path) -> Result<Self, Vec<SettingError>> {
        let mut errors = Vec::new();
        let mut wrong = |path: String, message: String| {
            errors.push(SettingError {
                path,
                message,
                hint: None,
            });
        };
        let mut places = Vec::new();
        for (number, path) in config.paths.iter().enumerate() {
            match Place::new(path, base) {
                Ok(place) => places.push(place),
                Err(reason) => wrong(format!("paths[{number}]"), reason),
            }
        }
        let pattern =
            glob(&config.pattern, false).map_err(|reason| wrong("pattern".into(), reason));
        let mut aside = Vec::new();
        if let Done::Move(folder) = &config.done {
            aside.push(folder.clone());
        }
        if let Broken::Move(folder) = &config.broken {
            aside.push(folder.clone());
        }
        match pattern {
            Ok(pattern) if errors.is_empty() => Ok(Self {
                places,
                pattern,
                recursive: config.recursive,
                settle: Duration::from_secs(config.settle_seconds),
                aside,
            }),
            _ => Err(errors),
        }
    }

    /// Looks everywhere once.
    pub(super) fn look(&self) -> Found {
        let mut found = Found::default();
        let mut files = Vec::new();
        for place in &self.places {
            self.look_at(
                place,
                &place.root,
                0,
                place.glob.is_none(),
                &mut files,
                &mut found,
            );
        }
        files.sort_by(|(a_time, a), (b_time, b)| {
            (a_time, &a.name, &a.path).cmp(&(b_time, &b.name, &b.path))
        });
        files.dedup_by(|(_, a), (_, b)| a.path == b.path);
        found.items = files.into_iter().map(|(_, item)| item).collect();
        found
    }

    /// `inside`: the path was reached, everything below counts.
    fn look_at(
        &self,
        place: &Place,
        path: &Path,
        depth: usize,
        inside: bool,
        files: &mut Vec<(SystemTime, RawItem)>,
        found: &mut Found,
    ) {
        let metadata = match path.metadata() {
            Ok(metadata) => metadata,
            // It was moved between the listing and the look.
            Err(_) if depth > 0 => return,
            Err(error) => {
                let trouble = format!("`{}`: {error}", path.display());
                return found.troubles.push(trouble);
            }
        };
        let matched = inside || place.glob.as_ref().is_some_and(|glob| glob.is_match(path));
        if metadata.is_file() {
            if matched {
                self.consider(path, &metadata, files, found);
            }
            return;
        }
        let allowed = match (matched, inside) {
            (false, _) => depth < place.depth,
            // The folder itself was named: its files count, folders within it only when asked for.
            (true, false) => true,
            (true, true) => depth == 0 || self.recursive,
        };
        if !allowed || depth > DEEPEST || (depth > 0 && self.is_aside(path)) {
            return;
        }
        match std::fs::read_dir(path) {
            Ok(entries) => {
                for entry in entries.flatten() {
                    self.look_at(place, &entry.path(), depth + 1, matched, files, found);
                }
            }
            Err(error) => found
                .troubles
                .push(format!("`{}`: {error}", path.display())),
        }
    }

    fn is_aside(&self, path: &Path) -> bool {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        hidden
            || self
                .aside
                .iter()
                .any(|folder| path.ends_with(folder) || path == folder)
    }

    fn consider(
        &self,
        path: &Path,
        metadata: &Metadata,
        files: &mut Vec<(SystemTime, RawItem)>,
        found: &mut Found,
    ) {
        let Some(name) = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            return;
        };
        if is_skipped(&name) || !self.pattern.is_match(&name) {
            return;
        }
        let changed = metadata.modified().unwrap_or(UNIX_EPOCH);
        // A time of change in the future (a clock of another host) says nothing: it is taken.
        let age = SystemTime::now()
            .duration_since(changed)
            .unwrap_or(Duration::MAX);
        if age < self.settle {
            let rest = self.settle - age;
            let soonest = found.unsettled.map_or(rest, |other| other.min(rest));
            found.unsettled = Some(soonest);
            return;
        }
        files.push((changed, item(path, name, metadata, changed)));
    }
}

/// The item that stands for a file as it is now.
pub(crate) fn item(path: &Path, name: String, metadata: &Metadata, changed: SystemTime) -> RawItem {
    let time = changed
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    RawItem {
        key: format!("{}|{}|{time}", path.display(), metadata.len()),
        name,
        folder: path.parent().map(|folder| folder.display().to_string()),
        path,
    }
}

fn is_skipped(name: &str) -> bool {
    name.starts_with('.')
        || UNFINISHED.iter().any(|end| name.ends_with(end))
        || name.ends_with(".err.log")
        || name.ends_with(SIDE_FILE)
}

impl Place {
    fn new(path: &str, base: &Path) -> Result<Self, String> {
        if path.is_empty() {
            return Err("it is empty".into());
        }
        let mut root = base.to_owned();
        let mut rest = PathBuf::new();
        for part in Path::new(path).components() {
            let text = part.as_os_str().to_string_lossy();
            let wild = matches!(part, Component::Normal(_)) && text.contains(['*', '?', '[']);
            if wild || !rest.as_os_str().is_empty() {
                rest.push(part);
            } else {
                root.push(part);
            }
        }
        if rest.as_os_str().is_empty() {
            return Ok(Self {
                root,
                glob: None,
                depth: 0,
            });
        }
        let depth = rest.components().count();
        let whole = format!("{}/{}", escaped(&root.to_string_lossy()), rest.display());
        Ok(Self {
            root,
            glob: Some(glob(&whole, true)?),
            depth,
        })
    }
}

/// A path in which nothing is a wildcard.
fn escaped(path: &str) -> String {
    path.chars()
        .map(|c| match c {
            '*' | '?' | '[' => format!("[{c}]"),
            c => c.to_string(),
        })
        .collect()
}

/// `separator`: whether `*` stops at `/`.
pub(crate) fn glob(pattern: &str, separator: bool) -> Result<GlobMatcher, String> {
    if pattern.len() > LONGEST_GLOB {
        return Err(format!("it is longer than {LONGEST_GLOB} bytes"));
    }
    // Braces mean nothing in these patterns.
    let pattern: String = pattern
        .chars()
        .map(|c| match c {
            '{' => "[{]".to_owned(),
            '}' => "[}]".to_owned(),
            c => c.to_string(),
        })
        .collect();
    GlobBuilder::new(&pattern)
        .literal_separator(separator)
        .backslash_escape(false)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| error.to_string())
}
