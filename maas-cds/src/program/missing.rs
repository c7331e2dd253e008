//! Plugins that a pipeline names and this program does not have, as they are told.

use std::collections::BTreeMap;

use maas_model::pipeline::Pipeline;
use serde::Serialize;
use serde_json::json;

use super::output::Rows;

/// A plugin that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Missing {
    kind: &'static str,
    name: String,
    /// How often the pipeline names it.
    uses: usize,
    /// Where it does so first.
    place: String,
}

/// Every missing plugin once, by kind and name.
pub(crate) fn counts(pipeline: &Pipeline) -> Vec<Missing> {
    let mut missing: BTreeMap<(&str, &str), Missing> = BTreeMap::new();
    let uses = pipeline.missing();
    for used in &uses {
        let known = missing.entry((used.kind, &used.plugin.name));
        let entry = known.or_insert_with(|| Missing {
            kind: used.kind,
            name: used.plugin.name.clone(),
            uses: 0,
            place: used.plugin.place.clone(),
        });
        entry.uses += 1;
    }
    missing.into_values().collect()
}

/// A table of them under a line that says what they are.
pub(crate) fn table(missing: &[Missing]) -> String {
    let mut rows = Rows::new(["not available", "name", "uses", "first named in"]);
    for Missing {
        kind,
        name,
        uses,
        place,
    } in missing
    {
        rows.push([json!(kind), json!(name), json!(uses), json!(place)]);
    }
    rows.table()
}
