//! Publications of production interface points.

use maas_model::document::Document;
use serde_json::Value;

use crate::engine::base::{Fallback, Named, fill_common};
use crate::model::{date_of, microseconds_between};

pub(super) fn fill(named: &Named<'_>, publication: &mut Document) {
    let raw = named.raw;
    fill_common(
        named,
        publication,
        Fallback {
            sensing_start: named.parsed.start_date,
        },
    );
    fill_service(named, publication);
    for field in ["publication_date", "eviction_date", "origin_date"] {
        publication.set(field, raw.source.get(field).cloned());
    }
    fill_timeliness(publication);
}

/// Who published the product, and under which id.
fn fill_service(named: &Named<'_>, publication: &mut Document) {
    for (field, of_raw) in [
        ("service_id", "production_service_name"),
        ("service_type", "production_service_type"),
        ("product_uuid", "product_id"),
    ] {
        publication.set(field, named.raw.source.get(of_raw).cloned());
    }
    let tile = named.parsed.tile_number.as_deref();
    publication.set("tile_number", tile.map(Value::from));
}

/// How long after sensing, and after it was ready at its origin, the product was published.
fn fill_timeliness(publication: &mut Document) {
    let published = date_of(publication, "publication_date");
    for (field, since) in [
        ("from_sensing_timeliness", "sensing_end_date"),
        ("transfer_timeliness", "origin_date"),
    ] {
        let took = microseconds_between(published, date_of(publication, since));
        if took.is_none() {
            tracing::debug!(id = %publication.id, field, "a date is missing, so no timeliness");
        }
        publication.set(field, took.map(Value::from));
    }
}
