//! Sentinel-3: products of the optical and topographic instruments.

use super::{Product, compact, origin, seconds};
use crate::random::Random;

/// Type, length in seconds, timeliness.
const KINDS: [(&str, i64, &str); 10] = [
    ("OL_0_EFR___", 120, "NR"),
    ("OL_1_EFR___", 180, "NR"),
    ("OL_2_LFR___", 180, "NR"),
    ("OL_2_LRR___", 2_600, "NT"),
    ("SL_0_SLT___", 300, "NR"),
    ("SL_1_RBT___", 180, "NR"),
    ("SL_2_LST___", 180, "NT"),
    ("SR_0_SRA___", 600, "NR"),
    ("SR_2_LAN___", 600, "ST"),
    ("SY_2_SYN___", 180, "ST"),
];
const FRAME_SECONDS: i64 = 180;

pub(crate) fn products(
    unit: &'static str,
    mut random: Random,
    points: usize,
) -> impl Iterator<Item = Product> {
    (0_i64..).flat_map(move |frame| {
        let start = origin() + seconds(77 + frame * FRAME_SECONDS);
        let (cycle, orbit) = (111 + frame / 12_000, 1 + (frame / 33) % 385);
        KINDS
            .iter()
            .map(|&(kind, length, timeliness)| {
                let end = start + seconds(length - 1);
                let made = end + seconds(random.between(3_000, 9_000));
                let centre = random.one_of(&["LN1", "LN2", "PS1", "PS2"]);
                let (from, to, made) = (compact(start), compact(end), compact(made));
                Product {
                    name: format!(
                        "{unit}_{kind}_{from}_{to}_{made}_{:04}_{cycle:03}_{orbit:03}______{centre}_O_{timeliness}_002.SEN3.zip",
                        length - 1
                    ),
                    start,
                    end,
                    media_type: "application/zip",
                    footprint_points: points,
                    attributes: Vec::new(),
                }
            })
            .collect::<Vec<_>>()
    })
}
