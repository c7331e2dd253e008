//! The raw-to-consolidated flow: each raw document of a message becomes, or adds to, one document of
//! another model. What is particular to a domain is a [`Consolidate`]; the flow around it is here.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use maas_model::document::{Document, DocumentId, IndexName, Source, parse_date};
use maas_model::model::{Model, PartitionError};

use super::{
    Announcement, Batch, Change, Engine, EngineContext, EngineError, Failure, Notice, Output,
};

/// What one consolidation engine does with its raw documents. Make it an engine with [`Consolidator`].
///
/// The methods are called in their order here: `begin` once, `id` and `place` for every raw document,
/// `consolidate` for every raw document in the order of the message, `finish` once, then
/// `index_of`, `date` and `announce` for every document made. An error about one raw document costs
/// this one only; an [`EngineError`] is the whole message's.
#[async_trait]
pub trait Consolidate: Send + Sync {
    /// What one run needs beside the raw documents: the parsed names, a table of levels.
    type Run: Send + Sync;

    /// The model of the documents made.
    fn target(&self) -> &Arc<Model>;

    /// Prepares a run: reads what all raw documents need at once, refuses a class it does not know.
    /// A raw document that cannot be used is told by `id`, so keep its error in the run.
    async fn begin(
        &self,
        batch: &Batch,
        raws: &[Arc<Document>],
        cx: &mut EngineContext<'_>,
    ) -> Result<Self::Run, EngineError>;

    /// The id of the document that `raw` belongs to. Several raw documents may share one.
    fn id(&self, run: &Self::Run, raw: &Document) -> Result<DocumentId, Problem>;

    /// The one index in which this document can stand, if that is known; else all of the model are read.
    fn place(&self, _run: &Self::Run, _raw: &Document) -> Option<IndexName> {
        None
    }

    /// Puts what `raw` tells into `document`: as it is stored, with what the raw documents before this
    /// one put in, or empty (then its index is not settled yet).
    fn consolidate(
        &self,
        run: &mut Self::Run,
        raw: &Document,
        document: &mut Document,
    ) -> Result<Effect, Problem>;

    /// Completes the documents together: with reads grouped over all of them. May also add messages.
    async fn finish(
        &self,
        _run: &mut Self::Run,
        _drafts: &mut [Draft],
        _cx: &mut EngineContext<'_>,
    ) -> Result<Vec<Notice>, EngineError> {
        Ok(Vec::new())
    }

    /// The index of a new document.
    fn index_of(&self, _run: &Self::Run, document: &Document) -> Result<IndexName, PartitionError> {
        self.target().index_of(&document.source)
    }

    /// Documents whose [`date`](Self::date) is earlier are of no interest and not written.
    fn min_date(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// The date that [`min_date`](Self::min_date) is compared with: the first partition field.
    fn date(&self, document: &Document) -> Option<DateTime<Utc>> {
        let field = self.target().partition.as_ref()?.fields.first()?;
        parse_date(document.source.get(field)?).ok()
    }

    /// How the document is announced; `None`: not at all.
    fn announce(&self, run: &Self::Run, document: &Document) -> Option<Announcement>;
}

/// What came of one raw document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The document is to be written, if it changed.
    Consolidated,
    /// The raw document has nothing to say.
    Nothing,
}

/// What is wrong with one raw document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(pub String);

impl<E: Display> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// A document in the making.
#[derive(Debug)]
pub struct Draft {
    /// The document. A new one has no version, and no index of its own before the end of the flow.
    pub document: Document,
    /// As it was read; `None` for a new one.
    pub before: Option<Source>,
    /// The raw documents it was made from, in the order of the message.
    pub inputs: Vec<DocumentId>,
    used: bool,
}

/// A [`Consolidate`] as an engine.
#[derive(Debug)]
pub struct Consolidator<C>(pub C);

#[async_trait]
impl<C: Consolidate> Engine for Consolidator<C> {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let raws = cx.input(batch).await?;
        let mut run = self.0.begin(batch, &raws, cx).await?;
        let mut flow = Flow::new(&self.0);
        flow.assign(&run, raws);
        flow.fetch(cx).await?;
        flow.consolidate(&mut run).await;
        let notices = self.0.finish(&mut run, &mut flow.drafts, cx).await?;
        Ok(flow.output(&run, notices))
    }
}

/// How many raw documents are consolidated before other tasks of the thread have a turn.
const TURN: usize = 16;

/// More indices than this are read through the alias: one request instead of many.
const MOST_PLACES: usize = 10;

struct Flow<'a, C> {
    domain: &'a C,
    pairs: Vec<(Arc<Document>, usize)>,
    drafts: Vec<Draft>,
    places: Vec<Option<IndexName>>,
    failures: Vec<Failure>,
}

