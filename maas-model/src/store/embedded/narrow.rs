//! From a query to an SQL condition that lets through at least what matches.
//!
//! [`matches`](crate::store::matches) decides; SQL only narrows down what it has to look at. That keeps
//! the meaning of queries in one place, and makes a condition safe to leave out. Conditions compare a
//! *key*: an expression over the document that yields the value of a field where SQL compares it as we
//! do, an empty blob (look yourself) where not, such as for a list, and null where there is none. An
//! index over the key makes the condition fast.

use std::collections::BTreeSet;

use rusqlite::types::Value as SqlValue;
use serde_json::Value;

use crate::store::evaluate::{Class, Scalar};
use crate::store::{Kinds, Query};

/// SQLite's default limit on bound values is 32,766 and its planner likes few.
const MOST_VALUES: usize = 2_000;

/// Equal fields beyond these do not make an index select less.
const MOST_COLUMNS: usize = 4;

/// A condition with its values, and the indexes that would make it fast.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<SqlValue>,
    pub(super) indexes: BTreeSet<IndexOver>,
    /// How it compares one key, when it does nothing else.
    compares: Option<(Compared, Key)>,
}

/// What an index stands over: keys that are equal, and behind them one that lies within bounds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct IndexOver(Vec<Key>);

/// Equal ones come first in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Compared {
    Equal,
    Within,
}

impl IndexOver {
    /// What is indexed, as SQL.
    pub(super) fn columns(&self) -> String {
        let columns: Vec<String> = self.0.iter().map(Key::expression).collect();
        columns.join(", ")
    }

    /// The name of the index in the table `number`.
    pub(super) fn name(&self, number: i64) -> String {
        let keys = self.0.iter();
        let keys: Vec<String> = keys
            .map(|key| format!("{:?}_{}", key.kind, key.field))
            .collect();
        format!("\"k{number}_{}\"", keys.join("_"))
    }

    /// One index over several keys finds at once what all of them select; over one alone every document
    /// that it finds has to be looked into for the others.
    fn of_all(parts: &[Condition]) -> Option<Self> {
        let mut compared: Vec<_> = parts
            .iter()
            .filter_map(|part| part.compares.clone())
            .collect();
        compared.sort();
        compared.dedup();
        let equal = compared
            .iter()
            .filter(|(how, _)| *how == Compared::Equal)
            .count();
        // Behind a key within bounds the next ones no longer narrow down.
        compared.truncate((equal + 1).min(MOST_COLUMNS));
        let several = equal > 0 && compared.len() > 1;
        several.then(|| Self(compared.into_iter().map(|(_, key)| key).collect()))
    }
}

/// What can be indexed: a top-level field, compared in one way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    field: String,
    kind: KeyKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum KeyKind {
    Text,
    Number,
    Date,
    Any,
}

