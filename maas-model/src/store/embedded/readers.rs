//! Connections for reading, lent to blocking threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task;

use super::connection::{failure, open};
use crate::store::StoreError;

/// Reads at a time; more wait. SQLite reads are CPU work, more than a few threads bring nothing.
const MOST_READERS: usize = 4;

/// A pool of connections, opened when first needed.
#[derive(Debug)]
pub(super) struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            idle: Mutex::default(),
            permits: Semaphore::new(MOST_READERS),
        }
    }

    /// Runs `read` on a blocking thread, in one read transaction: it sees one state of all tables.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.permits.acquire().await.map_err(|_| self.closed())?;
        let readers = Arc::clone(self);
        task::spawn_blocking(move || readers.read_now(read))
            .await
            .map_err(|error| StoreError::Refused {
                endpoint: self.file.display().to_string(),
                reason: format!("the reading thread ended: {error}"),
            })?
    }

    /// Closes the idle connections and lends no more.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle().clear();
    }

    fn read_now<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open(&self.file)?,
        };
        let answer = connection
            .transaction()
            .and_then(|transaction| read(&transaction))
            .map_err(|error| failure(&self.file, error));
        if !self.permits.is_closed() {
            self.idle().push(connection);
        }
        answer
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> StoreError {
        StoreError::Refused {
            endpoint: self.file.display().to_string(),
            reason: "the store is closed".to_owned(),
        }
    }
}
