//! A pipeline as it is in the end: variables filled in, defaults added, all files together. Without secrets.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::legacy::{Section, make, yaml};
use super::plugins::named_secrets;
use super::tree::{Kind, Place};
use super::{Announce, EngineStep, Interface, Outside, Pipeline, PluginUse, Pool, Queue};
use crate::document::IdFields;
use crate::message::KeyPattern;
use crate::model::{Field, FieldSpec, FullFieldSpec, Model, ModelSpec, PartitionSpec};
use crate::plugin::{self, Segment, Shape, lookup_mut};
use crate::secret::{self, COVER, without_url_secrets};

/// A pipeline as a native file says it. References to secrets are kept, a secret that stands in a file is `***`.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective(Map<String, Value>);

impl Pipeline {
    /// The pipeline as one file that is read as the same pipeline again. Relative paths in it start where those of
    /// the pipeline do.
    pub fn effective(&self) -> Effective {
        let models = self.models.values();
        let models = models.map(|model| (model.name.clone(), model_text(model)));
        let sections = [
            ("interfaces", list(&self.interfaces, interface)),
            ("models", Value::Object(models.collect())),
            ("pools", list(&self.pools, pool)),
            ("outside", outside(&self.outside)),
        ];
        let filled = sections
            .into_iter()
            .filter(|(_, section)| !is_empty(section));
        Effective(
            filled
                .map(|(key, section)| (key.to_owned(), section))
                .collect(),
        )
    }
}

impl Effective {
    /// The same with another top-level key before all others. One that begins with `x-` means nothing to a pipeline.
    #[must_use]
    pub fn with(self, key: &str, value: Value) -> Self {
        let mut all = Map::new();
        all.insert(key.to_owned(), escaped(value));
        all.extend(self.0);
        Self(all)
    }

    /// As YAML, with a comment above.
    pub fn yaml(&self, head: &str) -> String {
        let place = Place::default();
        let sections = self.0.iter().map(|(key, value)| {
            let node = make::value(place, value.clone());
            match node.kind {
                Kind::List(items) => {
                    Section::List(key, items.into_iter().map(|item| (None, item)).collect())
                }
                Kind::Map(entries) => {
                    let entries = entries.into_iter().map(|entry| (None, entry));
                    Section::Map(key, entries.collect())
                }
                kind => {
                    let node = super::tree::Node { place, kind };
                    Section::Map(key, vec![(None, make::entry("value", node))])
                }
            }
        });
        yaml::write(head, &sections.collect::<Vec<_>>())
    }

    /// As one JSON object.
    pub fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}

fn list<T>(items: &[T], text: impl Fn(&T) -> Value) -> Value {
    items.iter().map(text).collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        other => other.is_null(),
    }
}

/// The map without what is empty.
fn compact(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let filled = fields.into_iter().filter(|(_, field)| !is_empty(field));
            Value::Object(filled.collect())
        }
        other => other,
    }
}

fn interface(interface: &Interface) -> Value {
    let extract = interface.extract.as_ref();
    let store = interface.store.as_ref().map(|store| {
        let id = match &store.id {
            IdFields::Field(field) => json!(field),
            IdFields::Digest(fields) => json!(fields),
        };
        json!({ "model": store.model.name, "id": id })
    });
    escaped_but(
        json!({
            "name": interface.name,
            "after": interface.after,
            "collect": used("collector", &interface.collect),
            "extract": extract.map(|extract| used("extractor", extract)),
            "store": store,
            "announce": announce(&interface.announce),
            "store_meta": interface.store_meta,
        }),
        &["collect", "extract"],
    )
}

fn announce(announce: &Announce) -> Value {
    compact(json!({
        "exchange": announce.exchange(),
        "documents": announce.documents,
        "files": announce.files,
        "chunk_size": announce.chunk_size.max(1),
        "priority": announce.priority,
        "collector_name": announce.collector_name,
    }))
}

fn pool(pool: &Pool) -> Value {
    escaped_but(
        json!({
            "name": pool.name,
            "concurrency": pool.concurrency,
            "prefetch": pool.prefetch,
            "report_exchange": pool.report_exchange,
            "max_tries": pool.max_tries,
            "engine_timeout_seconds": pool.engine_timeout_seconds,
            "queues": list(&pool.queues, queue),
        }),
        &["queues"],
    )
}

