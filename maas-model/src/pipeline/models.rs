//! From the `models` section to [`Model`]s.

use std::sync::Arc;

use indexmap::IndexMap;

use super::report::{Pin, Reports};
use super::sections::Entry;
use super::text::{FieldText, ModelText, PartitionText};
use crate::document::IndexName;
use crate::model::{Field, FieldType, Model, Models, Partition};
use crate::plugin::suggestion;

/// What every collected document has beside its own fields.
const RAW_FIELDS: [(&str, FieldType); 3] = [
    ("reportName", FieldType::Keyword),
    ("reportFolder", FieldType::Keyword),
    ("ingestionTime", FieldType::Date),
];

pub(super) fn build(sections: &[(String, Entry<ModelText>)], reports: &mut Reports) -> Models {
    let mut models = Models::new();
    for (name, entry) in sections {
        if models.contains_key(name) {
            let hint = Some("models of all files share one space of names".to_owned());
            reports.error(
                &entry.at,
                Pin::Key,
                format!("there are two models `{name}`"),
                hint,
            );
        } else if let Some(model) = model(name, entry, reports) {
            models.insert(name.clone(), Arc::new(model));
        }
    }
    models
}

fn model(name: &str, entry: &Entry<ModelText>, reports: &mut Reports) -> Option<Model> {
    let Entry { at, text } = entry;
    let mut declared = fields(&text.fields);
    if text.raw {
        for (name, kind) in RAW_FIELDS {
            declared.entry(name.to_owned()).or_insert_with(|| Field {
                kind,
                parameters: serde_json::Map::new(),
                fields: IndexMap::new(),
            });
        }
    }
    let alias = IndexName::new(text.index.as_str());
    if let Err(error) = &alias {
        reports.error(&at.below("index"), Pin::Value, error.to_string(), None);
    }
    let partition = text
        .partition
        .as_ref()
        .map(|text| partition(text, &declared, entry, reports));
    Some(Model {
        name: name.to_owned(),
        alias: alias.ok()?,
        fields: declared,
        partition,
        settings: text.settings.clone(),
    })
}

fn fields(texts: &IndexMap<String, FieldText>) -> IndexMap<String, Field> {
    let field = |text: &FieldText| match text {
        FieldText::Kind(kind) => Field {
            kind: *kind,
            parameters: serde_json::Map::new(),
            fields: IndexMap::new(),
        },
        FieldText::Full(full) => Field {
            kind: full.kind,
            parameters: full.parameters.clone(),
            fields: fields(&full.fields),
        },
    };
    texts
        .iter()
        .map(|(name, text)| (name.clone(), field(text)))
        .collect()
}

fn partition(
    text: &PartitionText,
    declared: &IndexMap<String, Field>,
    entry: &Entry<ModelText>,
    reports: &mut Reports,
) -> Partition {
    let at = entry.at.below("partition");
    let names: Vec<(String, &String)> = match &text.field {
        Some(field) => vec![("field".to_owned(), field)],
        None => {
            let path = |index: usize| format!("fields[{index}]");
            text.fields
                .iter()
                .enumerate()
                .map(|(index, field)| (path(index), field))
                .collect()
        }
    };
    if text.field.is_some() != text.fields.is_empty() {
        let hint = Some("`field: NAME` for one, `fields: [NAME, ...]` for several".to_owned());
        reports.error(
            &at,
            Pin::Key,
            "exactly one of `field` and `fields` is wanted",
            hint,
        );
    }
    for (path, field) in &names {
        if !declared.contains_key(*field) {
            let hint = suggestion(field, declared.keys().map(String::as_str));
            reports.error(
                &at.below(path),
                Pin::Value,
                format!("unknown field `{field}`"),
                hint,
            );
        }
    }
    Partition {
        fields: names.into_iter().map(|(_, field)| field.clone()).collect(),
        format: text.format.clone(),
    }
}
