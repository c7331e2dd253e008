//! Publications of production interface points.

use maas_model::document::Document;
use serde_json::Value;

use crate::engine::base::{Fallback, Named, fill_common};
use crate::model::{CdsPublication, PripProduct, microseconds_between};

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
    for (field, of_raw) in [
        (
            CdsPublication::PUBLICATION_DATE,
            PripProduct::PUBLICATION_DATE,
        ),
        (CdsPublication::EVICTION_DATE, PripProduct::EVICTION_DATE),
        (CdsPublication::ORIGIN_DATE, PripProduct::ORIGIN_DATE),
    ] {
        publication.set(field, raw.source.get(of_raw).cloned());
    }
    fill_timeliness(publication);
}

/// Who published the product, and under which id.
fn fill_service(named: &Named<'_>, publication: &mut Document) {
    for (field, of_raw) in [
        (
            CdsPublication::SERVICE_ID,
            PripProduct::PRODUCTION_SERVICE_NAME,
        ),
        (
            CdsPublication::SERVICE_TYPE,
            PripProduct::PRODUCTION_SERVICE_TYPE,
        ),
        (CdsPublication::PRODUCT_UUID, PripProduct::PRODUCT_ID),
    ] {
        publication.set(field, named.raw.source.get(of_raw).cloned());
    }
    let tile = named.parsed.tile_number.as_deref();
    CdsPublication::new(publication).set_tile_number(tile.map(str::to_owned));
}

/// How long after sensing, and after it was ready at its origin, the product was published.
fn fill_timeliness(publication: &mut Document) {
    let view = CdsPublication::new(&*publication);
    let published = view.publication_date();
    let measures = [
        (
            CdsPublication::FROM_SENSING_TIMELINESS,
            microseconds_between(published, view.sensing_end_date()),
        ),
        (
            CdsPublication::TRANSFER_TIMELINESS,
            microseconds_between(published, view.origin_date()),
        ),
    ];
    for (field, took) in measures {
        if took.is_none() {
            tracing::debug!(id = %publication.id, field, "a date is missing, so no timeliness");
        }
        publication.set(field, took.map(Value::from));
    }
}
