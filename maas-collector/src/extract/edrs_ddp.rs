//! Session information of EDRS data dissemination: XML, whose session may lack its satellite.

use std::borrow::Cow;

use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use tracing::warn;

use super::field::{FieldError, wrong};
use super::legacy::old_class;
use super::xml::legacy::translate;
use super::xml::{XmlConfig, XmlExtractor};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, RecordSink};

/// The settings of `xml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct EdrsDdpConfig(XmlConfig);

impl JsonSchema for EdrsDdpConfig {
    fn schema_name() -> Cow<'static, str> {
        "EdrsDdpConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = XmlConfig::json_schema(generator);
        let description = "Reads session information files of EDRS (`*_DSIB.xml`), with the settings of `xml`. \
            The field `session_id` has to be there: where it does not start with a satellite (`S1A_`), the one \
            in the folder of the file (`/NOMINAL/S1A`) is put before it. The file stays as it is; \
            for a replay from elsewhere the interface keeps `reportFolder` (`store_meta`).";
        schema.insert("description".into(), description.into());
        schema
    }
}

impl Settings for EdrsDdpConfig {
    const NAME: &'static str = "edrs_ddp";
    const EXAMPLE: &'static str =
        "{ fields: { session_id: session_id, time_start: time_start, size: data_size } }";
}

inventory::submit! { ExtractorPlugin::of::<EdrsDdpConfig>(module_path!()) }
inventory::submit! { old_class("EdrsDdpExtractor", |old| translate(old, EdrsDdpConfig::NAME)) }

const SESSION: &str = "session_id";

struct EdrsDdpExtractor(XmlExtractor);

impl ExtractorConfig for EdrsDdpConfig {
    fn yields(&self) -> Option<Vec<String>> {
        self.0.yields()
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        if !self.0.has_field(SESSION) {
            return Err(vec![wrong("fields", "the field `session_id` is missing")]);
        }
        Ok(Box::new(EdrsDdpExtractor(self.0.compile()?)))
    }
}

impl Extractor for EdrsDdpExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        self.0
            .extract_with(input, sink, &|record| complete(record, input))
    }
}

/// Puts the satellite before the session.
fn complete(record: &mut Source, input: &Input<'_>) -> Result<(), FieldError> {
    let Some(session) = record.get(SESSION).and_then(|session| session.as_str()) else {
        return Err(FieldError::new(SESSION, "it is no text"));
    };
    let named = session.split_once('_');
    if named.is_some_and(|(satellite, _)| is_satellite(satellite)) {
        return Ok(());
    }
    let folder = input.folder.unwrap_or_default();
    match folder.split('/').find(|part| is_satellite(part)) {
        Some(satellite) => {
            let session = format!("{satellite}_{session}");
            record.insert(SESSION.into(), session.into());
        }
        None => warn!(
            file = input.name,
            folder, session, "no satellite in session and folder"
        ),
    }
    Ok(())
}

/// `S1A`: an `S`, a digit, and no digit.
fn is_satellite(text: &str) -> bool {
    let mut chars = text.chars();
    let shape = (chars.next(), chars.next(), chars.next(), chars.next());
    matches!(shape, (Some('S'), Some(digit), Some(unit), None)
        if digit.is_ascii_digit() && !unit.is_ascii_digit())
}
