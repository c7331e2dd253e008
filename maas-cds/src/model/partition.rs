//! The index of a product or publication: by sensing time or, for what was not sensed, by publication.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use maas_model::document::{Document, IndexName, Source, parse_date, zulu};
use maas_model::model::{Model, PartitionError};
use serde_json::Value;

use super::{CdsProduct, CdsPublication, Consolidated, is_sensing_level};

/// A publication date: the name of a field, or what its name starts and ends with.
#[derive(Debug, Clone, Copy)]
pub enum DateField {
    /// This field.
    Named(&'static str),
    /// The first, by name, of the fields of an interface: `PRIP_..._publication_date`.
    OfInterface(&'static str),
}

use DateField::{Named, OfInterface};

/// The dates that place a product, best first.
pub const PRODUCT_DATES: &[DateField] = &[
    OfInterface("PRIP_"),
    Named(CdsProduct::PRIP_PUBLICATION_DATE),
    OfInterface("AUXIP_"),
    Named("auxip_publication_date"),
    OfInterface("DD_"),
    Named("ddip_publication_date"),
    Named("dddas_publication_date"),
    Named("ddcreodias_publication_date"),
    OfInterface("MPCIP_"),
    OfInterface("LTA_"),
];

/// The date that places a publication.
pub const PUBLICATION_DATES: &[DateField] = &[Named(CdsPublication::PUBLICATION_DATE)];

/// The date that places a document; `dates` are those of its model.
pub fn partition_date(document: &Document, dates: &[DateField]) -> Option<DateTime<Utc>> {
    let level = document
        .text(Consolidated::PRODUCT_LEVEL)
        .unwrap_or_default();
    let value = if is_sensing_level(level) {
        document.source.get(Consolidated::SENSING_START_DATE)
    } else {
        dates.iter().find_map(|date| date.of(&document.source))
    };
    parse_date(value?).ok()
}

/// The index of a document that is placed by `date`.
pub fn partition_index(
    model: &Arc<Model>,
    date: Option<DateTime<Utc>>,
) -> Result<IndexName, PartitionError> {
    let field = model
        .partition
        .as_ref()
        .and_then(|partition| partition.fields.first());
    let mut source = Source::new();
    if let (Some(field), Some(date)) = (field, date) {
        source.insert(field.clone(), zulu(date).into());
    }
    model.index_of(&source)
}

impl DateField {
    fn of(self, source: &Source) -> Option<&Value> {
        let filled = |value: &&Value| value.as_str().is_some_and(|text| !text.is_empty());
        match self {
            Named(field) => source.get(field).filter(filled),
            OfInterface(prefix) => source
                .iter()
                .filter(|(field, value)| {
                    field.starts_with(prefix)
                        && field.ends_with("_publication_date")
                        && filled(value)
                })
                .min_by_key(|(field, _)| field.as_str())
                .map(|(_, value)| value),
        }
    }
}
