//! A model as it is written in YAML, and its checks.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::partition::{Piece, integer_format, is_date_format, pieces};
use super::{Field, FieldType, Model, Partition};
use crate::document::IndexName;
use crate::plugin::SettingError;

/// One kind of document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// The alias over all its indices, and the prefix of their names.
    pub index: String,
    /// How documents are spread over indices; absent: one index with the name of the alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionSpec>,
    /// Whether it is collected: adds `reportName`, `reportFolder` and `ingestionTime`.
    #[serde(default)]
    pub raw: bool,
    /// The declared fields. Documents may have further ones, which are stored as they are.
    #[serde(default)]
    pub fields: IndexMap<String, FieldSpec>,
    /// Settings of each index: `number_of_shards`, `number_of_replicas`, ...
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Value>,
}

/// What makes the suffix of the index name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionSpec {
    /// The one field that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The fields that make it, when they are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// For one date field a strftime format, `%Y` by default (without `%` it is literal: one index); else a
    /// template: `{mission}-{day:%Y}`, `{orbit:03}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// A field: the name of its type, or an object with `type`, `fields` and further mapping parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FieldSpec {
    /// `keyword`
    Type(String),
    /// `{ type: geo_shape, ignore_malformed: true }`
    Full(FullFieldSpec),
}

/// A field with parameters or members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FullFieldSpec {
    /// The name of its type.
    #[serde(rename = "type", default = "object")]
    pub kind: String,
    /// The members of an object.
    #[serde(
        default,
        alias = "properties",
        skip_serializing_if = "IndexMap::is_empty"
    )]
    pub fields: IndexMap<String, FieldSpec>,
    /// Further mapping parameters, given to the store as they are: `format`, `ignore_malformed`.
    #[serde(flatten)]
    pub parameters: Map<String, Value>,
}

/// In a mapping a field that has members needs no type.
fn object() -> String {
    FieldType::Object.name().to_owned()
}

impl<'de> Deserialize<'de> for FieldSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By hand, for an untagged enum only says that no variant fits.
        match Value::deserialize(deserializer)? {
            Value::String(kind) => Ok(Self::Type(kind)),
            full @ Value::Object(_) => FullFieldSpec::deserialize(full)
                .map(Self::Full)
                .map_err(serde::de::Error::custom),
            other => Err(serde::de::Error::custom(format!(
                "a field is the name of a type or an object with `type`, not `{other}`"
            ))),
        }
    }
}

impl JsonSchema for FieldSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldSpec".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let name = generator.subschema_for::<FieldType>();
        let members = generator.subschema_for::<IndexMap<String, FieldSpec>>();
        schemars::json_schema!({
            "description": "The name of a type, or an object with `type`, `fields` and further mapping parameters.",
            "anyOf": [
                name,
                {
                    "type": "object",
                    "properties": { "type": name, "fields": members, "properties": members },
                },
            ],
        })
    }
}

impl ModelSpec {
    /// Checks everything and gives the model. All errors, with their paths below the model.
    pub fn build(&self, name: &str) -> Result<Model, Vec<SettingError>> {
        let mut errors = Vec::new();
        let mut fields = build_fields(&self.fields, "fields", &mut errors);
        if self.raw {
            for (field, kind) in [
                ("reportName", FieldType::Keyword),
                ("reportFolder", FieldType::Keyword),
                ("ingestionTime", FieldType::Date),
            ] {
                fields
                    .entry(field.to_owned())
                    .or_insert_with(|| Field::new(kind));
            }
        }
        let alias = IndexName::new(self.index.as_str());
        if let Err(refused) = &alias {
            errors.push(error("index", refused.to_string(), None));
        }
        let partition = self.partition.as_ref();
        let partition = partition.and_then(|spec| spec.build(&fields, &mut errors));
        match alias {
            Ok(alias) if errors.is_empty() => Ok(Model {
                name: name.to_owned(),
                alias,
                fields,
                partition,
                settings: self.settings.clone(),
            }),
            _ => Err(errors),
        }
    }
}

fn build_fields(
    specs: &IndexMap<String, FieldSpec>,
    path: &str,
    errors: &mut Vec<SettingError>,
) -> IndexMap<String, Field> {
    let mut fields = IndexMap::new();
    for (name, spec) in specs {
        let path = format!("{path}.{name}");
        let (kind, kind_path, mut field) = match spec {
            FieldSpec::Type(kind) => (kind, path.clone(), Field::new(FieldType::Object)),
            FieldSpec::Full(full) => {
                let mut field = Field::new(FieldType::Object);
                field.parameters = full.parameters.clone();
                field.fields = build_fields(&full.fields, &format!("{path}.fields"), errors);
                (&full.kind, format!("{path}.type"), field)
            }
        };
        match FieldType::from_name(kind) {
            Some(known) if !known.is_object() && !field.fields.is_empty() => errors.push(error(
                &path,
                format!("a `{known}` has no members"),
                Some("only `object` and `nested` have `fields`".to_owned()),
            )),
            Some(known) => {
                field.kind = known;
                fields.insert(name.clone(), field);
            }
            None => {
                let names: Vec<&str> = FieldType::ALL.into_iter().map(FieldType::name).collect();
                let hint = format!("the types are {}", names.join(", "));
                errors.push(error(
                    &kind_path,
                    format!("unknown type `{kind}`"),
                    Some(hint),
                ));
            }
        }
    }
    fields
}