impl Key {
    /// `None` when SQL cannot compare this field: paths into objects, names with odd characters,
    /// booleans (an index of two values is of no use).
    fn of(field: &str, kinds: &Kinds) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if field.is_empty() || field == "_id" || field.len() > 100 || !field.chars().all(plain) {
            return None;
        }
        let kind = match kinds.class(field) {
            Class::Text => KeyKind::Text,
            Class::Number => KeyKind::Number,
            Class::Date => KeyKind::Date,
            Class::Any => KeyKind::Any,
            Class::Boolean => return None,
        };
        Some(Self {
            field: field.to_owned(),
            kind,
        })
    }

    /// The expression; an index is used only for exactly this text. Safe to splice in, because
    /// [`Key::of`] lets only plain names through.
    fn expression(&self) -> String {
        const STORED_DATE: &str = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T\
             [0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z'";
        const LIKE_DATE: &str = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'";
        let path = format!("'$.\"{}\"'", self.field);
        let value = format!("src ->> {path}");
        let text = format!("WHEN 'text' THEN {value}");
        let number = format!("WHEN 'integer' THEN {value} WHEN 'real' THEN {value}");
        let cases = match self.kind {
            KeyKind::Text => text,
            KeyKind::Number => number,
            KeyKind::Date => {
                format!("WHEN 'text' THEN iif({value} GLOB {STORED_DATE}, {value}, x'')")
            }
            KeyKind::Any => format!(
                "WHEN 'text' THEN iif({value} GLOB {LIKE_DATE} AND {value} NOT GLOB {STORED_DATE}, \
                 x'', {value}) {number}"
            ),
        };
        format!(
            "CASE json_type(src, {path}) {cases} WHEN 'null' THEN NULL \
             ELSE iif(json_type(src, {path}) IS NULL, NULL, x'') END"
        )
    }

    fn class(&self) -> Class {
        match self.kind {
            KeyKind::Text => Class::Text,
            KeyKind::Number => Class::Number,
            KeyKind::Date => Class::Date,
            KeyKind::Any => Class::Any,
        }
    }

    /// What an equal value has as its key. `None` for fractions: SQLite reads decimal text with other
    /// rounding than we do.
    fn sql_equal(&self, value: &Value) -> Option<SqlValue> {
        match Scalar::of(value, self.class()) {
            None | Some(Scalar::Bool(_)) => Some(look_yourself()),
            Some(Scalar::Number(number)) => number.whole().map(SqlValue::Integer),
            Some(Scalar::Text(text)) => Some(SqlValue::Text(text.into_owned())),
        }
    }

    /// A bound that nothing within is beyond; for numbers `slack` times their size further out.
    fn sql_bound(&self, value: &Value, slack: f64) -> Option<SqlValue> {
        match Scalar::of(value, self.class())? {
            Scalar::Bool(_) => None,
            Scalar::Number(number) => {
                let number = number.as_f64();
                Some(SqlValue::Real(
                    number + slack * (number.abs() + f64::MIN_POSITIVE),
                ))
            }
            Scalar::Text(text) => Some(SqlValue::Text(text.into_owned())),
        }
    }
}

/// `None` when SQL cannot help: everything has to be looked at.
pub(super) fn narrow(query: &Query, kinds: &Kinds) -> Option<Condition> {
    match query {
        Query::Term { field, value } => equal(field, std::slice::from_ref(value), kinds),
        Query::Terms { field, values } => equal(field, values, kinds),
        Query::Range {
            field,
            gt,
            gte,
            lt,
            lte,
        } => between(
            field,
            gt.as_ref().or(gte.as_ref()),
            lt.as_ref().or(lte.as_ref()),
            kinds,
        ),
        Query::Prefix { field, value } => starting(field, value, kinds),
        Query::Ids(ids) if ids.len() <= MOST_VALUES => Some(Condition {
            sql: format!("id IN ({})", placeholders(ids.len())),
            values: ids
                .iter()
                .map(|id| SqlValue::Text(id.as_str().to_owned()))
                .collect(),
            indexes: BTreeSet::new(),
            compares: None,
        }),
        Query::And(parts) => {
            let parts: Vec<_> = parts
                .iter()
                .filter_map(|part| narrow(part, kinds))
                .collect();
            let over_all = IndexOver::of_all(&parts);
            let mut both = joined(parts, " AND ")?;
            if let Some(index) = over_all {
                both.indexes
                    .retain(|part| !part.0.iter().all(|key| index.0.contains(key)));
                both.indexes.insert(index);
            }
            Some(both)
        }
        Query::Or(parts) if !parts.is_empty() => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| narrow(part, kinds)).collect();
            joined(parts?, " OR ")
        }
        Query::All | Query::Exists { .. } | Query::Ids(_) | Query::Or(_) | Query::Not(_) => None,
    }
}

fn equal(field: &str, wanted: &[Value], kinds: &Kinds) -> Option<Condition> {
    let key = Key::of(field, kinds)?;
    if wanted.len() > MOST_VALUES {
        return None;
    }
    let mut values: Vec<SqlValue> = wanted
        .iter()
        .map(|value| key.sql_equal(value))
        .collect::<Option<_>>()?;
    values.push(look_yourself());
    let sql = format!("{} IN ({})", key.expression(), placeholders(values.len()));
    Some(Condition::of(key, Compared::Equal, sql, values))
}