impl<'a, C: Consolidate> Flow<'a, C> {
    fn new(domain: &'a C) -> Self {
        Self {
            domain,
            pairs: Vec::new(),
            drafts: Vec::new(),
            places: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Gives every raw document its draft; raw documents of one id share theirs.
    fn assign(&mut self, run: &C::Run, raws: Vec<Arc<Document>>) {
        let mut known: HashMap<DocumentId, usize> = HashMap::with_capacity(raws.len());
        for raw in raws {
            let id = match self.domain.id(run, &raw) {
                Ok(id) => id,
                Err(problem) => {
                    self.fail(&raw, problem);
                    continue;
                }
            };
            let index = *known.entry(id.clone()).or_insert_with(|| {
                let alias = self.domain.target().alias.clone();
                self.places.push(self.domain.place(run, &raw));
                self.drafts.push(Draft {
                    document: Document::new(alias, id, Source::new()),
                    before: None,
                    inputs: Vec::new(),
                    used: false,
                });
                self.drafts.len() - 1
            });
            self.drafts[index].inputs.push(raw.id.clone());
            self.pairs.push((raw, index));
        }
    }

    /// Reads what is stored of the drafts: one request per index, together.
    async fn fetch(&mut self, cx: &EngineContext<'_>) -> Result<(), EngineError> {
        let alias = &self.domain.target().alias;
        let mut groups: BTreeMap<&IndexName, Vec<usize>> = BTreeMap::new();
        for (draft, place) in self.places.iter().enumerate() {
            groups
                .entry(place.as_ref().unwrap_or(alias))
                .or_default()
                .push(draft);
        }
        if groups.len() > MOST_PLACES {
            groups = BTreeMap::from([(alias, (0..self.drafts.len()).collect())]);
        }
        let reads = groups.into_iter().map(|(index, members)| {
            let drafts = &self.drafts;
            async move {
                let ids: Vec<_> = members
                    .iter()
                    .map(|&n| drafts[n].document.id.clone())
                    .collect();
                let found = cx.get_many(index, &ids).await?;
                Ok::<_, EngineError>((members, found))
            }
        });
        for (members, found) in try_join_all(reads).await? {
            for (draft, stored) in members.into_iter().zip(found) {
                if let Some(stored) = stored {
                    let draft = &mut self.drafts[draft];
                    draft.before = Some(stored.source.clone());
                    draft.document = stored;
                }
            }
        }
        Ok(())
    }

    async fn consolidate(&mut self, run: &mut C::Run) {
        for (turn, (raw, draft)) in std::mem::take(&mut self.pairs).into_iter().enumerate() {
            if turn % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            if let Err(problem) = self.add(run, &raw, draft) {
                self.fail(&raw, problem);
            }
        }
    }

    /// What a raw document put into a shared draft before it failed is taken out again.
    fn add(&mut self, run: &mut C::Run, raw: &Document, draft: usize) -> Result<(), Problem> {
        let draft = &mut self.drafts[draft];
        let shared = draft.inputs.len() > 1;
        let snapshot = shared.then(|| draft.document.source.clone());
        let mut result = self.domain.consolidate(run, raw, &mut draft.document);
        if let Ok(Effect::Consolidated) = result
            && let Err(errors) = self.domain.target().coerce(&mut draft.document.source)
        {
            result = Err(Problem(join(&errors)));
        }
        match result {
            Ok(Effect::Consolidated) => draft.used = true,
            Ok(Effect::Nothing) => {
                tracing::debug!(id = %raw.id, "nothing to consolidate");
            }
            Err(problem) => {
                if let Some(snapshot) = snapshot {
                    draft.document.source = snapshot;
                }
                return Err(problem);
            }
        }
        Ok(())
    }

    fn fail(&mut self, raw: &Document, problem: Problem) {
        self.failures.push(Failure {
            id: raw.id.clone(),
            reason: problem.0,
        });
    }

    fn output(mut self, run: &C::Run, notices: Vec<Notice>) -> Output {
        let mut changes = Vec::with_capacity(self.drafts.len());
        for mut draft in std::mem::take(&mut self.drafts) {
            if !draft.used || self.too_early(&draft.document) {
                continue;
            }
            if !draft.document.is_stored() {
                match self.domain.index_of(run, &draft.document) {
                    Ok(index) => draft.document.index = index,
                    Err(error) => {
                        let reason = error.to_string();
                        let failed = |id| Failure {
                            id,
                            reason: reason.clone(),
                        };
                        self.failures.extend(draft.inputs.into_iter().map(failed));
                        continue;
                    }
                }
            }
            let report = self.domain.announce(run, &draft.document);
            let change = Change::write(draft.document, draft.before, draft.inputs);
            changes.push(change.announced(report));
        }
        Output {
            changes,
            notices,
            failures: self.failures,
            ..Output::default()
        }
    }

    fn too_early(&self, document: &Document) -> bool {
        let Some(min) = self.domain.min_date() else {
            return false;
        };
        let early = self.domain.date(document).is_some_and(|date| date < min);
        if early {
            tracing::debug!(id = %document.id, %min, "before the date of interest");
        }
        early
    }
}

fn join<E: Display>(errors: &[E]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
