//! Our queries in the words of OpenSearch.

use serde_json::{Map, Value, json};

use super::field::{Field, Fields};
use crate::store::evaluate::{Class, Scalar};
use crate::store::{Order, Query, Sort};

/// Most values that one `terms` takes (`index.max_terms_count`).
const MOST_TERMS: usize = 65_536;

/// The query, for fields of the kinds told.
pub(super) fn query(query: &Query, fields: &Fields) -> Value {
    match query {
        Query::All => json!({ "match_all": {} }),
        Query::Term { field, value } => terms(&fields.get(field), std::slice::from_ref(value)),
        Query::Terms { field, values } => terms(&fields.get(field), values),
        Query::Range {
            field,
            gt,
            gte,
            lt,
            lte,
        } => range(
            &fields.get(field),
            [("gt", gt), ("gte", gte), ("lt", lt), ("lte", lte)],
        ),
        Query::Prefix { field, value } => prefix(&fields.get(field), value),
        // Here alone a star would stand for any name.
        Query::Exists { field } if field.contains('*') => nothing(),
        // Of the path itself: `.keyword` lacks texts that are too long for it.
        Query::Exists { field } => json!({ "exists": { "field": field } }),
        Query::Ids(ids) => json!({ "ids": { "values": ids } }),
        Query::And(parts) => json!({ "bool": { "filter": all(parts, fields) } }),
        Query::Or(parts) if parts.is_empty() => nothing(),
        Query::Or(parts) => any(all(parts, fields)),
        Query::Not(part) => json!({ "bool": { "must_not": [self::query(part, fields)] } }),
    }
}

/// The order: documents without the field last, also where no document has it yet.
pub(super) fn sort(sort: &[Sort], fields: &Fields) -> Value {
    let orders = sort.iter().map(|Sort { field, order }| {
        let order = match order {
            Order::Asc => "asc",
            Order::Desc => "desc",
        };
        if field == "_id" {
            return json!({ "_id": { "order": order } });
        }
        let path = fields.get(field).path;
        json!({ path: { "order": order, "missing": "_last", "unmapped_type": "keyword" } })
    });
    orders.collect()
}

fn all(parts: &[Query], fields: &Fields) -> Vec<Value> {
    parts.iter().map(|part| query(part, fields)).collect()
}

fn any(parts: Vec<Value>) -> Value {
    json!({ "bool": { "should": parts, "minimum_should_match": 1 } })
}

fn nothing() -> Value {
    json!({ "match_none": {} })
}

fn terms(field: &Field, values: &[Value]) -> Value {
    let values: Vec<Value> = values
        .iter()
        .filter_map(|value| comparable(value, field.class))
        .collect();
    match values.as_slice() {
        [] => nothing(),
        [value] => json!({ "term": { &field.path: { "value": value } } }),
        values if values.len() <= MOST_TERMS => json!({ "terms": { &field.path: values } }),
        values => any(values
            .chunks(MOST_TERMS)
            .map(|values| json!({ "terms": { &field.path: values } }))
            .collect()),
    }
}

fn range(field: &Field, bounds: [(&str, &Option<Value>); 4]) -> Value {
    let mut range = Map::new();
    for (name, bound) in bounds {
        let Some(bound) = bound else { continue };
        let Some(bound) = comparable(bound, field.class) else {
            return nothing();
        };
        range.insert(name.to_owned(), bound);
    }
    json!({ "range": { &field.path: range } })
}

fn prefix(field: &Field, value: &str) -> Value {
    match field.class {
        Class::Text | Class::Any => json!({ "prefix": { &field.path: { "value": value } } }),
        Class::Number | Class::Date | Class::Boolean => nothing(),
    }
}

/// The value as the field has it: dates in the stored form, numbers as numbers. `None` for what no such
/// field can equal, which OpenSearch would refuse.
fn comparable(value: &Value, class: Class) -> Option<Value> {
    Scalar::of(value, class).map(Scalar::into_value)
}