fn between(
    field: &str,
    from: Option<&Value>,
    to: Option<&Value>,
    kinds: &Kinds,
) -> Option<Condition> {
    let key = Key::of(field, kinds)?;
    let expression = key.expression();
    let mut sides = Vec::new();
    let mut values = Vec::new();
    for (bound, operator, slack) in [(from, ">=", -1e-12), (to, "<=", 1e-12)] {
        let Some(bound) = bound else { continue };
        sides.push(format!("{expression} {operator} ?"));
        values.push(key.sql_bound(bound, slack)?);
    }
    if sides.is_empty() {
        return None;
    }
    let sql = format!("(({}) OR {expression} = x'')", sides.join(" AND "));
    Some(Condition::of(key, Compared::Within, sql, values))
}

fn starting(field: &str, prefix: &str, kinds: &Kinds) -> Option<Condition> {
    let key = Key::of(field, kinds)?;
    let expression = key.expression();
    let beyond = format!("{prefix}{}", "\u{10FFFF}".repeat(4));
    let sql = format!("(({expression} >= ? AND {expression} <= ?) OR {expression} = x'')");
    let values = vec![SqlValue::Text(prefix.to_owned()), SqlValue::Text(beyond)];
    Some(Condition::of(key, Compared::Within, sql, values))
}

impl Condition {
    fn of(key: Key, how: Compared, sql: String, values: Vec<SqlValue>) -> Self {
        Self {
            sql,
            values,
            indexes: BTreeSet::from([IndexOver(vec![key.clone()])]),
            compares: Some((how, key)),
        }
    }
}

fn joined(parts: Vec<Condition>, operator: &str) -> Option<Condition> {
    if parts.is_empty() {
        return None;
    }
    let sql: Vec<&str> = parts.iter().map(|part| part.sql.as_str()).collect();
    Some(Condition {
        sql: format!("({})", sql.join(operator)),
        values: parts.iter().flat_map(|part| part.values.clone()).collect(),
        indexes: parts.into_iter().flat_map(|part| part.indexes).collect(),
        compares: None,
    })
}

/// The key of a value that SQL cannot compare.
fn look_yourself() -> SqlValue {
    SqlValue::Blob(Vec::new())
}

fn placeholders(count: usize) -> String {
    vec!["?"; count].join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn indexes(query: Value) -> Vec<String> {
        let query: Query = serde_json::from_value(query).unwrap();
        let condition = narrow(&query, &Kinds::default()).unwrap();
        let names = condition.indexes.iter().map(|index| index.name(1));
        names.map(|name| name.replace("Any_", "")).collect()
    }

    #[test]
    fn what_has_to_hold_together_gets_one_index_with_equal_fields_first() {
        let term = |field: &str| json!({"term": {"field": field, "value": 1}});
        let range = |field: &str| json!({"range": {"field": field, "gte": 1, "lt": 2}});
        let all = json!({"and": [range("day"), term("type"), term("mission")]});
        assert_eq!(indexes(all.clone()), ["\"k1_mission_type_day\""]);
        assert_eq!(
            indexes(json!({"or": [all, term("name")]})),
            ["\"k1_mission_type_day\"", "\"k1_name\""]
        );
        let two_ranges = json!({"and": [range("b"), range("a"), term("c")]});
        assert_eq!(indexes(two_ranges), ["\"k1_b\"", "\"k1_c_a\""]);
    }

    #[test]
    fn what_stands_alone_keeps_its_index() {
        let term = |field: &str| json!({"term": {"field": field, "value": 1}});
        assert_eq!(indexes(json!({"and": [term("a")]})), ["\"k1_a\""]);
        let nested = json!({"and": [term("a"), {"or": [term("b"), term("c")]}]});
        assert_eq!(indexes(nested), ["\"k1_a\"", "\"k1_b\"", "\"k1_c\""]);
    }
}
