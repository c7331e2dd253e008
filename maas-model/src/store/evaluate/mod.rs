//! What a query means: the reference that every store's answers agree with.

mod kinds;
mod order;
mod path;
mod scalar;
mod tally;

use std::cmp::Ordering;

use serde_json::Value;

pub(crate) use kinds::Class;
pub use kinds::Kinds;
pub(crate) use order::{SortKeys, compare, sort_keys};
pub(crate) use path::{select, values};
pub(crate) use scalar::{Scalar, is_stored_date};
pub(crate) use tally::Tally;

use super::Query;
use crate::document::{DocumentId, Source};

/// Whether a document matches `query`. Reads nothing but its arguments, one document at a time: slow,
/// and right. Stores with an index of their own are tested against it.
pub fn matches(query: &Query, id: &DocumentId, source: &Source, kinds: &Kinds) -> bool {
    match query {
        Query::All => true,
        Query::Term { field, value } => {
            any_equal(source, field, kinds, std::slice::from_ref(value))
        }
        Query::Terms { field, values } => any_equal(source, field, kinds, values),
        Query::Range {
            field,
            gt,
            gte,
            lt,
            lte,
        } => {
            let bounds: [Bound<'_>; 4] = [
                (gt, Ordering::is_gt),
                (gte, Ordering::is_ge),
                (lt, Ordering::is_lt),
                (lte, Ordering::is_le),
            ];
            in_range(source, field, kinds, &bounds)
        }
        Query::Prefix { field, value } => has_prefix(source, field, kinds, value),
        Query::Exists { field } => values(source, field).into_iter().any(path::is_present),
        Query::Ids(ids) => ids.contains(id),
        Query::And(parts) => parts.iter().all(|part| matches(part, id, source, kinds)),
        Query::Or(parts) => parts.iter().any(|part| matches(part, id, source, kinds)),
        Query::Not(part) => !matches(part, id, source, kinds),
    }
}

/// A bound, if there is one, and what the order of a value to it must be.
type Bound<'a> = (&'a Option<Value>, fn(Ordering) -> bool);

fn any_equal(source: &Source, field: &str, kinds: &Kinds, wanted: &[Value]) -> bool {
    let class = kinds.class(field);
    let found = values(source, field);
    let mut found = found.iter().filter_map(|value| Scalar::of(value, class));
    found.any(|value| {
        let mut wanted = wanted.iter().filter_map(|wanted| Scalar::of(wanted, class));
        wanted.any(|wanted| wanted == value)
    })
}

/// One element must lie within all bounds; two elements on either side do not match together.
fn in_range(source: &Source, field: &str, kinds: &Kinds, bounds: &[Bound<'_>]) -> bool {
    let class = kinds.class(field);
    let within = |value: &Scalar<'_>| {
        bounds.iter().all(|(bound, accepts)| match bound {
            None => true,
            Some(bound) => Scalar::of(bound, class)
                .and_then(|bound| value.compare(&bound))
                .is_some_and(accepts),
        })
    };
    values(source, field)
        .into_iter()
        .filter_map(|value| Scalar::of(value, class))
        .any(|value| within(&value))
}

fn has_prefix(source: &Source, field: &str, kinds: &Kinds, prefix: &str) -> bool {
    if !matches!(kinds.class(field), Class::Text | Class::Any) {
        return false;
    }
    values(source, field)
        .into_iter()
        .filter_map(Value::as_str)
        .any(|text| text.starts_with(prefix))
}