impl PartitionSpec {
    fn build(
        &self,
        declared: &IndexMap<String, Field>,
        errors: &mut Vec<SettingError>,
    ) -> Option<Partition> {
        let before = errors.len();
        let fields = match (&self.field, self.fields.as_slice()) {
            (Some(field), []) => vec![field.clone()],
            (None, fields @ [_, ..]) => fields.to_vec(),
            _ => {
                let message = "a partition has either `field` or `fields`".to_owned();
                errors.push(error("partition", message, None));
                return None;
            }
        };
        let path = if self.field.is_some() {
            "partition.field"
        } else {
            "partition.fields"
        };
        let mut kinds: Kinds = BTreeMap::new();
        for field in &fields {
            match kind_of(declared, field) {
                Ok(kind) => {
                    kinds.insert(field.clone(), kind);
                }
                Err((message, hint)) => errors.push(error(path, message, Some(hint.to_owned()))),
            }
        }
        if errors.len() > before {
            return None;
        }
        let format = match (&self.format, fields.as_slice()) {
            (Some(format), _) => format.clone(),
            (None, [field]) if kinds.get(field.as_str()) == Some(&FieldType::Date) => {
                "%Y".to_owned()
            }
            (None, fields) => fields
                .iter()
                .map(|field| format!("{{{field}}}"))
                .collect::<Vec<_>>()
                .join("-"),
        };
        let partition = Partition { fields, format };
        if let Err(message) = check_format(&partition, &kinds) {
            errors.push(error("partition.format", message, None));
            return None;
        }
        Some(partition)
    }
}

/// The types of the partition fields.
type Kinds = BTreeMap<String, FieldType>;

fn kind_of(
    declared: &IndexMap<String, Field>,
    field: &str,
) -> Result<FieldType, (String, &'static str)> {
    use FieldType::{Byte, Date, Integer, Keyword, Long, Short};
    let found = declared.get(field).map(|field| field.kind);
    match found {
        Some(kind @ (Date | Keyword | Long | Integer | Short | Byte)) => Ok(kind),
        // The collector and the pool set them in every document.
        None if matches!(field, "ingestionTime" | "updateTime") => Ok(Date),
        Some(kind) => Err((
            format!("`{field}` is a `{kind}`"),
            "a partition field is a date, a keyword or a whole number",
        )),
        None => Err((
            format!("unknown field `{field}`"),
            "declare it under `fields`, or take `ingestionTime`",
        )),
    }
}

fn check_format(partition: &Partition, kinds: &Kinds) -> Result<(), String> {
    let check = |field: &str, kind: FieldType, format: &str| match kind {
        FieldType::Date if format.is_empty() => Err(format!(
            "`{field}` is a date and wants a format: `{{{field}:%Y-%m}}`"
        )),
        FieldType::Date if !is_date_format(format) => Err(format!("`{format}` is no date format")),
        FieldType::Date => Ok(()),
        FieldType::Keyword if format.contains('%') => Err(format!(
            "`{field}` is a keyword, and `{format}` is a date format"
        )),
        _ => Ok(()),
    };
    if !partition.is_template() {
        let field = partition.fields.first().map_or("", String::as_str);
        let kind = kinds.get(field).copied().unwrap_or(FieldType::Keyword);
        return check(field, kind, &partition.format);
    }
    let mut used = 0;
    for piece in pieces(&partition.format)? {
        let Piece::Field(field, format) = piece else {
            continue;
        };
        used += 1;
        let kind = kinds
            .get(field)
            .ok_or_else(|| format!("`{field}` is not among the partition fields"))?;
        match kind {
            FieldType::Keyword if !format.is_empty() => {
                return Err(format!("`{field}` is a keyword and takes no format"));
            }
            FieldType::Keyword | FieldType::Date => {}
            _ if !format.is_empty() && integer_format(format).is_none() => {
                return Err(format!("`{format}` is no number format; try `03`"));
            }
            _ => {}
        }
        check(field, *kind, format)?;
    }
    if used == 0 {
        return Err(format!("`{}` names no field", partition.format));
    }
    Ok(())
}

fn error(path: &str, message: String, hint: Option<String>) -> SettingError {
    SettingError {
        path: path.to_owned(),
        message,
        hint,
    }
}

#[cfg(test)]
mod tests;
