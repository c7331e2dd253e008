//! Sentinel-2: data strips with their granules, tiles, auxiliary and telemetry products.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Product, compact, iso, origin, seconds};
use crate::random::Random;

const BANDS: &[u8] = b"CDEFGHJKLMNPQRSTUVWX";
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const TILES: usize = 8;
const GRANULES: i64 = 6;
const DATATAKE_SECONDS: i64 = 600;

/// What all products of one data strip share.
struct Strip {
    unit: &'static str,
    centre: String,
    orbit: i64,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    made: DateTime<Utc>,
}

pub(crate) fn products(
    unit: &'static str,
    first_orbit: i64,
    mut random: Random,
    points: usize,
) -> impl Iterator<Item = Product> {
    (0_i64..).flat_map(move |datatake| {
        let start = origin() + seconds(200 + datatake * DATATAKE_SECONDS);
        let strip = Strip {
            unit,
            centre: format!("{}PS", &unit[1..]),
            orbit: first_orbit + datatake / 10,
            start,
            end: start + seconds(random.between(80, 300)),
            made: start + seconds(random.between(3_600, 9_000)),
        };
        strip.products(&mut random, points)
    })
}

impl Strip {
    fn products(&self, random: &mut Random, points: usize) -> Vec<Product> {
        let mut made = Vec::new();
        for level in ["MSI_L0_", "MSI_L1B"] {
            made.push(self.data_strip(level, points));
            for granule in 0..GRANULES {
                made.push(self.granule(level, granule, random));
            }
        }
        let tiles: Vec<String> = (0..TILES).map(|_| tile(random)).collect();
        for level in ["MSI_L1C", "MSI_L2A"] {
            made.push(self.data_strip(level, points));
            for tile in &tiles {
                made.push(self.tile(level, "TL", tile, "tar", points, random));
                made.push(self.tile(level, "TC", tile, "jp2", points, random));
            }
        }
        made.push(self.auxiliary());
        made.push(self.telemetry());
        made
    }

    fn data_strip(&self, level: &str, points: usize) -> Product {
        let (made, start) = (compact(self.made), compact(self.start));
        let name = format!(
            "{}_OPER_{level}_DS_{}_{made}_S{start}_N05.12.tar",
            self.unit, self.centre
        );
        self.product(name, level, (self.start, self.end), points * 2, None)
    }

    fn granule(&self, level: &str, number: i64, random: &mut Random) -> Product {
        let at = self.start + seconds(number * 4);
        let (made, start) = (compact(self.made), compact(at));
        let detector = random.between(1, 13);
        let name = format!(
            "{}_OPER_{level}_GR_{}_{made}_S{start}_D{detector:02}_N05.12.tar",
            self.unit, self.centre
        );
        self.product(name, level, (at, at), 5, None)
    }

    fn tile(
        &self,
        level: &str,
        kind: &str,
        tile: &str,
        suffix: &str,
        points: usize,
        random: &mut Random,
    ) -> Product {
        let made = compact(self.made);
        let name = format!(
            "{}_OPER_{level}_{kind}_{}_{made}_A{:06}_T{tile}_N05.12.{suffix}",
            self.unit, self.centre, self.orbit
        );
        let at = self.start + seconds(random.between(0, 60));
        let cloud = random.between(0, 10_000) as f64 / 100.0;
        self.product(name, level, (at, at), points, Some(cloud))
    }

    fn auxiliary(&self) -> Product {
        let (made, start, end) = (compact(self.made), compact(self.start), compact(self.end));
        let name = format!(
            "{}_OPER_AUX_SADATA_{}_{made}_V{start}_{end}_A{:06}_WF_LN.tar",
            self.unit, self.centre, self.orbit
        );
        self.product(name, "AUX", (self.start, self.end), 0, None)
    }

    fn telemetry(&self) -> Product {
        let (start, end) = (compact(self.start), compact(self.end));
        let name = format!("{}_OPER_PRD_HKTM___{start}_{end}_0001.tar", self.unit);
        self.product(name, "HKTM", (self.start, self.end), 0, None)
    }

    fn product(
        &self,
        name: String,
        level: &str,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
        footprint_points: usize,
        cloud: Option<f64>,
    ) -> Product {
        let strip = compact(self.start);
        let group = format!("G{}_{strip}_{:06}_N05.12", self.unit, self.orbit);
        let datastrip = format!(
            "{}_OPER_{level}_DS_{}_{}_S{strip}_N05.12",
            self.unit,
            self.centre,
            compact(self.made)
        );
        let mut attributes: Vec<(&'static str, Value)> = vec![
            ("acquisitionStation", json!("MTI_")),
            ("datastripId", json!(datastrip)),
            ("instrumentShortName", json!("MSI")),
            ("platformShortName", json!("SENTINEL-2")),
            ("processingCenter", json!(self.centre)),
            ("processorVersion", json!("05.12")),
            ("productGroupId", json!(group)),
            ("qualityStatus", json!("NOMINAL")),
            ("orbitNumber", json!(self.orbit)),
            ("beginningDateTime", json!(iso(start))),
            ("endingDateTime", json!(iso(end))),
        ];
        if let Some(cloud) = cloud {
            attributes.push(("cloudCover", json!(cloud)));
        }
        Product {
            name,
            start,
            end,
            media_type: "application/octet-stream",
            footprint_points,
            attributes,
        }
    }
}

fn tile(random: &mut Random) -> String {
    let zone = random.between(1, 61);
    let [band, column, row] =
        [BANDS, LETTERS, LETTERS].map(|letters| char::from(random.one_of(letters)));
    format!("{zone:02}{band}{column}{row}")
}
