//! Where a message is worked on that may end its process.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use maas_model::ledger::Outcomes;
use serde::{Deserialize, Serialize};

use super::Tally;
use crate::pool::{Verdict, Work};

/// Works on one message at a time where nothing else can be hurt: in another process.
#[async_trait]
pub trait Isolation: Debug + Send + Sync {
    /// Does what the pool itself would do, up to the settlement. A call that is dropped ends the work.
    async fn work(&self, pool: &str, work: Work<'_>) -> Result<Answer, Trouble>;
}

/// What the other process says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What becomes of the message.
    pub verdict: Verdict,
    /// What the work adds to the counters of the pool.
    pub tally: Tally,
    /// What it adds to the metric of documents.
    pub counted: Counted,
    /// What came of the documents that the message names.
    pub outcomes: Outcomes,
}

/// Documents by engine and by what came of them.
pub type Counted = BTreeMap<String, BTreeMap<String, u64>>;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The process ended with the message in hand.
    Died(Death),
    /// There is no such process, for reasons that are not the message's.
    Unavailable(String),
}

/// How a process ended that had one message in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// `signal 6 (SIGABRT)`, `exit code 3`, `stopped after 30 s: it did not answer`.
    pub how: String,
    /// The engine that was running.
    pub engine: Option<String>,
    /// What it wrote to standard error before.
    pub last_words: String,
}
