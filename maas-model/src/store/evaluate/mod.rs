//! What a query means: the reference that every store's answers agree with.

mod kinds;
mod order;
mod part;
mod path;
mod scalar;
mod tally;

use std::cmp::Ordering;

use serde_json::Value;

pub(crate) use kinds::Class;
pub use kinds::Kinds;
pub(crate) use order::{SortKeys, compare, sort_keys};
pub(crate) use part::Part;
pub(crate) use path::select;
pub(crate) use scalar::{Scalar, is_stored_date};
pub(crate) use tally::Tally;

use self::path::values;
use super::Query;
use crate::document::{DocumentId, Source};

/// How queries, orders and counts name the id, which is no member of the document.
pub(crate) const ID: &str = "_id";

/// The values of a field in the form in which they are compared.
pub(crate) fn scalars<'a>(
    id: &'a DocumentId,
    source: &'a Source,
    field: &str,
    kinds: &Kinds,
) -> Vec<Scalar<'a>> {
    if field == ID {
        return vec![Scalar::Text(id.as_str().into())];
    }
    let class = kinds.class(field);
    let found = values(source, field).into_iter();
    found.filter_map(|value| Scalar::of(value, class)).collect()
}

/// Whether a document matches `query`. Reads nothing but its arguments, one document at a time: slow,
/// and right. Stores with an index of their own are tested against it.
pub fn matches(query: &Query, id: &DocumentId, source: &Source, kinds: &Kinds) -> bool {
    let scalars = |field| scalars(id, source, field, kinds);
    match query {
        Query::All => true,
        Query::Term { field, value } => {
            let wanted = Scalar::of(value, kinds.class(field));
            wanted.is_some_and(|wanted| scalars(field).contains(&wanted))
        }
        Query::Terms { field, values } => {
            let class = kinds.class(field);
            let found = scalars(field);
            let mut wanted = values.iter().filter_map(|value| Scalar::of(value, class));
            wanted.any(|wanted| found.contains(&wanted))
        }
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
            in_range(&scalars(field), kinds.class(field), &bounds)
        }
        Query::Prefix { field, value } => has_prefix(source, field, kinds, value),
        Query::Exists { field } => {
            field == ID || values(source, field).into_iter().any(path::is_present)
        }
        Query::Ids(ids) => ids.contains(id),
        Query::And(parts) => parts.iter().all(|part| matches(part, id, source, kinds)),
        Query::Or(parts) => parts.iter().any(|part| matches(part, id, source, kinds)),
        Query::Not(part) => !matches(part, id, source, kinds),
    }
}

/// A bound, if there is one, and what the order of a value to it must be.
type Bound<'a> = (&'a Option<Value>, fn(Ordering) -> bool);

/// One element must lie within all bounds; two elements on either side do not match together.
fn in_range(found: &[Scalar<'_>], class: Class, bounds: &[Bound<'_>]) -> bool {
    let within = |value: &Scalar<'_>| {
        bounds.iter().all(|(bound, accepts)| match bound {
            None => true,
            Some(bound) => Scalar::of(bound, class)
                .and_then(|bound| value.compare(&bound))
                .is_some_and(accepts),
        })
    };
    found.iter().any(within)
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
