//! Which process holds a lease, and whether it is still alive.
//!
//! Every open bus holds a lock on a file of its own, named by its token. The kernel lets go of the lock
//! when the process ends in any way, so a dead holder is known at once, and one that merely hangs, sleeps
//! or lives through a jump of the clock keeps what it has. A heartbeat could promise neither.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::private;

/// This process (more exactly: this open bus) as a holder of leases.
#[derive(Debug)]
pub(super) struct Holder {
    token: String,
    file: PathBuf,
    // Held locked as long as the bus is open.
    _lock: File,
}

impl Holder {
    /// Takes the lock of a new token. The token must be locked before it is seen in the database.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let token = uuid::Uuid::new_v4().to_string();
        let file = lock_file(folder, &token);
        let lock = private::create(&file)?;
        lock.lock()?;
        Ok(Self {
            token,
            file,
            _lock: lock,
        })
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Makes this holder known to other processes.
    pub(super) fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute("INSERT INTO process VALUES(?)", [&self.token])?;
        Ok(())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // When it stays it is removed with the next dead holder.
        let _ = fs::remove_file(&self.file);
    }
}

fn lock_file(folder: &Path, token: &str) -> PathBuf {
    folder.join(format!("bus-{token}.lock"))
}

/// The other holders in the database whose process is gone.
pub(super) fn dead(
    connection: &Connection,
    folder: &Path,
    own: &str,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT token FROM process WHERE token <> ?")?;
    let tokens: Vec<String> = statement
        .query_map([own], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(tokens
        .into_iter()
        .filter(|token| is_dead(&lock_file(folder, token)))
        .collect())
}

fn is_dead(file: &Path) -> bool {
    match File::open(file) {
        Ok(lock) => match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Gives back what a holder had, and forgets it: each of its messages may be what it died of.
pub(super) fn release(connection: &Connection, token: &str) -> rusqlite::Result<usize> {
    let returned = connection.execute(
        "UPDATE message SET state = 0, holder = NULL, redelivered = max(redelivered, 1) + 1
         WHERE state = 1 AND holder = ?1",
        [token],
    )?;
    connection.execute("DELETE FROM subscription WHERE token = ?", [token])?;
    connection.execute("DELETE FROM process WHERE token = ?", [token])?;
    Ok(returned)
}

/// Removes the lock file of a dead holder.
pub(super) fn forget(folder: &Path, token: &str) {
    let _ = fs::remove_file(lock_file(folder, token));
}

/// Gives back what dead processes had.
pub(super) fn reap(connection: &Connection, folder: &Path, own: &str) -> rusqlite::Result<()> {
    for token in dead(connection, folder, own)? {
        let messages = release(connection, &token)?;
        forget(folder, &token);
        if messages > 0 {
            tracing::warn!(
                messages,
                "a process ended with messages in hand, they are delivered again"
            );
        }
    }
    Ok(())
}
