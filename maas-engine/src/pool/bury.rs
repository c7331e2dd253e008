//! What of a message can never be done becomes a dead letter; the rest goes on.

use std::collections::{BTreeSet, HashSet};

use maas_model::document::DocumentId;
use maas_model::pipeline::MissingInput;
use maas_model::planted;
use tokio::time::Instant;

use super::chain::{Chain, Step};
use super::dead::Grave;
use super::plan::Key;
use super::reason::{document_refused, engine_failed, missing_documents};
use super::run::Run;
use super::verdict::Stop;
use crate::engine::{Batch, Change, Failure};

/// A document that the store will never take.
pub(super) struct Refusal {
    pub(super) key: Key,
    pub(super) reason: String,
    /// What it was made from; none: all of the message.
    pub(super) inputs: Vec<DocumentId>,
}

impl Run<'_> {
    /// Inputs that the engine could not use, each once.
    pub(super) fn bury_failures(&mut self, step: &Step, failures: Vec<Failure>) {
        let known: HashSet<DocumentId> = self
            .graves
            .iter()
            .filter_map(|grave| grave.input_of(&step.id).cloned())
            .collect();
        for failure in failures
            .into_iter()
            .filter(|failure| !known.contains(&failure.id))
        {
            let reason = engine_failed(step, failure.reason);
            self.graves.push(Grave::input(reason, vec![failure.id]));
        }
    }

    pub(super) fn bury_missing(&mut self, chain: &Chain) {
        let missing: Vec<DocumentId> = self.session.missing().cloned().collect();
        self.shared.stats.missing.add(missing.len());
        let bury = |step: &Step| step.missing == MissingInput::DeadLetter;
        if !missing.is_empty() && chain.steps.iter().any(bury) {
            let reason = missing_documents(missing.len());
            self.graves.push(Grave::input(reason, missing));
        }
    }

    /// Documents that the store refused become dead letters. Their content went with the write, so it
    /// is computed again: refusals are rare, and a copy of every document would cost every message.
    pub(super) async fn bury_refused(
        &mut self,
        step: &Step,
        refused: Vec<Refusal>,
    ) -> Result<(), Stop> {
        planted!(IgnoreARefusal, return Ok(()));
        if refused.is_empty() {
            return Ok(());
        }
        let all = refused.iter().any(|refusal| refusal.inputs.is_empty());
        let inputs: BTreeSet<&DocumentId> = refused.iter().flat_map(|r| &r.inputs).collect();
        let ids = &self.message.document_ids;
        let named = ids.iter().filter(|id| all || inputs.contains(id));
        let batch = Batch {
            repetition: 1,
            ..self.batch_of(named.cloned().collect())
        };
        let mut changes = self.compute(step, &batch, Instant::now()).await?.changes;
        for refusal in refused {
            let Refusal { key, inputs, .. } = &refusal;
            let same =
                |change: &Change| (&change.document.index, &change.document.id) == (&key.0, &key.1);
            let reason = document_refused(step, key, &refusal.reason);
            let inputs = inputs.clone();
            self.graves.push(match changes.iter().position(same) {
                Some(place) => Grave::document(reason, changes.swap_remove(place).document, inputs),
                None => Grave::input(reason, inputs),
            });
        }
        Ok(())
    }
}
