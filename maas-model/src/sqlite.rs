//! What the embedded store and the embedded bus have in common.

use std::error::Error;

use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

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
