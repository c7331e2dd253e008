//! What a declared field accepts, as OpenSearch's mapping would have it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{Source, parse_date};
use crate::model::{Field, FieldType};
use crate::store::{Kinds, WriteOutcome};

/// Lucene's limit for one term, in bytes.
const LONGEST_KEYWORD: usize = 32_766;

/// Lists and objects within each other: what can be written can be read again.
const DEEPEST_SOURCE: usize = 100;

/// The part of a [`Field`] that decides what is accepted and how it is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rule {
    kind: FieldType,
    /// Values that do not fit are kept and not looked at: `ignore_malformed`, a date `format` of its
    /// own, `ignore_above`, or `enabled: false`.
    #[serde(default)]
    lenient: bool,
    #[serde(default)]
    members: BTreeMap<String, Rule>,
}

/// Why a document is refused.
struct Fault {
    field: String,
    reason: String,
}

pub(super) fn rules(fields: &IndexMap<String, Field>) -> BTreeMap<String, Rule> {
    let rule = |field: &Field| Rule {
        kind: field.kind,
        lenient: is_lenient(field),
        members: rules(&field.fields),
    };
    fields
        .iter()
        .map(|(name, field)| (name.clone(), rule(field)))
        .collect()
}

pub(super) fn kinds(rules: &BTreeMap<String, Rule>) -> Kinds {
    fn declare(prefix: &str, rules: &BTreeMap<String, Rule>, kinds: &mut Kinds) {
        for (name, rule) in rules {
            let path = format!("{prefix}{name}");
            declare(&format!("{path}."), &rule.members, kinds);
            kinds.insert(path, rule.kind);
        }
    }
    let mut kinds = Kinds::default();
    declare("", rules, &mut kinds);
    kinds
}

/// `Some` refusal when a value does not fit its declared field, or the document is nested too deep.
pub(super) fn refusal(
    rules: Option<&BTreeMap<String, Rule>>,
    source: &Source,
) -> Option<WriteOutcome> {
    let too_deep = source
        .iter()
        .find(|(_, value)| !is_shallow(value, DEEPEST_SOURCE));
    if let Some((field, _)) = too_deep {
        return Some(WriteOutcome::Refused {
            field: Some(field.clone()),
            reason: format!("it is nested deeper than {DEEPEST_SOURCE} levels"),
        });
    }
    let fault = check_members(rules?, source).err()?;
    Some(WriteOutcome::Refused {
        field: Some(fault.field),
        reason: fault.reason,
    })
}

fn is_lenient(field: &Field) -> bool {
    let parameter = |name: &str| field.parameters.get(name);
    parameter("ignore_malformed") == Some(&Value::Bool(true))
        || parameter("enabled") == Some(&Value::Bool(false))
        || parameter("format").is_some()
        || parameter("ignore_above").is_some()
}

fn is_shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_shallow(item, levels - 1)),
        Value::Object(members) => {
            levels > 0
                && members
                    .values()
                    .all(|member| is_shallow(member, levels - 1))
        }
        _ => true,
    }
}

fn check_members(rules: &BTreeMap<String, Rule>, source: &Source) -> Result<(), Fault> {
    source
        .iter()
        .try_for_each(|(name, value)| match rules.get(name) {
            Some(rule) => check(rule, value).map_err(|fault| fault.under(name)),
            None => Ok(()),
        })
}

fn check(rule: &Rule, value: &Value) -> Result<(), Fault> {
    match (rule.kind, value) {
        (_, Value::Null) => Ok(()),
        _ if rule.lenient => Ok(()),
        (FieldType::GeoPoint | FieldType::GeoShape, Value::Number(_) | Value::Bool(_)) => {
            Err(Fault::of(rule, value))
        }
        (FieldType::GeoPoint | FieldType::GeoShape, _) => Ok(()),
        (_, Value::Array(items)) => items.iter().try_for_each(|item| check(rule, item)),
        (FieldType::Object | FieldType::Nested, Value::Object(members)) => {
            check_members(&rule.members, members)
        }
        _ if accepts(rule.kind, value) => Ok(()),
        _ => Err(Fault::of(rule, value)),
    }
}

fn accepts(kind: FieldType, value: &Value) -> bool {
    match kind {
        FieldType::Keyword => match value {
            Value::String(text) => text.len() <= LONGEST_KEYWORD,
            value => is_scalar(value),
        },
        FieldType::Text => is_scalar(value),
        FieldType::Date => match value {
            Value::String(text) => crate::store::is_stored_date(text) || parse_date(value).is_ok(),
            value => value.is_i64(),
        },
        FieldType::Long => fits(value, i64::MIN as f64, i64::MAX as f64),
        FieldType::Integer => fits(value, i32::MIN.into(), i32::MAX.into()),
        FieldType::Short => fits(value, i16::MIN.into(), i16::MAX.into()),
        FieldType::Byte => fits(value, i8::MIN.into(), i8::MAX.into()),
        FieldType::Double => fits(value, f64::MIN, f64::MAX),
        FieldType::Float => fits(value, f32::MIN.into(), f32::MAX.into()),
        FieldType::HalfFloat => fits(value, -65_504.0, 65_504.0),
        FieldType::Boolean => match value {
            Value::String(text) => matches!(text.as_str(), "true" | "false" | ""),
            value => value.is_boolean(),
        },
        FieldType::Ip => value
            .as_str()
            .is_some_and(|text| text.parse::<IpAddr>().is_ok()),
        FieldType::Binary => value.is_string(),
        FieldType::Object | FieldType::Nested => value.is_object(),
        FieldType::GeoPoint | FieldType::GeoShape => true,
    }
}

/// A number, or a text that is one; an empty text counts as null, as it does for OpenSearch.
fn fits(value: &Value, least: f64, most: f64) -> bool {
    let number = match value {
        Value::String(text) if text.is_empty() => return true,
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    };
    number.is_some_and(|number: f64| (least..=most).contains(&number))
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

impl Fault {
    fn of(rule: &Rule, value: &Value) -> Self {
        let kind = serde_json::to_value(rule.kind).unwrap_or_default();
        let mut shown: String = value.to_string().chars().take(80).collect();
        if shown.len() < value.to_string().len() {
            shown.push('…');
        }
        Self {
            field: String::new(),
            reason: format!(
                "a field of type `{}` cannot take `{shown}`",
                kind.as_str().unwrap_or_default()
            ),
        }
    }

    fn under(mut self, name: &str) -> Self {
        self.field = if self.field.is_empty() {
            name.to_owned()
        } else {
            format!("{name}.{}", self.field)
        };
        self
    }
}
