//! The processes that work on one message each, so that it can harm nothing else.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use maas_engine::pool::contain::{Answer, Counted, Death, Isolation, Tally, Trouble};
use maas_engine::pool::{PoolContext, PoolRunner, Work};
use maas_model::pipeline::Pipeline;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::fuse::Fuse;
use crate::world::{Who, World};

/// Starts one for every suspect. They die with the process that started them.
pub(crate) struct Children {
    pub(crate) world: Arc<World>,
    pub(crate) who: Who,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) context: PoolContext,
}

impl fmt::Debug for Children {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Children of {}", self.who)
    }
}

impl Children {
    fn start(&self, pool: &str, fuse: Fuse) -> Result<PoolRunner, Trouble> {
        let unavailable = |reason: String| Trouble::Unavailable(reason);
        let fails = {
            let mut state = self.world.state();
            let rate = state.faults.child_missing;
            state.dice.hits(rate)
        };
        if fails {
            return Err(unavailable("told to".to_owned()));
        }
        let pool = self.pipeline.pools.iter().find(|known| known.name == pool);
        let pool = pool.ok_or_else(|| unavailable("no such pool".to_owned()))?;
        fuse.under(|| PoolRunner::build(pool, self.context.clone()))
            .map_err(|error| unavailable(error.to_string()))
    }

    /// Some die of something else than their message.
    async fn accident(&self) {
        let after = {
            let mut state = self.world.state();
            let rate = state.faults.child_dies;
            state.dice.hits(rate).then(|| state.dice.below(100))
        };
        match after {
            Some(millis) => sleep(Duration::from_millis(millis)).await,
            None => pending().await,
        }
    }

    fn death(&self, how: &str) -> Trouble {
        let who = self.who;
        self.world
            .state()
            .say(format_args!("a child of {who} dies: {how}"));
        Trouble::Died(Death {
            how: how.to_owned(),
            engine: Some("GATHER".to_owned()),
            last_words: String::new(),
        })
    }
}

#[async_trait]
impl Isolation for Children {
    async fn work(&self, pool: &str, work: Work<'_>) -> Result<Answer, Trouble> {
        let died = Arc::new(Notify::new());
        let child = self.start(pool, Fuse::Alone(Arc::clone(&died)))?;
        let processed = tokio::select! {
            biased;
            () = died.notified() => return Err(self.death("of a reading")),
            () = self.accident() => return Err(self.death("by accident")),
            processed = child.run_once(work) => processed,
        };
        Ok(Answer {
            verdict: processed.verdict,
            tally: Tally::of(&child.stats()),
            counted: Counted::new(),
            outcomes: processed.outcomes,
        })
    }
}
