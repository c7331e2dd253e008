//! The fields that every consolidated product has.

use chrono::{DateTime, Utc};
use maas_model::document::{Document, zulu};
use serde_json::Value;

use super::Named;
use crate::model::{MISSING_DATATAKE, date_of, microseconds_between};

/// Where the begin of sensing comes from when the raw product does not tell it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::engine) struct Fallback {
    pub(in crate::engine) sensing_start: Option<DateTime<Utc>>,
}

/// Fields that are copied from the raw product where they say something.
const DETAILS: [&str; 4] = [
    "cloud_cover",
    "datastrip_id",
    "quality_status",
    "product_group_id",
];

/// Puts into `document` what its name and the raw product tell. What they do not tell stays as it was.
pub(in crate::engine) fn fill_common(
    named: &Named<'_>,
    document: &mut Document,
    fallback: Fallback,
) {
    fill_from_name(named, document);
    fill_sensing(named.raw, document, fallback);
    document.set("key", Value::from(document.id.as_str()));
    document.set("name", Value::from(named.name));
    document.set("product_level", Value::from(named.level));
    if document.text("timeliness").is_none() {
        // Grafana shows no empty group.
        document.set("timeliness", Value::from("_"));
    }
    if let Some(length) = named.raw.source.get("content_length") {
        document.set("content_length", length.clone());
    }
    for field in DETAILS {
        if let Some(value) = named
            .raw
            .source
            .get(field)
            .filter(|value| says_something(value))
        {
            document.set(field, value.clone());
        }
    }
}

fn fill_from_name(named: &Named<'_>, document: &mut Document) {
    let parsed = &named.parsed;
    let parts = [
        ("instrument_mode", &parsed.instrument_mode),
        ("mission", &parsed.mission),
        ("polarization", &parsed.polarization),
        ("product_class", &parsed.product_class),
        ("product_type", &parsed.product_type),
        ("satellite_unit", &parsed.satellite_unit),
        ("site_center", &parsed.site_center),
        ("collection_number", &parsed.collection_number),
        ("processor_version", &parsed.processor_version),
    ];
    for (field, part) in parts {
        if let Some(part) = part {
            document.set(field, Value::from(part.as_ref()));
        }
    }
    if let Some(orbit) = &parsed.absolute_orbit_number {
        document.set("absolute_orbit", Value::from(orbit.trim_start_matches('0')));
    }
    match parsed.datatake_id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => document.set("datatake_id", Value::from(decimal(id))),
        None if document.text("datatake_id").is_none() => {
            document.set("datatake_id", Value::from(MISSING_DATATAKE));
        }
        None => {}
    }
    if let Some(timeliness) = &parsed.timeliness
        && (named.is_mission("S3") || named.is_mission("S5"))
    {
        document.set("timeliness", Value::from(timeliness.as_ref()));
    }
}

fn fill_sensing(raw: &Document, document: &mut Document, fallback: Fallback) {
    let told = |field: &str| {
        raw.source
            .get(field)
            .filter(|value| says_something(value))
            .cloned()
    };
    if let Some(start) =
        told("start_date").or_else(|| fallback.sensing_start.map(|date| zulu(date).into()))
    {
        document.set("sensing_start_date", start);
    }
    if let Some(end) = told("end_date") {
        document.set("sensing_end_date", end);
    }
    let duration = microseconds_between(
        date_of(document, "sensing_start_date"),
        date_of(document, "sensing_end_date"),
    );
    document.set("sensing_duration", duration.map(Value::from));
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
