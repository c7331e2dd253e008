//! The fields that every consolidated product has.

use chrono::{DateTime, Utc};
use maas_model::document::{Document, zulu};
use serde_json::Value;

use super::Named;
use crate::model::{Consolidated, MISSING_DATATAKE, PripProduct, microseconds_between};

/// Where the begin of sensing comes from when the raw product does not tell it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::engine) struct Fallback {
    pub(in crate::engine) sensing_start: Option<DateTime<Utc>>,
}

/// Fields that are copied from the raw product where they say something.
const DETAILS: [&str; 4] = [
    Consolidated::CLOUD_COVER,
    Consolidated::DATASTRIP_ID,
    Consolidated::QUALITY_STATUS,
    Consolidated::PRODUCT_GROUP_ID,
];

/// Puts into `document` what its name and the raw product tell. What they do not tell stays as it was.
pub(in crate::engine) fn fill_common(
    named: &Named<'_>,
    document: &mut Document,
    fallback: Fallback,
) {
    fill_from_name(named, document);
    fill_sensing(named.raw, document, fallback);
    let key = document.id.to_string();
    let mut view = Consolidated::new(&mut *document);
    view.set_key(key);
    view.set_name(named.name.to_owned());
    view.set_product_level(named.level.to_owned());
    if view.timeliness().is_none() {
        // Grafana shows no empty group.
        view.set_timeliness("_".to_owned());
    }
    let raw = &named.raw.source;
    if let Some(length) = raw.get(PripProduct::CONTENT_LENGTH) {
        document.set(Consolidated::CONTENT_LENGTH, length.clone());
    }
    for field in DETAILS {
        if let Some(value) = raw.get(field).filter(|value| says_something(value)) {
            document.set(field, value.clone());
        }
    }
}

fn fill_from_name(named: &Named<'_>, document: &mut Document) {
    let parsed = &named.parsed;
    let parts = [
        (Consolidated::INSTRUMENT_MODE, &parsed.instrument_mode),
        (Consolidated::MISSION, &parsed.mission),
        (Consolidated::POLARIZATION, &parsed.polarization),
        (Consolidated::PRODUCT_CLASS, &parsed.product_class),
        (Consolidated::PRODUCT_TYPE, &parsed.product_type),
        (Consolidated::SATELLITE_UNIT, &parsed.satellite_unit),
        (Consolidated::SITE_CENTER, &parsed.site_center),
        (Consolidated::COLLECTION_NUMBER, &parsed.collection_number),
        (Consolidated::PROCESSOR_VERSION, &parsed.processor_version),
    ];
    for (field, part) in parts {
        if let Some(part) = part {
            document.set(field, Value::from(part.as_ref()));
        }
    }
    let mut view = Consolidated::new(document);
    if let Some(orbit) = &parsed.absolute_orbit_number {
        view.set_absolute_orbit(orbit.trim_start_matches('0').to_owned());
    }
    match parsed.datatake_id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => view.set_datatake_id(decimal(id)),
        None if view.datatake_id().is_none() => view.set_datatake_id(MISSING_DATATAKE.to_owned()),
        None => {}
    }
    if let Some(timeliness) = &parsed.timeliness
        && (named.is_mission("S3") || named.is_mission("S5"))
    {
        view.set_timeliness(timeliness.to_string());
    }
}

fn fill_sensing(raw: &Document, document: &mut Document, fallback: Fallback) {
    let told = |field: &str| {
        raw.source
            .get(field)
            .filter(|value| says_something(value))
            .cloned()
    };
    if let Some(start) = told(PripProduct::START_DATE)
        .or_else(|| fallback.sensing_start.map(|date| zulu(date).into()))
    {
        document.set(Consolidated::SENSING_START_DATE, start);
    }
    if let Some(end) = told(PripProduct::END_DATE) {
        document.set(Consolidated::SENSING_END_DATE, end);
    }
    let view = Consolidated::new(&*document);
    let duration = microseconds_between(view.sensing_start_date(), view.sensing_end_date());
    document.set(Consolidated::SENSING_DURATION, duration.map(Value::from));
}

/// Datatakes are known by decimal number; Sentinel-1 writes them in hexadecimal into its names.
fn decimal(id: &str) -> String {
    match u64::from_str_radix(id, 16) {
        Ok(number) if id.bytes().all(|byte| byte.is_ascii_hexdigit()) => number.to_string(),
        _ => id.to_owned(),
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hexadecimal_datatakes_are_made_decimal() {
        assert_eq!(decimal("04E753"), "321363");
        for other in ["______", "S3A-079-339", "D7.SAF", "+4E753"] {
            assert_eq!(decimal(other), other);
        }
    }
}
