//! Whether the records that an extractor makes become documents of the model.

use super::report::{At, Pin, Reports};
use super::{Interface, StoreSpec};
use crate::document::IdFields;
use crate::plugin::{self, suggestion};

/// What the collector adds to each record before its id is made.
const FROM_THE_FILE: [&str; 2] = ["reportName", "reportFolder"];
/// What it adds before the index is chosen.
const AT_INGESTION: &str = "ingestionTime";

/// Refuses an id, a partition or a side file of fields that no record has, where the extractor tells
/// which it makes; warns of fields that the model does not declare.
pub(super) fn check(interface: &Interface, at: &At, reports: &mut Reports) {
    let (Some(extract), Some(store)) = (&interface.extract, &interface.store) else {
        return;
    };
    let yields =
        plugin::find("extractor", &extract.name).and_then(|info| (info.yields)(&extract.settings));
    let Some(yields) = yields else { return };
    let mut records = Records {
        fields: &yields,
        store,
        reports,
    };
    records.undeclared(&at.below("extract").below(&extract.name).below("fields"));
    records.id(&at.below("store").below("id"));
    records.partition(&at.below("store").below("model"));
    let meta_at = at.below("store_meta");
    for (index, field) in interface.store_meta.iter().enumerate() {
        records.made(field, &[AT_INGESTION], &meta_at.item(index));
    }
}

struct Records<'a> {
    /// What the extractor makes.
    fields: &'a [String],
    store: &'a StoreSpec,
    reports: &'a mut Reports,
}

impl Records<'_> {
    fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|known| known == field) || FROM_THE_FILE.contains(&field)
    }

    fn undeclared(&mut self, at: &At) {
        let model = &self.store.model;
        for field in self.fields.iter().filter(|field| !model.declares(field)) {
            let message = format!("`{}` does not declare the field `{field}`", model.name);
            let near = plugin::nearest(field, model.fields.keys().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it under `models.{}.fields`", model.name),
            };
            let at = at.below(field);
            self.reports.warning(&at, Pin::Key, message, Some(hint));
        }
    }

    fn id(&mut self, at: &At) {
        match &self.store.id {
            IdFields::Field(field) => self.made(field, &[], at),
            IdFields::Digest(fields) => {
                for (index, field) in fields.iter().enumerate() {
                    self.made(field, &[], &at.item(index));
                }
            }
        }
    }

    /// A field named at `at` that must be in the records, or be one of `added`.
    fn made(&mut self, field: &str, added: &[&str], at: &At) {
        // One that is not even declared was told.
        if self.has(field) || added.contains(&field) || !self.store.model.declares(field) {
            return;
        }
        let known = self.fields.iter().map(String::as_str);
        let hint = suggestion(field, known.chain(FROM_THE_FILE));
        let message = format!("no record has the field `{field}`: `extract` does not make it");
        self.reports.error(at, Pin::Value, message, hint);
    }

    /// The index of a document is named by the values of these fields.
    fn partition(&mut self, at: &At) {
        let model = &self.store.model;
        let partition = model
            .partition
            .iter()
            .flat_map(|partition| &partition.fields);
        for field in partition {
            if self.has(field) || field == AT_INGESTION {
                continue;
            }
            let message = format!(
                "`{}` is partitioned by `{field}`, which no record has: `extract` does not make it",
                model.name
            );
            let hint = Some(format!("add `{field}` to the fields of the extractor"));
            self.reports.error(at, Pin::Value, message, hint);
        }
    }
}
