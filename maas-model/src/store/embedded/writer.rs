//! The one thread that writes: it joins the writes of concurrent callers into one transaction.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::apply::{Prepared, apply};
use super::connection::failure;
use crate::failpoint::{Failpoint, pass};
use crate::store::{StoreError, WriteOutcome};

/// Writes that wait for the thread; callers beyond wait themselves.
const QUEUED_JOBS: usize = 64;

/// Actions after which a transaction takes no further caller.
const FULL_TRANSACTION: usize = 5_000;

type Answer<T> = oneshot::Sender<rusqlite::Result<T>>;
type Call = (Vec<Prepared>, Answer<Vec<WriteOutcome>>);
type Task = Box<dyn FnOnce(&mut Connection) + Send>;

enum Job {
    Write(Call),
    Run(Task),
}

/// The way to the writing thread. The thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` once stopped.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    file: PathBuf,
}

impl Writer {
    pub(super) fn start(connection: Connection, file: PathBuf) -> std::io::Result<Self> {
        let (jobs, received) = mpsc::channel(QUEUED_JOBS);
        std::thread::Builder::new()
            .name("maas-store-writer".to_owned())
            .spawn(move || run(connection, received))?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            file,
        })
    }

    /// One outcome per action, once they are committed.
    pub(super) async fn write(
        &self,
        actions: Vec<Prepared>,
    ) -> Result<Vec<WriteOutcome>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Write((actions, answer))).await?;
        self.receive(answered).await
    }

    /// Does `task` in a transaction of its own.
    pub(super) async fn transact<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = task(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
        .await
    }

    /// Does `task` outside any transaction.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let task: Task = Box::new(move |connection| {
            // A caller that is gone wants no answer.
            let _ = answer.send(task(connection));
        });
        self.send(Job::Run(task)).await?;
        self.receive(answered).await
    }

    /// Does `task` some time, if the thread is not busy: for what only makes things faster.
    pub(super) fn run_later(
        &self,
        task: impl FnOnce(&mut Connection) + Send + 'static,
    ) -> Result<(), Busy> {
        let jobs = self.jobs().ok_or(Busy)?;
        jobs.try_send(Job::Run(Box::new(task))).map_err(|_| Busy)
    }

    /// Lets the thread end and close its connection once its jobs are done.
    pub(super) fn stop(&self) {
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs().ok_or_else(|| self.ended())?;
        jobs.send(job).await.map_err(|_| self.ended())
    }

    fn jobs(&self) -> Option<mpsc::Sender<Job>> {
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn receive<T>(
        &self,
        answered: oneshot::Receiver<rusqlite::Result<T>>,
    ) -> Result<T, StoreError> {
        answered
            .await
            .map_err(|_| self.ended())?
            .map_err(|error| failure(&self.file, error))
    }

    fn ended(&self) -> StoreError {
        StoreError::Unreachable {
            endpoint: self.file.display().to_string(),
            source: "the writing thread has ended".into(),
        }
    }
}

/// The writing thread has other work waiting.
#[derive(Debug)]
pub(super) struct Busy;

fn run(mut connection: Connection, mut jobs: mpsc::Receiver<Job>) {
    let mut held = None;
    while let Some(job) = held.take().or_else(|| jobs.blocking_recv()) {
        match job {
            Job::Run(task) => task(&mut connection),
            Job::Write(call) => {
                let mut calls = vec![call];
                held = join_waiting(&mut jobs, &mut calls);
                write(&mut connection, calls);
            }
        }
    }
    if let Err((_, error)) = connection.close() {
        error!(%error, "embedded store not closed cleanly");
    }
}

/// Takes the writes that wait already; gives back the first job that is none.
fn join_waiting(jobs: &mut mpsc::Receiver<Job>, calls: &mut Vec<Call>) -> Option<Job> {
    let mut actions: usize = calls.iter().map(|(actions, _)| actions.len()).sum();
    while actions < FULL_TRANSACTION {
        match jobs.try_recv() {
            Ok(Job::Write(call)) => {
                actions += call.0.len();
                calls.push(call);
            }
            Ok(other) => return Some(other),
            Err(_) => return None,
        }
    }
    None
}

/// All calls in one transaction; if that fails, each in its own, so that every caller learns of its
/// own failure only.
fn write(connection: &mut Connection, calls: Vec<Call>) {
    let together: Vec<&[Prepared]> = calls
        .iter()
        .map(|(actions, _)| actions.as_slice())
        .collect();
    match commit(connection, &together) {
        Ok(outcomes) => {
            for ((_, answer), outcomes) in calls.into_iter().zip(outcomes) {
                let _ = answer.send(Ok(outcomes));
            }
        }
        Err(_) => {
            for (actions, answer) in calls {
                let outcome = commit(connection, &[&actions])
                    .map(|outcomes| outcomes.into_iter().flatten().collect());
                let _ = answer.send(outcome);
            }
        }
    }
}

fn commit(
    connection: &mut Connection,
    calls: &[&[Prepared]],
) -> rusqlite::Result<Vec<Vec<WriteOutcome>>> {
    pass(Failpoint::StoreSending);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let outcomes = apply(&transaction, calls)?;
    pass(Failpoint::StoreCommitting);
    transaction.commit()?;
    pass(Failpoint::StoreAnswered);
    Ok(outcomes)
}
