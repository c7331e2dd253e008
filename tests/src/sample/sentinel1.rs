//! Sentinel-1: slices of a datatake, each as raw data and as products of levels 1 and 2.

use super::{Product, compact, origin, seconds};
use crate::random::Random;

/// Type, level and class of the products of one slice, by mode.
const KINDS: [(&str, &[&str]); 3] = [
    (
        "IW",
        &[
            "RAW__0SDH",
            "SLC__1SDH",
            "GRDH_1SDH",
            "OCN__2SDH",
            "ETA__AXDH",
            "RAW__0ADH",
        ],
    ),
    (
        "EW",
        &[
            "RAW__0SDH",
            "GRDM_1SDH",
            "OCN__2SDH",
            "RAW__0CDH",
            "RAW__0NDH",
        ],
    ),
    ("WV", &["RAW__0SSV", "SLC__1SSV", "OCN__2SSV"]),
];
const SLICES: i64 = 4;
const SLICE_SECONDS: i64 = 25;
const DATATAKE_SECONDS: i64 = 400;

pub(crate) fn products(mut random: Random, points: usize) -> impl Iterator<Item = Product> {
    (0_i64..).flat_map(move |datatake| {
        let (mode, kinds) = KINDS[(datatake % 3) as usize];
        let begin = origin() + seconds(datatake * DATATAKE_SECONDS);
        let orbit = 53_000 + datatake / 15;
        let number = 0x67000 + datatake;
        let mut made = Vec::new();
        for slice in 0..SLICES {
            let start = begin + seconds(slice * SLICE_SECONDS);
            let end = start + seconds(SLICE_SECONDS + random.between(0, 6));
            for kind in kinds {
                let (from, to) = (compact(start), compact(end));
                let check = random.next() & 0xFFFF;
                made.push(Product {
                    name: format!(
                        "S1A_{mode}_{kind}_{from}_{to}_{orbit:06}_{number:06X}_{check:04X}.SAFE.zip"
                    ),
                    start,
                    end,
                    media_type: "application/zip",
                    footprint_points: points.min(5),
                    attributes: Vec::new(),
                });
            }
        }
        made
    })
}
