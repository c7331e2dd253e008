//! Changes that were made from what is no longer so.

use std::collections::HashSet;

use maas_model::document::DocumentId;
use maas_model::planted;

use super::select::{Pending, Target};
use crate::pool::run::{Rest, Run, Stage};
use crate::pool::verdict::Stop;
use crate::pool::wait::Patience;

impl Run<'_> {
    /// Leaves out changes of stored documents that were made from inputs which somebody has changed since they
    /// were read: who read the new input may have written the document already, before this worker read it, and
    /// its version would not tell. What is created needs no such look: it is in conflict then.
    pub(super) async fn leave_overtaken(
        &self,
        stage: &mut Stage<'_>,
        rest: &mut Rest,
        pending: Vec<Pending>,
    ) -> Result<Vec<Pending>, Stop> {
        planted!(TrustOldInputs, return Ok(pending));
        let replacing = || pending.iter().filter(|pending| pending.replaces());
        if replacing().next().is_none() {
            return Ok(pending);
        }
        let of_all = replacing().any(|pending| pending.target.inputs.is_empty());
        let inputs: HashSet<&DocumentId> = match of_all {
            true => HashSet::new(),
            false => replacing().flat_map(|p| &p.target.inputs).collect(),
        };
        let overtaken = self.overtaken(stage, &inputs).await?;
        if overtaken.is_empty() {
            return Ok(pending);
        }
        let is_old = |target: &Target| {
            target.inputs.is_empty() || target.inputs.iter().any(|id| overtaken.contains(id))
        };
        let (old, still): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .partition(|pending| pending.replaces() && is_old(&pending.target));
        for Pending { target, .. } in old {
            stage.plan.undone(&target.key);
            rest.again(target.inputs);
        }
        Ok(still)
    }

    /// The inputs among these (all of the message when there are none) that are no longer as they were read.
    async fn overtaken(
        &self,
        stage: &Stage<'_>,
        inputs: &HashSet<&DocumentId>,
    ) -> Result<HashSet<DocumentId>, Stop> {
        let mut overtaken = HashSet::new();
        for (alias, seen) in self.session.seen(inputs) {
            let ids: Vec<DocumentId> = seen.iter().map(|document| document.id.clone()).collect();
            let mut patience = Patience::of_a_message();
            let found = loop {
                match self.shared.reads.store.get_many(&alias, &ids).await {
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
