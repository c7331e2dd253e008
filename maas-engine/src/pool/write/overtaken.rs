//! Documents that are made from what is no longer so.
//!
//! Who read newer inputs may have been faster, and may have found that nothing is to be changed: then no version
//! tells who comes later with what was made from older ones. So inputs are looked at twice. Before a stored
//! document is replaced, so that what is right is not replaced by what is known to be old: who does that may die
//! before it is repaired, and may have lost its message to somebody who is done with it. And after it: who changes
//! an input later than that works on what was written. What is created needs no look, it is in conflict then.

use std::collections::HashSet;
use std::sync::Arc;

use maas_model::document::{Document, DocumentId, IndexName};
use maas_model::planted;

use super::select::{Pending, Target};
use crate::pool::run::{Rest, Run, Stage};
use crate::pool::verdict::Stop;
use crate::pool::wait::Patience;

/// Inputs as they were read, by what they were read from.
pub(super) type Seen = Vec<(IndexName, Vec<Arc<Document>>)>;

impl Run<'_> {
    /// What the changes that replace stored documents were made from. To be asked for before they are written:
    /// what was written is forgotten.
    pub(super) fn seen_by(&self, pending: &[Pending]) -> Seen {
        let replacing = || pending.iter().filter(|pending| pending.replaces());
        if replacing().next().is_none() {
            return Vec::new();
        }
        let of_all = replacing().any(|pending| pending.target.inputs.is_empty());
        let inputs: HashSet<&DocumentId> = match of_all {
            true => HashSet::new(),
            false => replacing().flat_map(|p| &p.target.inputs).collect(),
        };
        self.session.seen(&inputs)
    }

    /// Leaves out changes of stored documents whose inputs are no longer as they were seen; these are run again.
    pub(super) async fn leave_overtaken(
        &self,
        stage: &mut Stage<'_>,
        rest: &mut Rest,
        pending: Vec<Pending>,
        seen: &Seen,
    ) -> Result<Vec<Pending>, Stop> {
        planted!(TrustOldInputs, return Ok(pending));
        let overtaken = self.overtaken(stage, seen, &[]).await?;
        if overtaken.is_empty() {
            return Ok(pending);
        }
        let (old, still): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .partition(|pending| pending.replaces() && pending.target.follows(&overtaken));
        for Pending { target, .. } in old {
            stage.plan.undone(&target.key);
            rest.again(target.inputs);
        }
        Ok(still)
    }

    /// Has documents that took the place of stored ones made again when their inputs are no longer as they were
    /// seen.
    pub(super) async fn repeat_overtaken(
        &self,
        stage: &Stage<'_>,
        rest: &mut Rest,
        seen: &Seen,
    ) -> Result<(), Stop> {
        let replaced = std::mem::take(&mut rest.replaced);
        planted!(TrustOldInputs, return Ok(()));
        if replaced.is_empty() {
            return Ok(());
        }
        let overtaken = self.overtaken(stage, seen, &replaced).await?;
        if overtaken.is_empty() {
            return Ok(());
        }
        let old = replaced
            .into_iter()
            .filter(|target| target.follows(&overtaken));
        old.for_each(|target| rest.again(target.inputs));
        Ok(())
    }

    /// The inputs that are no longer as they were seen, but for those that were replaced by this run.
    async fn overtaken(
        &self,
        stage: &Stage<'_>,
        seen: &Seen,
        replaced: &[Target],
    ) -> Result<HashSet<DocumentId>, Stop> {
        let ours: HashSet<(&IndexName, &DocumentId)> = replaced
            .iter()
            .map(
                |Target {
                     key: (index, id), ..
                 }| (index, id),
            )
            .collect();
        let mut overtaken = HashSet::new();
        for (alias, seen) in seen {
            let seen: Vec<&Arc<Document>> = seen
                .iter()
                .filter(|seen| !ours.contains(&(&seen.index, &seen.id)))
                .filter(|seen| !ours.contains(&(alias, &seen.id)))
                .collect();
            let ids: Vec<DocumentId> = seen.iter().map(|document| document.id.clone()).collect();
            if ids.is_empty() {
                continue;
            }
            let mut patience = Patience::of_a_message();
            let found = loop {
                match self.shared.reads.store.get_many(alias, &ids).await {
                    Ok(found) => break found,
                    Err(error) => self.wait(&mut patience, error, &stage.step.id).await?,
                }
            };
            for (seen, found) in seen.iter().zip(found) {
                if found.is_none_or(|found| found.version != seen.version) {
                    overtaken.insert(seen.id.clone());
                }
            }
        }
        Ok(overtaken)
    }
}