fn queue(queue: &Queue) -> Value {
    let mut from: IndexMap<&str, Vec<&KeyPattern>> = IndexMap::new();
    for binding in &queue.bindings {
        from.entry(binding.exchange.as_str())
            .or_default()
            .push(&binding.pattern);
    }
    let mut text = escaped_but(
        json!({ "name": queue.name, "from": from, "kind": queue.kind }),
        &[],
    );
    // A queue must say that it has none.
    text["engines"] = list(&queue.engines, step);
    text
}

fn step(step: &EngineStep) -> Value {
    let mut text = used("engine", &step.engine);
    text["report"] = json!(step.send_reports);
    text["chunk_size"] = json!(step.chunk_size);
    text["force"] = json!(step.force);
    text["missing"] = json!(step.missing);
    text
}

fn outside(outside: &Outside) -> Value {
    escaped(compact(
        json!({ "consumed": outside.consumed, "fed": outside.fed }),
    ))
}

fn model_text(model: &Model) -> Value {
    let partition = model.partition.as_ref().map(|partition| {
        let (field, fields) = match partition.fields.as_slice() {
            [field] => (Some(field.clone()), Vec::new()),
            fields => (None, fields.to_vec()),
        };
        PartitionSpec {
            field,
            fields,
            format: Some(partition.format.clone()),
        }
    });
    let spec = ModelSpec {
        index: model.alias.to_string(),
        partition,
        // Its fields are among the others.
        raw: false,
        fields: fields(&model.fields),
        settings: model.settings.clone(),
    };
    escaped(serde_json::to_value(spec).unwrap_or_default())
}

fn fields(declared: &IndexMap<String, Field>) -> IndexMap<String, FieldSpec> {
    let field = |(name, field): (&String, &Field)| (name.clone(), field_text(field));
    declared.iter().map(field).collect()
}

fn field_text(field: &Field) -> FieldSpec {
    let kind = field.kind.name().to_owned();
    if field.fields.is_empty() && field.parameters.is_empty() {
        return FieldSpec::Type(kind);
    }
    FieldSpec::Full(FullFieldSpec {
        kind,
        fields: fields(&field.fields),
        parameters: field.parameters.clone(),
    })
}

/// A plugin with its settings, the defaults of its own among them.
fn used(kind: &str, used: &PluginUse) -> Value {
    let mut settings = used.settings.clone();
    let secrets = match plugin::find(kind, &used.name) {
        Some(info) => {
            let shape = Shape::new((info.schema)());
            shape.fill_defaults(&mut settings);
            shape.secrets(&settings)
        }
        None => named_secrets(&settings),
    };
    let mut shown = without_secrets_in_urls(escaped(settings.clone()));
    for path in &secrets {
        if let (Some(place), Some(secret)) = (lookup_mut(&mut shown, path), at(&settings, path)) {
            *place = reference(secret);
        }
    }
    json!({ used.name.as_str(): shown })
}

fn at<'a>(value: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
    })
}

/// Where a secret is; of one that stands in the file nothing.
fn reference(secret: &Value) -> Value {
    match secret {
        Value::Object(fields) => match fields.get("written").and_then(Value::as_str) {
            // As it was written, so that it is read as variables again.
            Some(written) => json!(secret::shown(written)),
            None if fields.contains_key("env") || fields.contains_key("file") => {
                escaped(secret.clone())
            }
            None => json!(COVER),
        },
        Value::Null => Value::Null,
        _ => json!(COVER),
    }
}

fn without_secrets_in_urls(value: Value) -> Value {
    texts(value, &without_url_secrets)
}

/// Texts in which `${` is no variable.
fn escaped(value: Value) -> Value {
    texts(value, &|text| text.replace("${", "$${"))
}

/// The map without what is empty; what stands under `done` was escaped already.
fn escaped_but(value: Value, done: &[&str]) -> Value {
    let Value::Object(fields) = compact(value) else {
        return Value::Null;
    };
    let field = |(key, field): (String, Value)| {
        let field = match done.contains(&key.as_str()) {
            true => field,
            false => escaped(field),
        };
        (key, field)
    };
    Value::Object(fields.into_iter().map(field).collect())
}

/// The value with every text in it, but for keys, as `change` makes it.
fn texts(value: Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(&text)),
        Value::Array(items) => items.into_iter().map(|item| texts(item, change)).collect(),
        Value::Object(fields) => {
            let changed = fields
                .into_iter()
                .map(|(key, field)| (key, texts(field, change)));
            Value::Object(changed.collect())
        }
        other => other,
    }
}
