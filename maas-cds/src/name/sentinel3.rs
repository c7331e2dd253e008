//! Sentinel-3: `S3A_OL_2_LFR____20240505T214727_20240505T222415_20240506T005415_3822_050_184______ESR_T_NT_002.SEN3`.

use super::ParsedName;
use super::text::{Text, auxiliary_type};

pub(super) fn parse(text: Text<'_>) -> Result<ParsedName<'_>, String> {
    let product_type = text.slice(4, 15);
    let mut parsed = ParsedName {
        satellite_unit: text.part(0, 3),
        mission: text.part(0, 2),
        product_type: Some(if product_type.contains("AUX") {
            auxiliary_type(text.as_str())?
        } else {
            product_type.into()
        }),
        ..ParsedName::default()
    };
    let level = text.at(7)?;
    if !matches!(level, "_" | "0" | "1" | "2") {
        parsed.extended_product_type = text.part(4, 24);
        return Ok(parsed);
    }
    parsed.product_level = Some(format!("L{level}_").into());
    if let Err(error) = add_sensing(text, &mut parsed) {
        parsed
            .warnings
            .push(format!("`{}`: {error}", text.as_str()));
    }
    Ok(parsed)
}

/// Reads from left to right; what stands before the first error is kept.
fn add_sensing<'a>(text: Text<'a>, parsed: &mut ParsedName<'a>) -> Result<(), String> {
    parsed.instrument = text.part(4, 6);
    parsed.file_type_function = text.part(9, 15);
    parsed.start_sensing_time = Some(text.date(16)?);
    parsed.end_sensing_time = Some(text.date(32)?);
    parsed.creation_time = Some(text.date(48)?);
    parsed.instance_id = text.part(64, 81);
    add_orbit(text, parsed);
    parsed.centre = text.part(82, 85);
    parsed.class_id = text.part(86, 94);
    parsed.platform = Some(text.at(86)?.into());
    parsed.timeliness = text.part(88, 90);
    parsed.baseline_collection = text.part(91, 94);
    Ok(())
}

/// Cycle and orbit make the datatake, where the instance is not the name of an area.
fn add_orbit<'a>(text: Text<'a>, parsed: &mut ParsedName<'a>) {
    let (cycle, orbit) = (text.slice(69, 72), text.slice(73, 76));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number(cycle) && is_number(orbit) {
        let unit = text.slice(0, 3);
        parsed.cycle_number = Some(cycle.into());
        parsed.relative_orbit_number = Some(orbit.into());
        parsed.datatake_id = Some(format!("{unit}-{cycle}-{orbit}").into());
    }
}
