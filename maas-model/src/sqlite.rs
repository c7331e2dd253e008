//! What the embedded store and the embedded bus have in common.

use std::error::Error;
use std::time::Duration;

use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

/// How long a call waits for another process that writes, before it says so and is tried again.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the opening of a file waits: nobody tries that again, and a process that stands still for a while
/// with the file locked must not end one that begins.
pub(crate) const OPEN_TIMEOUT: Duration = Duration::from_secs(60);

/// An error of the library as the source of ours. A disk that has no room for the file beside the database is an
/// "I/O error" to SQLite.
pub(crate) fn source(error: rusqlite::Error) -> Box<dyn Error + Send + Sync> {
    match error.sqlite_error() {
        Some(known) if known.extended_code == SQLITE_IOERR_SHMSIZE => {
            format!("the disk is full ({error})").into()
        }
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_said_to_be_full() {
        let full = rusqlite::ffi::Error::new(SQLITE_IOERR_SHMSIZE);
        let said = source(rusqlite::Error::SqliteFailure(full, None)).to_string();
        assert!(said.starts_with("the disk is full"), "{said}");
        let other = source(rusqlite::Error::InvalidQuery).to_string();
        assert!(!other.contains("full"), "{other}");
    }
}
