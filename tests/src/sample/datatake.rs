//! The planned observations that products belong to: what the consolidation looks up.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Product, iso};

/// One planned observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Datatake {
    /// `S1A-421888`.
    pub id: String,
    /// What [`COLUMNS`] names, in its order.
    row: [String; COLUMNS.len()],
}

/// The columns of the table that the pipeline collects.
const COLUMNS: [&str; 10] = [
    "key",
    "datatake_id",
    "hex_datatake_id",
    "mission",
    "satellite_unit",
    "observation_time_start",
    "observation_time_stop",
    "absolute_orbit",
    "instrument_mode",
    "timeliness",
];

/// The datatakes as a table, with a head line. Nothing in it needs quotes.
pub(super) fn csv(datatakes: &[Datatake]) -> String {
    let rows = datatakes.iter().map(|datatake| datatake.row.join(","));
    std::iter::once(COLUMNS.join(","))
        .chain(rows)
        .flat_map(|line| [line, "\n".to_owned()])
        .collect()
}

/// The datatakes of the products of one interface.
pub(crate) fn of(interface: &str, products: &[Product]) -> Vec<Datatake> {
    let mut spans: BTreeMap<String, Span> = BTreeMap::new();
    for product in products {
        let Some((number, hex)) = number(interface, product) else {
            continue;
        };
        let unit = &product.name[..3];
        spans
            .entry(format!("{unit}-{number}"))
            .and_modify(|span| span.include(product))
            .or_insert_with(|| Span::new(number, hex, product));
    }
    spans
        .into_iter()
        .map(|(id, span)| span.datatake(id))
        .collect()
}

/// Number of the datatake, and its hexadecimal form where names carry it. Sentinel-2 products name
/// none: they are found by their sensing time.
fn number(interface: &str, product: &Product) -> Option<(String, Option<String>)> {
    if interface.starts_with("PRIP_S1") {
        let hex = product.name.get(56..62)?;
        let number = u64::from_str_radix(hex, 16).ok()?;
        return Some((
            number.to_string(),
            Some(hex.trim_start_matches('0').to_owned()),
        ));
    }
    if !interface.starts_with("PRIP_S2") {
        return None;
    }
    let group = product
        .attributes
        .iter()
        .find(|(name, _)| *name == "productGroupId")?;
    let group = group.1.as_str()?;
    let orbit = group.get(21..27)?.trim_start_matches('0').to_owned();
    // Ten datatakes in an orbit; the start tells which.
    let start = group.get(5..20)?;
    Some((format!("{orbit}-{}", &start[9..13]), None))
}

struct Span {
    number: String,
    hex: Option<String>,
    mode: String,
    orbit: String,
    unit: String,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Span {
    fn new(number: String, hex: Option<String>, product: &Product) -> Self {
        let name = &product.name;
        let (mode, orbit) = match &hex {
            Some(_) => (
                name[4..6].to_owned(),
                name[49..55].trim_start_matches('0').to_owned(),
            ),
            None => (
                "NOBS".to_owned(),
                number.split('-').next().unwrap_or_default().to_owned(),
            ),
        };
        let unit = name[..3].to_owned();
        Self {
            number,
            hex,
            mode,
            orbit,
            unit,
            start: product.start,
            end: product.end,
        }
    }

    fn include(&mut self, product: &Product) {
        self.start = self.start.min(product.start);
        self.end = self.end.max(product.end);
    }

    fn datatake(self, id: String) -> Datatake {
        let timeliness = if self.hex.is_some() { "NTC" } else { "NOMINAL" };
        let row = [
            id.clone(),
            self.number,
            self.hex.unwrap_or_default(),
            self.unit[..2].to_owned(),
            self.unit,
            iso(self.start),
            iso(self.end),
            self.orbit,
            self.mode,
            timeliness.to_owned(),
        ];
        Datatake { id, row }
    }
}
