//! Reports of unavailable satellites.

use std::ops::ControlFlow;

use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::legacy::{old_class, without_settings};
use super::xml::known::{Element, Format, Place};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, RecordSink};

/// Reads satellite unavailability reports (`*OPER_REP__SUP__*.EOF`): a record for every subsystem, with what
/// the header says of all. Orbits and offsets that are no numbers are null.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SatelliteUnavailabilityConfig {}

impl Settings for SatelliteUnavailabilityConfig {
    const NAME: &'static str = "satellite_unavailability";
    const EXAMPLE: &'static str = "{}";
}

inventory::submit! { ExtractorPlugin::of::<SatelliteUnavailabilityConfig>(module_path!()) }
inventory::submit! {
    old_class("SatUnavailabilityExtractor", |old| {
        without_settings(old, SatelliteUnavailabilityConfig::NAME)
    })
}

/// How the text of an element becomes a value.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// Digits without leading zeros, still a text.
    Orbit,
    /// Digits, still a text.
    Offset,
}

/// Of the report: field, path.
const HEADER: [(&str, &str); 4] = [
    ("file_name", "Earth_Explorer_Header/Fixed_Header/File_Name"),
    ("mission", "Earth_Explorer_Header/Fixed_Header/Mission"),
    (
        "unavailability_reference",
        "Data_Block/Unavailability_Reference",
    ),
    ("unavailability_type", "Data_Block/Unavailability_Type"),
];

/// Of a subsystem: field, element, kind.
const SUBSYSTEM: [(&str, &str, Kind); 9] = [
    ("subsystem", "Subsystem", Kind::Text),
    ("start_time", "StartTime", Kind::Text),
    ("start_orbit", "StartOrbit", Kind::Orbit),
    ("start_anx_offset", "StartAnxOffset", Kind::Offset),
    ("end_time", "EndTime", Kind::Text),
    ("end_orbit", "EndOrbit", Kind::Orbit),
    ("end_anx_offset", "EndAnxOffset", Kind::Offset),
    ("type", "Type", Kind::Text),
    ("comment", "Comment", Kind::Text),
];

/// The same in every record.
const CONSTANTS: [(&str, &str); 3] = [
    ("interface_name", "Satellite-Unavailability"),
    ("production_service_type", "AUXIP"),
    ("production_service_name", "Exprivia"),
];

struct SatelliteUnavailabilityExtractor {
    format: Format,
    header: Vec<(&'static str, Place)>,
    list: Place,
    subsystem: Vec<(&'static str, Place, Kind)>,
}

impl ExtractorConfig for SatelliteUnavailabilityConfig {
    fn yields(&self) -> Option<Vec<String>> {
        let header = HEADER.iter().map(|(field, _)| *field);
        let subsystem = SUBSYSTEM.iter().map(|(field, ..)| *field);
        let constants = CONSTANTS.iter().map(|(field, _)| *field);
        let fields = header.chain(subsystem).chain(constants);
        Some(fields.map(str::to_owned).collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut format = Format::default();
        let mut header = Vec::new();
        for (field, path) in HEADER {
            header.push((field, format.place(path)?));
        }
        let mut subsystem = Vec::new();
        for (field, path, kind) in SUBSYSTEM {
            subsystem.push((field, format.place(path)?, kind));
        }
        Ok(Box::new(SatelliteUnavailabilityExtractor {
            header,
            list: format.place("Data_Block/List_Of_Subsystem_Unavailabilities")?,
            subsystem,
            format,
        }))
    }
}

impl SatelliteUnavailabilityExtractor {
    fn record(&self, header: &Source, subsystem: Element<'_>) -> Source {
        let mut record = header.clone();
        for (field, place, kind) in &self.subsystem {
            let value = subsystem.text_of(place).map(|text| kind.value(text));
            record.insert((*field).into(), value.unwrap_or(Value::Null));
        }
        for (field, value) in CONSTANTS {
            record.insert(field.into(), value.into());
        }
        record
    }
}

impl Kind {
    fn value(self, text: &str) -> Value {
        let digits =
            Some(text.trim()).filter(|text| !text.is_empty() && text.chars().all(char::is_numeric));
        match (self, digits) {
            (Self::Text, _) => text.into(),
            (_, None) => Value::Null,
            (Self::Offset, Some(digits)) => digits.into(),
            (Self::Orbit, Some(digits)) => digits.trim_start_matches('0').into(),
        }
    }
}

impl Extractor for SatelliteUnavailabilityExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        self.format.read(input, &mut |report, origin| {
            let mut header = Source::new();
            header.insert("reportName".into(), input.name.into());
            for (field, place) in &self.header {
                let value = report.text_of(place).map_or(Value::Null, Value::from);
                header.insert((*field).into(), value);
            }
            let list = report.first(&self.list);
            for subsystem in list.iter().flat_map(|list| list.children()) {
                sink.record(self.record(&header, subsystem), origin)?;
            }
            ControlFlow::Continue(())
        })
    }
}
