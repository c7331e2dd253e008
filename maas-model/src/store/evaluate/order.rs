//! The order of documents.

use std::cmp::Ordering;

use super::{Kinds, Scalar, scalars};
use crate::document::{DocumentId, Source};
use crate::store::{Order, Sort};

/// What a document is sorted by; `None` where it has no value.
pub(crate) type SortKeys = Vec<Option<Scalar<'static>>>;

/// A list sorts by its smallest value upwards and by its largest downwards.
pub(crate) fn sort_keys(
    id: &DocumentId,
    source: &Source,
    sort: &[Sort],
    kinds: &Kinds,
) -> SortKeys {
    let key = |sort: &Sort| {
        let scalars = scalars(id, source, &sort.field, kinds).into_iter();
        match sort.order {
            Order::Asc => scalars.min(),
            Order::Desc => scalars.max(),
        }
        .map(Scalar::into_owned)
    };
    sort.iter().map(key).collect()
}

/// Documents without a value come last, either way.
pub(crate) fn compare(
    a: &[Option<Scalar<'_>>],
    b: &[Option<Scalar<'_>>],
    sort: &[Sort],
) -> Ordering {
    a.iter()
        .zip(b)
        .zip(sort)
        .map(|((a, b), sort)| match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => match sort.order {
                Order::Asc => a.cmp(b),
                Order::Desc => b.cmp(a),
            },
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
