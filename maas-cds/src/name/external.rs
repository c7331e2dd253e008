//! Auxiliary files of other systems that belong to Sentinel-5P.

use super::ParsedName;
use super::text::has_shape;

/// What follows the first word of the names of cloud products, and of the two band products.
const CLOUD: &str = "WWWW_WWW_WWWWWWWWWWWWWWWW_WWWWWWWWWWWWWWWW_WWWWWWWWWWWWWWWW";
const BAND: &str = "WWW_WWWWWWWWW_WWWWWWWW_WWWWWWWW_WWWWWW_WWWWWWWWWWWWWWWWWWWWW_WWWW_WWW";

/// First word, shape of the rest, shapes of the extension, and the type it means.
const KINDS: [(&str, &str, &[&str], &str); 9] = [
    ("NISE_SSMISF18_", "99999999", &["?HDFEOS"], "AUX_NISE"),
    ("bulletinb-", "999", &["?txt"], "AUX_IERS_B"),
    ("bulletinc-", "999", &["?txt"], "AUX_IERS_C"),
    ("JRR-CloudMask_", CLOUD, &["?tar", "?nc"], "VIIRS_CM"),
    ("JRR-CloudPhase_", CLOUD, &["?tar", "?nc"], "VIIRS_CP"),
    ("JRR-CloudDCOMP_", CLOUD, &["?tar", "?nc"], "VIIRS_DCOMP"),
    ("JRR-CloudHeight_", CLOUD, &["?tar", "?nc"], "VIIRS_CTH"),
    ("GMODO_", BAND, &["?h5"], "VIIRS_L1B_GEO"),
    ("SVM99_", BAND, &["?h5"], "VIIRS_L1B_RR"),
];

pub(super) fn parse(name: &str) -> ParsedName<'_> {
    let name = name.strip_suffix('\n').unwrap_or(name);
    let kind = KINDS.iter().find(|(word, rest, extensions, _)| {
        let parts = name
            .split_at_checked(word.len())
            .and_then(|(head, tail)| Some((head, tail.split_at_checked(rest.len())?)));
        parts.is_some_and(|(head, (middle, extension))| {
            has_shape(head, word)
                && has_shape(middle, rest)
                && extensions.iter().any(|shape| has_shape(extension, shape))
        })
    });
    kind.map_or_else(ParsedName::default, |(_, _, _, product_type)| ParsedName {
        mission: Some("S5".into()),
        satellite_unit: Some("S5P".into()),
        product_type: Some((*product_type).into()),
        ..ParsedName::default()
    })
}
