//! Sentinel-1: `S1A_IW_GRDH_1SDV_20211214T155446_20211214T155511_041007_04DF02_A693.SAFE`.

use std::borrow::Cow;

use super::ParsedName;
use super::text::{Text, has_shape};

/// Types that are told by a word anywhere in the name, in the order they are looked for.
const WORDS: [&str; 4] = ["AISAUX", "MPL_TIMELINE", "MP_FULL", "MP_ALL__"];

pub(super) fn parse(text: Text<'_>) -> Result<ParsedName<'_>, String> {
    let product_type = product_type(text);
    let level = text.at(12)?;
    let has_level = matches!(level, "0" | "1" | "2");
    let is_eta = product_type.get(3..) == Some("ETA__AX");
    let mut parsed = ParsedName {
        satellite_unit: text.part(0, 3),
        mission: text.part(0, 2),
        product_level: Some("L__".into()),
        product_type: Some(product_type),
        ..ParsedName::default()
    };
    if has_level || is_eta {
        text.at(13)?;
        add_sensing(text, level, &mut parsed);
    }
    Ok(parsed)
}

/// What only products of an instrument tell. All or nothing: without both dates the name is of another
/// kind and happens to have a digit at the place of the level.
fn add_sensing<'a>(text: Text<'a>, level: &str, parsed: &mut ParsedName<'a>) {
    let (Ok(start), Ok(stop)) = (text.date(17), text.date(33)) else {
        return;
    };
    parsed.product_level = Some(Cow::Owned(format!("L{level}_")));
    parsed.instrument_mode = text.part(4, 6);
    parsed.kind = text.part(7, 10);
    parsed.resolution_class = text.part(10, 11);
    parsed.product_class = text.part(13, 14);
    parsed.polarization = text.part(14, 16);
    parsed.start_date = Some(start);
    parsed.stop_date = Some(stop);
    parsed.absolute_orbit_number = text.part(49, 55);
    parsed.datatake_id = text.part(56, 62);
    parsed.product_unique_id = text.part(63, 67);
}

fn product_type(text: Text<'_>) -> Cow<'_, str> {
    let name = text.as_str();
    if is_report(name) {
        return "AMALFI_REPORT".into();
    }
    if name.contains("_COG") || name.ends_with("CARD_BS") {
        return "OUT_OF_MONITORING".into();
    }
    if let Some(word) = WORDS.into_iter().find(|word| name.contains(word)) {
        return word.into();
    }
    if let Some(kind) = words_after(name, "_AUX_", 1) {
        return format!("AUX_{kind}").into();
    }
    if let Some(kind) = words_after(name, "_OPER_", 2) {
        return kind.into();
    }
    text.slice(4, 14).into()
}

/// `...-report-20220413T120535.xml`.
fn is_report(name: &str) -> bool {
    const TAIL: &str = "-report-99999999T999999?xml";
    let mut starts = name.rmatch_indices("-report-");
    starts.any(|(start, _)| has_shape(&name[start..], TAIL))
}

/// The first `count` alphanumeric words, joined by `_` and followed by one, behind an occurrence of `mark`.
fn words_after<'a>(name: &'a str, mark: &str, count: usize) -> Option<&'a str> {
    let mut from = 0;
    while let Some(found) = name[from..].find(mark) {
        let rest = &name[from + found + mark.len()..];
        let end = rest.match_indices('_').nth(count - 1).map(|(end, _)| end);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if let Some(words) = end.and_then(|end| rest.get(..end))
            && words.chars().all(is_word)
        {
            return Some(words);
        }
        // The marks are ASCII, so one byte further is a boundary of characters too.
        from += found + 1;
    }
    None
}
