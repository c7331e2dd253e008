//! Sentinel-5P: `S5P_NRTI_L2__AER_LH_20220401T203521_20220401T204021_23146_02_020301_20220401T213615.nc`.

use super::ParsedName;
use super::text::Text;

pub(super) fn parse(text: Text<'_>) -> ParsedName<'_> {
    let mut parsed = ParsedName {
        mission: text.part(0, 2),
        satellite_unit: text.part(0, 3),
        timeliness: text.part(4, 8),
        product_type: text.part(4, 19),
        ..ParsedName::default()
    };
    if let Err(error) = add_sensing(text, &mut parsed) {
        parsed
            .warnings
            .push(format!("`{}`: {error}", text.as_str()));
    }
    parsed
}

/// Reads from left to right; what stands before the first error is kept.
fn add_sensing<'a>(text: Text<'a>, parsed: &mut ParsedName<'a>) -> Result<(), String> {
    parsed.start_sensing_time = Some(text.date(20)?);
    parsed.end_sensing_time = Some(text.date(36)?);
    let level = if matches!(text.at(10)?, "0" | "1" | "2") {
        add_orbit(text, parsed)?;
        text.slice(10, 12)
    } else {
        parsed.production_start_date = Some(text.date(52)?);
        "__"
    };
    parsed.product_level = Some(format!("L{level}").into());
    Ok(())
}

fn add_orbit<'a>(text: Text<'a>, parsed: &mut ParsedName<'a>) -> Result<(), String> {
    let orbit = text.slice(52, 57);
    parsed.absolute_orbit_number = Some(orbit.into());
    parsed.collection_number = text.part(58, 60);
    let stem = text.as_str().split('.').next().unwrap_or_default();
    if stem.chars().count() > 61 {
        parsed.processor_version = text.part(61, 67);
        parsed.production_start_date = Some(text.date(68)?);
    }
    parsed.datatake_id = Some(format!("{}-{orbit}", text.slice(0, 3)).into());
    Ok(())
}
