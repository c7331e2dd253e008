//! OData pages: what a production interface answers.

use serde_json::{Value, json};

use super::{Product, Settings, compact, iso, origin, seconds};
use crate::random::Random;

/// One answer of an interface, as the file it is kept in.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// `PRIP_S2A_ATOS_20240330T120000_20240330T121000_25_P000000.json`.
    pub file_name: String,
    /// JSON text.
    pub text: String,
    /// Records that any reader must refuse.
    pub broken: usize,
}

/// How often, in records, a page has something out of the ordinary.
const DUPLICATE_EVERY: usize = 11;
const UPDATE_EVERY: usize = 13;
const BROKEN_EVERY: usize = 17;

pub(crate) fn pages(
    interface: &str,
    products: &[Product],
    settings: &Settings,
    random: &mut Random,
) -> Vec<Page> {
    let mut records: Vec<(Value, bool)> = Vec::with_capacity(products.len());
    for (number, product) in products.iter().enumerate() {
        let record = record(product, random);
        if settings.variety {
            records.extend(oddities(number, &record, random));
        }
        records.push((record, false));
    }
    records
        .chunks(settings.page_size)
        .enumerate()
        .map(|(number, chunk)| page(interface, number, chunk, settings.page_size))
        .collect()
}

/// A duplicate, an update or a broken copy of a record, now and then. They stand before the record
/// itself, so that the update is what the record ends as.
fn oddities(number: usize, record: &Value, random: &mut Random) -> Option<(Value, bool)> {
    let mut odd = record.clone();
    if number % DUPLICATE_EVERY == DUPLICATE_EVERY - 1 {
        Some((odd, false))
    } else if number % UPDATE_EVERY == UPDATE_EVERY - 1 {
        odd["ContentLength"] = json!(1);
        Some((odd, false))
    } else if number % BROKEN_EVERY == BROKEN_EVERY - 1 {
        odd["Id"] = json!(random.uuid());
        odd["ContentDate"]["Start"] = json!("2024-13-45T99:00:00Z");
        Some((odd, true))
    } else {
        None
    }
}

fn page(interface: &str, number: usize, records: &[(Value, bool)], size: usize) -> Page {
    let values: Vec<&Value> = records.iter().map(|(record, _)| record).collect();
    let from = origin() + seconds(600 * number as i64);
    let to = from + seconds(600);
    Page {
        file_name: format!(
            "{interface}_{}_{}_{size}_P{:06}.json",
            compact(from),
            compact(to),
            number * size
        ),
        text: json!({ "@odata.context": "$metadata#Products", "value": values }).to_string(),
        broken: records.iter().filter(|(_, broken)| *broken).count(),
    }
}

fn record(product: &Product, random: &mut Random) -> Value {
    let origin = product.end + seconds(random.between(900, 3_000));
    let published = origin + seconds(random.between(600, 2_400));
    let mut record = json!({
        "Id": random.uuid(),
        "Name": product.name,
        "EvictionDate": iso(published + seconds(7 * 86_400)),
        "OriginDate": iso(origin),
        "PublicationDate": iso(published),
        "ContentType": product.media_type,
        "ContentLength": random.between(100_000, 6_000_000_000),
        "ContentDate": { "Start": iso(product.start), "End": iso(product.end) },
        "ProductionType": "systematic_production",
        "Checksum": [{
            "Algorithm": "MD5",
            "Value": random.hex(),
            "ChecksumDate": iso(published - seconds(3)),
        }],
    });
    if product.footprint_points > 0 {
        let ring = ring(product.footprint_points, random);
        let text: Vec<String> = ring.iter().map(|[x, y]| format!("{x} {y}")).collect();
        record["GeoFootprint"] = json!({ "type": "Polygon", "coordinates": [ring] });
        record["Footprint"] = json!(format!(
            "geography'SRID=4326;POLYGON(({}))'",
            text.join(",")
        ));
    }
    if !product.attributes.is_empty() {
        record["Attributes"] = product.attributes.iter().map(attribute).collect();
    }
    record
}

fn attribute((name, value): &(&'static str, Value)) -> Value {
    let kind = match value {
        Value::Number(number) if number.is_f64() => "Double",
        Value::Number(_) => "Integer",
        _ => "String",
    };
    json!({
        "@odata.type": format!("#OData.CSC.{kind}Attribute"),
        "Name": name,
        "ValueType": kind,
        "Value": value,
    })
}

/// A closed ring of `points` corners: up one side, down the other.
fn ring(points: usize, random: &mut Random) -> Vec<[f64; 2]> {
    let west = random.between(-170_000, 165_000) as f64 / 1_000.0;
    let south = random.between(-80_000, 75_000) as f64 / 1_000.0;
    let half = points.div_ceil(2);
    let step = 2.0 / half as f64;
    let corner = |x: f64, y: f64| [(x * 1e6).round() / 1e6, (y * 1e6).round() / 1e6];
    let mut ring: Vec<[f64; 2]> = (0..half)
        .map(|n| corner(west + step * n as f64, south))
        .collect();
    ring.extend(
        (0..half)
            .rev()
            .map(|n| corner(west + step * n as f64 + 0.1, south + 1.5)),
    );
    ring.push(ring[0]);
    ring
}
