//! Work in the database that somebody waits for.

use std::path::PathBuf;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::holder::Holder;
use super::route::Routes;
use super::schema;
use crate::message::BusError;

/// Work inside of the transaction; answers once that is on disk. Without a desk there is no transaction.
pub(super) type Job = Box<dyn FnOnce(Option<&mut Desk>) -> Answer + Send>;
/// Told whether the transaction is on disk.
pub(super) type Answer = Box<dyn FnOnce(Result<(), BusError>) + Send>;

/// What a job works with.
pub(super) struct Desk {
    pub(super) connection: Connection,
    pub(super) routes: Routes,
    pub(super) holder: Holder,
    pub(super) file: PathBuf,
}

/// The subscription of this number is over.
pub(super) fn forget_subscription(number: i64) -> Job {
    Box::new(move |desk| {
        if let Some(desk) = desk {
            // When it stays, one consumer too many is shown until this process ends.
            let _ = desk.connection.execute(
                "DELETE FROM subscription WHERE token = ? AND number = ?",
                rusqlite::params![desk.holder.token(), number],
            );
        }
        Box::new(|_| ())
    })
}

/// A job that answers with the result of `work`, undone when it fails.
pub(super) fn job<T: Send + 'static>(
    work: impl FnOnce(&mut Desk) -> Result<T, BusError> + Send + 'static,
    reply: oneshot::Sender<Result<T, BusError>>,
) -> Job {
    Box::new(move |desk| {
        let result = desk.map_or(Err(BusError::Closed), |desk| in_savepoint(desk, work));
        Box::new(move |committed| {
            let _ = reply.send(committed.and(result));
        })
    })
}

fn in_savepoint<T>(
    desk: &mut Desk,
    work: impl FnOnce(&mut Desk) -> Result<T, BusError>,
) -> Result<T, BusError> {
    let step = |desk: &Desk, sql: &str| {
        desk.connection
            .execute_batch(sql)
            .map_err(|source| schema::error(&desk.file, source))
    };
    step(desk, "SAVEPOINT job")?;
    let result = work(desk);
    if result.is_err() {
        step(desk, "ROLLBACK TO job")?;
    }
    step(desk, "RELEASE job")?;
    result
}
