//! Checks and serializes what is to be written, away from the writing thread.

use super::apply::{Prepared, PreparedOp};
use super::catalog::Catalog;

use crate::document::Source;
use crate::store::rule::refusal;
use crate::store::{WriteAction, WriteOp, WriteOutcome};

pub(super) fn prepare(actions: Vec<WriteAction>, catalog: &Catalog) -> Vec<Prepared> {
    actions
        .into_iter()
        .map(|action| Prepared {
            op: prepare_op(action.op, action.index.as_str(), catalog),
            index: action.index,
            id: action.id,
        })
        .collect()
}

fn prepare_op(op: WriteOp, index: &str, catalog: &Catalog) -> PreparedOp {
    if catalog.is_alias(index) {
        return PreparedOp::Settled(WriteOutcome::Refused {
            field: None,
            reason: format!("`{index}` is an alias: write to one of its indices"),
        });
    }
    let serialized = |source: &Source| serialize(source, index, catalog);
    match op {
        WriteOp::Create(source) => serialized(&source).map(PreparedOp::Create),
        WriteOp::Index(source, expected) => {
            serialized(&source).map(|text| PreparedOp::Index(text, expected))
        }
        WriteOp::Delete(expected) => Ok(PreparedOp::Delete(expected)),
    }
    .unwrap_or_else(PreparedOp::Settled)
}

fn serialize(source: &Source, index: &str, catalog: &Catalog) -> Result<String, WriteOutcome> {
    let rules = catalog.model_of(index).map(|model| &model.rules);
    if let Some(refused) = refusal(rules, source) {
        return Err(refused);
    }
    serde_json::to_string(source).map_err(|error| WriteOutcome::Refused {
        field: None,
        reason: error.to_string(),
    })
}
