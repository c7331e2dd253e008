//! Files and folders that nobody but their owner may read: everything that MaaS makes for itself.
//!
//! Documents, messages and reports hold what not everybody on a machine is to see, so no other account gets a
//! right, whatever the umask says. What is there already keeps its rights; [`open_to_others`] finds it.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Rights of a folder: its owner's alone.
const FOLDER: u32 = 0o700;
/// Rights of a file: its owner's alone.
const FILE: u32 = 0o600;

/// Makes a folder, and those above it that are missing.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    make_folder_with(folder, FOLDER)
}

/// Makes a folder, and those above it that are missing, with the rights of `like`: for what is as open as that,
/// and is only moved.
pub fn make_folder_like(folder: &Path, like: &Path) -> io::Result<()> {
    let rights = like.metadata().map_or(FOLDER, |like| rights(&like));
    make_folder_with(folder, rights | FOLDER)
}

/// Opens a file at its end; makes it when it is missing.
pub fn append(file: &Path) -> io::Result<File> {
    open(file, FILE, OpenOptions::new().create(true).append(true))
}

/// Makes a file, or empties it.
pub fn create(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    open(file, FILE, options.create(true).write(true).truncate(true))
}

/// Makes a file that must not be there yet.
pub fn create_new(file: &Path) -> io::Result<File> {
    open(file, FILE, OpenOptions::new().create_new(true).write(true))
}

/// Writes a file with the rights of `like`, which it tells of.
pub fn write_like(file: &Path, bytes: &[u8], like: &Path) -> io::Result<()> {
    // Without the right to be run.
    let rights = like.metadata().map_or(FILE, |like| rights(&like) & 0o666);
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true);
    open(file, rights | FILE, &mut options)?.write_all(bytes)
}

/// A folder or file on which others have rights, and these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Which one.
    pub path: PathBuf,
    /// As `chmod` takes them: `0755`.
    pub rights: String,
}

/// Of a folder and the files in it: those on which others have rights. Nothing where there is no folder.
pub fn open_to_others(folder: &Path) -> io::Result<Vec<Open>> {
    let mut found = Vec::new();
    look(folder, &mut found)?;
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                look(&entry?.path(), &mut found)?;
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(found)
}

fn look(path: &Path, found: &mut Vec<Open>) -> io::Result<()> {
    let metadata = match path.symlink_metadata() {
        // A lock file goes when its process does.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    let rights = rights(&metadata);
    if !metadata.is_symlink() && rights & 0o077 != 0 {
        found.push(Open {
            path: path.to_owned(),
            rights: format!("{rights:04o}"),
        });
    }
    Ok(())
}

#[cfg(unix)]
fn make_folder_with(folder: &Path, rights: u32) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new()
        .recursive(true)
        .mode(rights)
        .create(folder)
}

#[cfg(unix)]
fn open(file: &Path, rights: u32, options: &mut OpenOptions) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(rights).open(file)
}

#[cfg(unix)]
fn rights(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

// Elsewhere a file has the rights of the folder that it is in.

#[cfg(not(unix))]
fn make_folder_with(folder: &Path, _rights: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

#[cfg(not(unix))]
fn open(file: &Path, _rights: u32, options: &mut OpenOptions) -> io::Result<File> {
    options.open(file)
}

#[cfg(not(unix))]
fn rights(_metadata: &Metadata) -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn rights_of(path: &Path) -> u32 {
        rights(&path.metadata().unwrap())
    }

    #[test]
    fn what_is_made_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/b");
        make_folder(&data).unwrap();
        append(&data.join("1")).unwrap();
        create(&data.join("2")).unwrap();
        create_new(&data.join("3")).unwrap();
        for path in ["a", "a/b", "a/b/1", "a/b/2", "a/b/3"] {
            let rights = rights_of(&folder.path().join(path));
            assert_eq!(rights & 0o077, 0, "{path}: {rights:o}");
        }
        assert_eq!(open_to_others(&data).unwrap(), []);
        assert!(create_new(&data.join("3")).is_err());
    }

    #[test]
    fn what_tells_of_another_is_no_more_open_than_that() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        write_like(&folder.path().join("report"), b"x", &file).unwrap();
        let report = rights_of(&folder.path().join("report"));
        assert_eq!(report & !0o640, 0, "{report:o}");
        write_like(&folder.path().join("other"), b"x", Path::new("nowhere")).unwrap();
        assert_eq!(rights_of(&folder.path().join("other")), 0o600);
    }

    #[test]
    fn what_others_may_read_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.sqlite");
        create(&file).unwrap();
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&file, open).unwrap();
        let found = open_to_others(folder.path()).unwrap();
        let expected = Open {
            path: file,
            rights: "0644".to_owned(),
        };
        assert!(found.contains(&expected), "{found:?}");
        assert_eq!(open_to_others(Path::new("nowhere")).unwrap(), []);
    }
}
