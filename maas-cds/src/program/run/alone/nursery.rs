//! The children of a run: made when the first suspect comes, kept for the next ones.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use maas_engine::pool::contain::{Answer, Isolation, Trouble};
use maas_engine::pool::{Verdict, Work};

use super::process::{Gone, Process};
use super::wire::Order;

/// The children that wait for a message, by pool. There are never more of a pool than it works on suspects at a
/// time; each ends by itself when it has nothing to do.
#[derive(Debug, Default)]
pub(crate) struct Nursery {
    waiting: Mutex<HashMap<String, Vec<Process>>>,
}

impl Nursery {
    fn waiting(&self) -> MutexGuard<'_, HashMap<String, Vec<Process>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, pool: &str) -> Option<Process> {
        self.waiting().get_mut(pool)?.pop()
    }

    fn keep(&self, pool: &str, process: Process) {
        let mut waiting = self.waiting();
        waiting.entry(pool.to_owned()).or_default().push(process);
    }

    /// The answer, and whether the child may be used again: its engines have seen nothing bad.
    async fn ask(&self, pool: &str, mut process: Process, order: &Order) -> Result<Answer, Gone> {
        let answer = process.work(order).await?;
        if answer.verdict == Verdict::Done {
            self.keep(pool, process);
        }
        Ok(answer)
    }
}

#[async_trait]
impl Isolation for Nursery {
    async fn work(&self, pool: &str, work: Work<'_>) -> Result<Answer, Trouble> {
        let order = Order::of(work);
        // One that waited may have ended meanwhile.
        while let Some(process) = self.take(pool) {
            match self.ask(pool, process, &order).await {
                Err(Gone::Before(_)) => {}
                other => return other.map_err(trouble),
            }
        }
        let started = Process::start(pool).await;
        let process = started.map_err(|error| trouble(Gone::Before(error)))?;
        self.ask(pool, process, &order).await.map_err(trouble)
    }
}

fn trouble(gone: Gone) -> Trouble {
    match gone {
        Gone::With(death) => Trouble::Died(death),
        Gone::Before(error) => Trouble::Unavailable(format!("no process of its own: {error:#}")),
        Gone::Ended(how) => Trouble::Unavailable(format!("its process was stopped: {how}")),
    }
}
