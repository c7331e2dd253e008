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

/// A condition with its values, and the keys it compares.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<SqlValue>,
    pub(super) keys: BTreeSet<Key>,
}

/// What can be indexed: a top-level field, compared in one way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
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
    pub(super) fn expression(&self) -> String {
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

    /// The name of the index over this key in the table `number`.
    pub(super) fn index_name(&self, number: i64) -> String {
        format!("\"k{number}_{:?}_{}\"", self.kind, self.field)
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
            keys: BTreeSet::new(),
        }),
        Query::And(parts) => joined(parts.iter().filter_map(|part| narrow(part, kinds)), " AND "),
        Query::Or(parts) if !parts.is_empty() => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| narrow(part, kinds)).collect();
            joined(parts?.into_iter(), " OR ")
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
    Some(Condition {
        sql: format!("{} IN ({})", key.expression(), placeholders(values.len())),
        values,
        keys: BTreeSet::from([key]),
    })
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
    Some(Condition {
        sql: format!("(({}) OR {expression} = x'')", sides.join(" AND ")),
        values,
        keys: BTreeSet::from([key]),
    })
}

fn starting(field: &str, prefix: &str, kinds: &Kinds) -> Option<Condition> {
    let key = Key::of(field, kinds)?;
    let expression = key.expression();
    let beyond = format!("{prefix}{}", "\u{10FFFF}".repeat(4));
    Some(Condition {
        sql: format!("(({expression} >= ? AND {expression} <= ?) OR {expression} = x'')"),
        values: vec![SqlValue::Text(prefix.to_owned()), SqlValue::Text(beyond)],
        keys: BTreeSet::from([key]),
    })
}

fn joined(parts: impl Iterator<Item = Condition>, operator: &str) -> Option<Condition> {
    let parts: Vec<Condition> = parts.collect();
    if parts.is_empty() {
        return None;
    }
    let sql: Vec<&str> = parts.iter().map(|part| part.sql.as_str()).collect();
    Some(Condition {
        sql: format!("({})", sql.join(operator)),
        values: parts.iter().flat_map(|part| part.values.clone()).collect(),
        keys: parts.into_iter().flat_map(|part| part.keys).collect(),
    })
}

/// The key of a value that SQL cannot compare.
fn look_yourself() -> SqlValue {
    SqlValue::Blob(Vec::new())
}

fn placeholders(count: usize) -> String {
    vec!["?"; count].join(",")
}
