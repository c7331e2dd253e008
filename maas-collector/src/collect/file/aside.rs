//! What becomes of a file after its ingestion. Blocks.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use maas_model::failpoint::{Failpoint, pass};
use maas_model::private;
use maas_model::secret::covered;

use super::{Broken, Done};
use crate::flow::side_file;

/// Files of one name that are kept beside each other.
const MOST_OF_A_NAME: usize = 10_000;

/// Puts a file away that is done. One that is gone already is fine: somebody wanted it so.
pub(super) fn done(file: &Path, done: &Done) -> io::Result<()> {
    pass(Failpoint::Moving);
    match done {
        Done::Keep => {}
        Done::Delete => {
            remove(&side_file(file))?;
            remove(file)?;
        }
        Done::Move(folder) => drop(move_with_side_file(file, folder)?),
    }
    pass(Failpoint::Moved);
    Ok(())
}

/// Puts a file away that cannot be read, with a report beside it.
pub(super) fn broken(file: &Path, broken: &Broken, reason: &str) -> io::Result<()> {
    let now = match broken {
        Broken::Keep => file.to_owned(),
        Broken::Move(folder) => move_with_side_file(file, folder)?,
    };
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let report = with_suffix(&now, &format!(".{seconds}.err.log"));
    let text = format!("{}\n\n{}\n", file.display(), covered(reason));
    private::write_like(&report, text.as_bytes(), &now)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn move_with_side_file(file: &Path, folder: &Path) -> io::Result<PathBuf> {
    let here = file.parent().unwrap_or(Path::new(""));
    let folder = here.join(folder);
    // A file that is put aside is as open as before: it keeps its rights, and whoever delivers files here may
    // also see what became of them.
    private::make_folder_like(&folder, here)?;
    let name = file.file_name().unwrap_or_default();
    let target = free(&folder.join(name))?;
    // The side file first: a file without it would be ingested without its facts.
    let side = side_file(file);
    if side.exists() {
        move_file(&side, &side_file(&target))?;
    }
    match move_file(file, &target) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(target),
        moved => moved.map(|()| target),
    }
}

/// A name that no file has: nothing that was put aside before is lost.
fn free(target: &Path) -> io::Result<PathBuf> {
    if !target.try_exists()? {
        return Ok(target.to_owned());
    }
    for number in 1..=MOST_OF_A_NAME {
        let next = numbered(target, number);
        if !next.try_exists()? {
            return Ok(next);
        }
    }
    Err(io::Error::new(
        ErrorKind::AlreadyExists,
        "10,000 files of this name were put aside",
    ))
}

/// The files that were moved from `file` to the folder, the last one first.
pub(super) fn moved(file: &Path, folder: &Path) -> Vec<PathBuf> {
    let folder = file.parent().unwrap_or(Path::new("")).join(folder);
    let first = folder.join(file.file_name().unwrap_or_default());
    let more = (1..=MOST_OF_A_NAME).map(|number| numbered(&first, number));
    let mut all: Vec<PathBuf> = more.take_while(|path| path.exists()).collect();
    all.insert(0, first);
    all.reverse();
    all
}

fn numbered(target: &Path, number: usize) -> PathBuf {
    with_suffix(target, &format!(".{number}"))
}

/// At once, or, on another disk, by a copy that is whole before it has its name.
fn move_file(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {}
        renamed => return renamed,
    }
    let unfinished = with_suffix(to, ".part");
    fs::copy(from, &unfinished)?;
    fs::File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, to)?;
    fs::remove_file(from)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
