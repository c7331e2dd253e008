//! Whether the fields that `AGGREGATE` names are there, and of a type that it can work with.

use maas_model::model::{FieldType, Model};
use maas_model::plugin::SettingError;
use maas_model::store::{Group, MeasureKind, Query};

use super::AggregateConfig;
use crate::engine::BuildContext;

/// The id can be asked for and counted like a field.
const ID: &str = "_id";

/// What is wrong with the fields of the documents that are summed up.
pub(super) fn read(
    config: &AggregateConfig,
    source: &Model,
    cx: &BuildContext<'_>,
) -> Vec<SettingError> {
    let mut errors = Vec::new();
    let asked = config.query.iter().flat_map(Query::fields);
    for path in asked.filter(|path| *path != ID) {
        errors.extend(cx.field("query", source, path).err());
    }
    for (index, group) in config.groups.iter().enumerate() {
        let setting = |kind| format!("groups[{index}].by.{kind}.field");
        errors.extend(match &group.by {
            Group::Terms { field } => cx.field(&setting("terms"), source, field).err(),
            Group::DateHistogram { field, .. } => {
                let setting = setting("date_histogram");
                wrong_kind(cx, &setting, source, field, "a date", is_date)
            }
        });
    }
    for (index, measure) in config.measures.iter().enumerate() {
        let setting = format!("measures[{index}].field");
        errors.extend(match measure.kind {
            MeasureKind::Cardinality if measure.field == ID => None,
            MeasureKind::Cardinality => cx.field(&setting, source, &measure.field).err(),
            _ => wrong_kind(
                cx,
                &setting,
                source,
                &measure.field,
                "a number or a date",
                |kind| kind.is_number() || is_date(kind),
            ),
        });
    }
    errors
}

/// What is wrong with the fields of the summaries.
pub(super) fn written(
    config: &AggregateConfig,
    target: &Model,
    cx: &BuildContext<'_>,
) -> Vec<SettingError> {
    let list = |key: &str, index: usize| format!("{key}[{index}].name");
    let groups = config.groups.iter().enumerate();
    let groups = groups.map(|(index, group)| (list("groups", index), &group.name));
    let measures = config.measures.iter().enumerate();
    let measures = measures.map(|(index, measure)| (list("measures", index), &measure.name));
    groups
        .chain(measures)
        .chain([("count".to_owned(), &config.count)])
        .filter_map(|(setting, field)| cx.field(&setting, target, field).err())
        .collect()
}

fn is_date(kind: FieldType) -> bool {
    kind == FieldType::Date
}

fn wrong_kind(
    cx: &BuildContext<'_>,
    setting: &str,
    model: &Model,
    path: &str,
    wanted: &str,
    fits: impl Fn(FieldType) -> bool,
) -> Option<SettingError> {
    let kind = match cx.field(setting, model, path) {
        Ok(field) => field.kind,
        Err(error) => return Some(error),
    };
    // An object without declared members may have anything in it.
    (!kind.is_object() && !fits(kind)).then(|| {
        let message = format!("`{}` declares `{path}` as `{kind}`", model.name);
        SettingError::new(setting, message).hint(format!("name {wanted}"))
    })
}
