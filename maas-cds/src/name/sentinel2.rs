//! Sentinel-2: `S2B_OPER_MSI_L1C_TC_VGS1_20211206T062120_A024812_T47RMP_N03.01.tar` and, for the
//! containers users get, `S2A_MSIL1C_20211206T182741_N0301_R127_T11SQS_20211206T201831.SAFE`.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::ParsedName;
use super::text::{Text, auxiliary_type, has_shape};

/// Whether `name` is the compact name of a container.
pub fn is_container(name: &str) -> bool {
    // A line end behind the name does not count, as in the original.
    let name = name.strip_suffix('\n').unwrap_or(name);
    let text = Text::new(name);
    let head = "S2?_XXXXXX_99999999T999999_N9999_R999_";
    if !has_shape(text.slice(0, 38), head) || !"ABC|_".contains(text.slice(2, 3)) {
        return false;
    }
    let tiled = has_shape(text.slice(38, 45), "TXXXXX_");
    let tail = Text::new(text.from(if tiled { 45 } else { 38 }));
    has_shape(tail.slice(0, 15), "99999999T999999")
        && ["", "?SAFE", "?zip"]
            .iter()
            .any(|extension| has_shape(tail.from(15), extension))
}

pub(super) fn parse(text: Text<'_>) -> Result<ParsedName<'_>, String> {
    let mut parsed = if is_container(text.as_str()) {
        container(text)?
    } else {
        ordinary(text)?
    };
    parsed.satellite_unit = text.part(0, 3);
    parsed.mission = text.part(0, 2);
    Ok(parsed)
}

/// Every place in a container's name is fixed, but that the tile may be left out.
fn container(text: Text<'_>) -> Result<ParsedName<'_>, String> {
    let tiled = text.slice(38, 39) == "T";
    let level = text.slice(7, 10);
    Ok(ParsedName {
        product_level: Some(level.into()),
        product_type: Some(format!("MSI_{level}___").into()),
        datatake_id_sensing_time: Some(text.date(11)?),
        processing_baseline_number: text.part(28, 32),
        relative_orbit_number: text.part(34, 37),
        tile_number: Some(if tiled { text.slice(39, 44) } else { "_____" }.into()),
        product_discriminator_date: Some(text.date(if tiled { 45 } else { 38 })?),
        ..ParsedName::default()
    })
}

fn ordinary(text: Text<'_>) -> Result<ParsedName<'_>, String> {
    let mut parsed = ParsedName {
        product_type: Some(product_type(text)?),
        product_level: Some("L__".into()),
        file_class: text.part(4, 8),
        file_category: text.part(9, 13),
        ..ParsedName::default()
    };
    let category = text.slice(9, 13);
    if category == "MSI_" {
        parsed.product_level = text.part(13, 16);
    }
    if matches!(category, "MSI_" | "AUX_" | "GIP_") {
        parsed.site_center = text.part(20, 24);
        parsed.creation_date = Some(text.date(25)?);
    }
    add_tags(text, &mut parsed);
    parsed.sensing_start_date = parsed
        .applicability_start_time
        .or(parsed.start_applicability_time_period);
    Ok(parsed)
}

fn product_type(text: Text<'_>) -> Result<Cow<'_, str>, String> {
    let name = text.as_str();
    if name.contains("_report.xml") || name.contains("_report.tar") {
        return Ok("OLQC_REPORT".into());
    }
    let product_type = text.slice(9, 19);
    if product_type.contains("AUX") {
        return auxiliary_type(name);
    }
    Ok(product_type.into())
}

/// Parts that are told by a letter before them, in any order, behind the fixed ones. One that cannot be
/// read is left out.
fn add_tags<'a>(text: Text<'a>, parsed: &mut ParsedName<'a>) {
    let tags = text.from(40);
    let tag = |mark: &str| tags.split_once(mark).map(|(_, rest)| Text::new(rest));
    let part = |mark: &str, length: usize| tag(mark).map(|rest| rest.slice(0, length).into());

    parsed.relative_orbit_number = part("_R", 3);
    parsed.tile_number = part("_T", 5);
    parsed.detector_id = part("_D", 2);
    parsed.band_index_id = part("_B", 2);
    parsed.absolute_orbit_number = part("_A", 6);
    parsed.completeness_id = part("_W", 1);
    parsed.degradation_id = part("_L", 1);
    parsed.processing_baseline_number = tag("_N").map(|rest| baseline(rest.as_str()));

    let mut warnings = Vec::new();
    let mut readable = |mark: &str, read: Result<Period, String>| match read {
        Ok(period) => Some(period),
        // These reports have no dates in their names, and come by the thousand.
        Err(_) if text.as_str().ends_with("SENSOR_QUALITY_report.xml") => None,
        Err(error) => {
            warnings.push(format!("`{mark}` of `{}`: {error}", text.as_str()));
            None
        }
    };
    if let Some(rest) = tag("_S") {
        let start = rest.date(0).map(|start| (start, start));
        parsed.applicability_start_time = readable("_S", start).map(|(start, _)| start);
    }
    if let Some(rest) = tag("_V") {
        let period = readable("_V", period(rest));
        parsed.start_applicability_time_period = period.map(|(start, _)| start);
        parsed.end_applicability_time_period = period.map(|(_, end)| end);
    }
    // `_O` also begins words such as `_OLQC`.
    if let Some(rest) = tag("_O")
        && rest
            .as_str()
            .split('_')
            .next()
            .map(|token| token.chars().count())
            == Some(15)
    {
        let period = readable("_O", period(rest));
        parsed.first_absolute_orbit_number = period.map(|(start, _)| start);
        parsed.last_absolute_orbit_number = period.map(|(_, end)| end);
    }
    parsed.warnings = warnings;
}

type Period = (DateTime<Utc>, DateTime<Utc>);

/// Two dates joined by `_`.
fn period(text: Text<'_>) -> Result<Period, String> {
    Ok((text.date(0)?, text.date(16)?))
}

/// Four characters; `05.10` and `0510` are the same baseline.
fn baseline(rest: &str) -> Cow<'_, str> {
    let four = Text::new(rest).slice(0, 4);
    if four.contains('.') {
        rest.chars().filter(|c| *c != '.').take(4).collect()
    } else {
        four.into()
    }
}
