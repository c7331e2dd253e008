//! A store that fails as stores do.

use std::sync::Arc;

use async_trait::async_trait;
use maas_collector::flow::JOURNAL_INDEX;
use maas_model::document::{Document, DocumentId, IndexName};
use maas_model::model::Model;
use maas_model::store::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOutcome,
};

use crate::source::{NO_COPY, REFUSED};
use crate::world::{State, Who, World};

/// The store as one process sees it.
#[derive(Debug, Clone)]
pub struct SimulatedStore {
    world: Arc<World>,
    who: Who,
}

impl SimulatedStore {
    /// The store of this world, for this process.
    pub fn new(world: Arc<World>, who: Who) -> Self {
        Self { world, who }
    }

    /// One call: it may not arrive, be answered late or not at all, and the process may die before it, in it
    /// and behind it. `work` is what the store does.
    async fn call<T>(
        &self,
        what: &str,
        work: impl FnOnce(&mut State, u64) -> Result<T, String>,
    ) -> Result<T, StoreError> {
        let world = &self.world;
        world.point(self.who).await;
        let slow = world.state().faults.store_slow;
        world.latency(slow).await;
        let (call, crashes, done) = {
            let mut state = world.state();
            // Who died meanwhile sends nothing.
            if state.alive.get(self.who.slot).is_none() || state.is_alive(self.who) {
                let rate = state.faults.store_unreachable;
                if state.millis() < state.store_away_until || state.dice.hits(rate) {
                    let who = self.who;
                    state.say(format_args!("{who} {what}: not reached"));
                    return Err(unreachable("it did not arrive"));
                }
                let call = state.begin_call();
                (call, state.store_crashes, Some(work(&mut state, call)))
            } else {
                (0, 0, None)
            }
        };
        world.point(self.who).await;
        let Some(done) = done else {
            return Err(unreachable("nobody asks"));
        };
        world.latency(slow).await;
        let mut state = world.state();
        let rate = state.faults.store_answer_lost;
        if state.store_crashes != crashes || state.dice.hits(rate) {
            if state.store_crashes == crashes {
                state.documents.sync(call);
            }
            let who = self.who;
            state.say(format_args!("{who} {what}: answer lost"));
            return Err(unreachable("no answer came"));
        }
        state.documents.sync(call);
        done.map_err(|reason| StoreError::Refused {
            endpoint: ENDPOINT.to_owned(),
            reason,
        })
    }
}

const ENDPOINT: &str = "simulated store";

fn unreachable(reason: &str) -> StoreError {
    StoreError::Unreachable {
        endpoint: ENDPOINT.to_owned(),
        source: reason.into(),
    }
}

fn execute(state: &mut State, who: Who, call: u64, action: WriteAction) -> WriteOutcome {
    let name = format!("{}/{}", action.index, action.id);
    // Marks of one file each that are written in part bring an old file after a newer one; see the decision.
    let (busy, unknown) = match action.index.as_str() {
        JOURNAL_INDEX => (0, 0),
        _ => (state.faults.document_busy, state.faults.document_unknown),
    };
    let unknown = state.dice.hits(unknown);
    let lost = unknown && state.dice.hits(500);
    let outcome = if lost {
        WriteOutcome::Unknown {
            reason: "not executed".to_owned(),
        }
    } else if state.dice.hits(busy) {
        WriteOutcome::Busy {
            reason: "told to".to_owned(),
        }
    } else if action.id.as_str().starts_with(REFUSED)
        || (action.id.as_str().starts_with(NO_COPY) && action.index.as_str() == "copy")
    {
        WriteOutcome::Refused {
            field: None,
            reason: "the id is not liked".to_owned(),
        }
    } else {
        let (index, id) = (action.index.clone(), action.id.clone());
        let outcome = state.documents.write(call, action);
        if let WriteOutcome::Created(_) | WriteOutcome::Updated(_) | WriteOutcome::Deleted =
            &outcome
        {
            let now = state.documents.get_many(&index, std::slice::from_ref(&id));
            state
                .oracle
                .wrote(&index, &id, now.first().and_then(Option::as_ref));
        }
        match unknown {
            true => WriteOutcome::Unknown {
                reason: format!("{outcome:?}"),
            },
            false => outcome,
        }
    };
    state.say(format_args!("{who} writes {name}: {outcome:?}"));
    outcome
}

#[async_trait]
impl DocumentStore for SimulatedStore {
    async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        self.call("get", |state, _| Ok(state.documents.get_many(index, ids)))
            .await
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        let who = self.who;
        self.call("write", |state, call| {
            let actions = actions.into_iter();
            Ok(actions
                .map(|action| execute(state, who, call, action))
                .collect())
        })
        .await
    }

    async fn search(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Vec<Document>, StoreError> {
        self.call("search", |state, _| {
            let mut found = state.documents.search(index, search)?;
            found.truncate(search.limit);
            Ok(found)
        })
        .await
    }

    async fn scan(&self, index: &IndexName, search: &Search) -> Result<Box<dyn Pages>, StoreError> {
        let mut found = self
            .call("scan", |state, _| state.documents.search(index, search))
            .await?;
        found.reverse();
        Ok(Box::new(SimulatedPages {
            store: self.clone(),
            left: found,
            size: search.limit,
        }))
    }

    async fn count(&self, index: &IndexName, query: &Query) -> Result<u64, StoreError> {
        self.call("count", |state, _| state.documents.count(index, query))
            .await
    }

    async fn aggregate(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.call("aggregate", |state, _| {
            state.documents.aggregate(index, aggregation)
        })
        .await
    }

    async fn refresh(&self, index: &IndexName) -> Result<(), StoreError> {
        let who = self.who;
        self.call("refresh", |state, _| {
            state.say(format_args!("{who} refreshes {index}"));
            state.documents.refresh(index);
            Ok(())
        })
        .await
    }

    async fn install(&self, model: &Model) -> Result<(), StoreError> {
        self.call("install", |state, _| {
            state.documents.install(model);
            Ok(())
        })
        .await
    }

    async fn indices(&self, pattern: &str) -> Result<Vec<IndexInfo>, StoreError> {
        self.call("indices", |state, _| Ok(state.documents.indices(pattern)))
            .await
    }

    async fn drop_index(&self, index: &IndexName) -> Result<(), StoreError> {
        self.call("drop", |state, _| state.documents.drop_index(index))
            .await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let installed = self
            .call("status", |state, _| Ok(state.documents.installed()))
            .await?;
        Ok(StoreStatus {
            name: ENDPOINT.to_owned(),
            version: "1".to_owned(),
            healthy: true,
            free_bytes: None,
            installed,
            detail: String::new(),
        })
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

struct SimulatedPages {
    store: SimulatedStore,
    /// Last first.
    left: Vec<Document>,
    size: usize,
}

#[async_trait]
impl Pages for SimulatedPages {
    async fn next(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        self.store.call("page", |_, _| Ok(())).await?;
        let rest = self.left.len().saturating_sub(self.size);
        let mut page = self.left.split_off(rest);
        page.reverse();
        Ok((!page.is_empty()).then_some(page))
    }
}
