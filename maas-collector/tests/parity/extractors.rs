//! `extractors`: old configurations over files: records, ids, documents, indices.

use std::ops::ControlFlow;
use std::path::Path;

use maas_collector::extract::legacy::translate;
use maas_collector::extract::{BadRecord, ExtractorPlugin, Input, Origin, RecordSink};
use maas_model::document::{IdFields, Source, same};
use maas_model::model::{FieldType, Model, ModelSpec};
use serde_json::{Map, Value, json};

use crate::cases::{self, Score};

#[test]
fn old_configurations_give_the_same_records_and_documents() {
    let Some(folder) = cases::folder() else {
        return;
    };
    let folder = folder.join("extractors");
    let deviations = cases::deviations("extractors");
    let mut files: Vec<_> = std::fs::read_dir(folder.join("cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut score = Score::default();
    for file in files {
        let case: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let name = case["case"].as_str().unwrap();
        let mut result = check(&folder, &case, &case);
        if let (Err(_), Some(alternate)) = (&result, case.get("alternate")) {
            let mut other = case.clone();
            for (key, value) in alternate.as_object().unwrap() {
                other[key] = value.clone();
            }
            result = check(&folder, &other, &other);
        }
        score.add(name, result, deviations.get(name));
    }
    score.end();
}

fn check(folder: &Path, case: &Value, expected: &Value) -> Result<(), String> {
    let extractor = translate(&case["config"]["extractor"])
        .map_err(|error| error.to_string())
        .and_then(|translation| {
            let plugin = ExtractorPlugin::find(translation.plugin).unwrap();
            plugin
                .build(&translation.settings)
                .map_err(|errors| format!("{errors:?}"))
        });
    let extractor = match (extractor, expected.get("construct_error")) {
        (Err(_), Some(_)) => return Ok(()),
        (Err(error), None) => match expected.get("record_error") {
            // Found out when the file is read there, when the settings are read here.
            Some(_) if expected["records"].as_array().is_some_and(Vec::is_empty) => return Ok(()),
            _ => return Err(error),
        },
        (Ok(_), Some(error)) => return Err(format!("built in spite of {error}")),
        (Ok(extractor), None) => extractor,
    };
    let path = folder.join(case["input"].as_str().unwrap());
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut found = Found::default();
    let input = Input {
        path: &path,
        name: &name,
        folder: case["report_folder"].as_str(),
    };
    if extractor.extract(&input, &mut found).is_err() {
        // There such a file is parsed as a whole, before its first record.
        let parsed_first = expected["records"].as_array().is_some_and(Vec::is_empty);
        if parsed_first && expected.get("record_error").is_some() {
            return Ok(());
        }
        found.records.push(None);
    }
    // It logs what it cannot read and goes on.
    if case["config"]["extractor"]["class"] == "EDRSApsExtractor" {
        found.records.retain(Option::is_some);
    }
    records_agree(&found, expected)?;
    ids_and_documents_agree(&found, case, expected)
}

/// Records in order; `None` for what went wrong.
#[derive(Default)]
struct Found {
    records: Vec<Option<Source>>,
}

impl RecordSink for Found {
    fn record(&mut self, record: Source, _origin: &Origin<'_>) -> ControlFlow<()> {
        self.records.push(Some(record));
        ControlFlow::Continue(())
    }

    fn bad(&mut self, _bad: BadRecord) -> ControlFlow<()> {
        self.records.push(None);
        ControlFlow::Continue(())
    }
}

fn records_agree(found: &Found, expected: &Value) -> Result<(), String> {
    let Some(wanted) = expected["records"].as_array() else {
        return Ok(());
    };
    for (number, wanted) in wanted.iter().enumerate() {
        let found = found.records.get(number).and_then(Option::as_ref);
        let found = found.ok_or_else(|| format!("record {number} is not there"))?;
        agree(&Value::Object(found.clone()), wanted)
            .map_err(|error| format!("record {number}: {error}"))?;
    }
    let next = found.records.get(wanted.len());
    match (next, expected.get("record_error")) {
        (None, None) => Ok(()),
        // There the file ends; here its neighbours go on.
        (Some(None), Some(_)) => Ok(()),
        (next, error) => Err(format!("{next:?} follows instead of {error:?}")),
    }
}

fn ids_and_documents_agree(found: &Found, case: &Value, expected: &Value) -> Result<(), String> {
    let id = match &case["config"]["id_field"] {
        Value::String(field) => IdFields::Field(field.clone()),
        Value::Array(fields) => IdFields::Digest(
            fields
                .iter()
                .filter_map(|f| f.as_str().map(str::to_owned))
                .collect(),
        ),
        _ => return Ok(()),
    };
    let model = match (&case["model"], expected.get("model_error")) {
        (Value::Null, _) => None,
        (spec, None) => Some(model(spec)?),
        (spec, Some(error)) => match model(spec) {
            Err(_) => return Ok(()),
            Ok(_) => return Err(format!("the model is accepted in spite of {error}")),
        },
    };
    for (number, record) in found.records.iter().enumerate() {
        let Some(record) = record else { continue };
        let wanted = &expected["ids"][number];
        let id = id
            .id_of(record)
            .map(|id| Value::from(id.as_str()))
            .map_err(|e| e.to_string());
        // A number of the record is the text of the id.
        let wanted = match wanted {
            Value::Number(number) => &Value::from(number.to_string()),
            wanted => wanted,
        };
        outcome_agrees(&id, wanted).map_err(|error| format!("id {number}: {error}"))?;
        if let (Some(model), Ok(_)) = (&model, &id) {
            let mut record = record.clone();
            if let Some(folder) = case["report_folder"].as_str() {
                record.insert("reportFolder".into(), folder.into());
            }
            let (document, index) = document(model, &record, expected);
            outcome_agrees(&document, &expected["documents"][number])
                .map_err(|error| format!("document {number}: {error}"))?;
            if document.is_ok() && index != expected["index"][number] {
                let wanted = &expected["index"][number];
                return Err(format!(
                    "document {number}: index {index} instead of {wanted}"
                ));
            }
        }
    }
    Ok(())
}

fn model(spec: &Value) -> Result<Model, String> {
    let mut fields = Map::new();
    for field in spec["fields"].as_array().unwrap() {
        let kind = field["type"].as_str().unwrap();
        let name = kind
            .char_indices()
            .fold(String::new(), |mut name, (at, c)| {
                if c.is_uppercase() && at > 0 {
                    name.push('_');
                }
                name.extend(c.to_lowercase());
                name
            });
        FieldType::from_name(&name).ok_or_else(|| format!("unknown type {kind}"))?;
        fields.insert(field["name"].as_str().unwrap().to_owned(), name.into());
    }
    let field = spec["partition_field"].as_str().unwrap_or("ingestionTime");
    let format = spec["partition_format"].as_str().unwrap_or("%Y");
    let spec: ModelSpec = serde_json::from_value(json!({
        "index": spec["index"], "raw": true, "fields": fields,
        "partition": {"field": field, "format": format},
    }))
    .map_err(|error| error.to_string())?;
    spec.build("Case").map_err(|errors| format!("{errors:?}"))
}

fn document(model: &Model, record: &Source, expected: &Value) -> (Result<Value, String>, Value) {
    let mut source = record.clone();
    if let Err(errors) = model.coerce(&mut source) {
        return (Err(format!("{errors:?}")), Value::Null);
    }
    source.insert("ingestionTime".into(), expected["ingestion_time"].clone());
    match model.index_of(&source) {
        Err(error) => (Err(error.to_string()), Value::Null),
        Ok(index) => {
            source.shift_remove("ingestionTime");
            (Ok(source.into()), index.as_str().into())
        }
    }
}

fn outcome_agrees(found: &Result<Value, String>, wanted: &Value) -> Result<(), String> {
    match (found, wanted.get("$error")) {
        (Err(_), Some(_)) => Ok(()),
        (Ok(found), None) => agree(found, wanted),
        (found, _) => Err(format!("{found:?} instead of {wanted}")),
    }
}

fn agree(found: &Value, wanted: &Value) -> Result<(), String> {
    let wanted = plain(wanted);
    let mut found = plain(found);
    forget_volatile(&mut found, &wanted);
    if same(&found, &wanted) {
        Ok(())
    } else {
        Err(format!("{found} instead of {wanted}"))
    }
}

/// What changes there with every run only has to be there.
fn forget_volatile(found: &mut Value, wanted: &Value) {
    let (Value::Object(found), Value::Object(wanted)) = (found, wanted) else {
        return;
    };
    for (name, wanted) in wanted {
        if (wanted.get("$volatile").is_some() || wanted == "$volatile")
            && let Some(found) = found.get_mut(name)
        {
            found.clone_from(wanted);
        }
    }
}

/// Dates of the recording as the texts that stand for them here.
fn plain(wanted: &Value) -> Value {
    match wanted {
        Value::Object(fields) => match fields.get("$datetime").or_else(|| fields.get("$date")) {
            Some(text) => text.clone(),
            None => fields
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect(),
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}
