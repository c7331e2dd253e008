//! CCSDS orbit ephemeris messages.

use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::legacy::{old_class, without_settings};
use super::xml::known::{Element, Format, Place};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, RecordSink};

/// Reads a CCSDS orbit ephemeris message of one segment: one record with header, metadata, and the lists
/// `statevectors` and `covariances`. Numbers stay texts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrbitEphemerisMessageConfig {}

impl Settings for OrbitEphemerisMessageConfig {
    const NAME: &'static str = "orbit_ephemeris_message";
    const EXAMPLE: &'static str = "{}";
}

inventory::submit! { ExtractorPlugin::of::<OrbitEphemerisMessageConfig>(module_path!()) }
inventory::submit! {
    old_class("OrbitEphemerisMessageExtractor", |old| {
        without_settings(old, OrbitEphemerisMessageConfig::NAME)
    })
}

/// Of the message: field, path.
const HEADER: [(&str, &str); 11] = [
    ("header_creation_date", "header/CREATION_DATE"),
    ("header_originator", "header/ORIGINATOR"),
    ("header_message_id", "header/MESSAGE_ID"),
    ("object_name", "body/segment/metadata/OBJECT_NAME"),
    ("object_id", "body/segment/metadata/OBJECT_ID"),
    ("center_name", "body/segment/metadata/CENTER_NAME"),
    // The Python system reads the name of the center here too, and documents compare equal to its.
    ("data_mode", "body/segment/metadata/CENTER_NAME"),
    ("ref_frame", "body/segment/metadata/REF_FRAME"),
    ("time_system", "body/segment/metadata/TIME_SYSTEM"),
    ("start_time", "body/segment/metadata/START_TIME"),
    ("stop_time", "body/segment/metadata/STOP_TIME"),
];

/// Of a state vector: the element is the member in capitals.
const VECTOR: [&str; 7] = ["epoch", "x", "y", "z", "x_dot", "y_dot", "z_dot"];

/// Of a covariance matrix: the element is the member in capitals, but for `ref_frame`.
const COVARIANCE: [&str; 23] = [
    "epoch",
    "ref_frame",
    "cx_x",
    "cy_x",
    "cz_x",
    "cx_dot_x",
    "cy_dot_x",
    "cz_dot_x",
    "cy_y",
    "cz_y",
    "cx_dot_y",
    "cy_dot_y",
    "cz_dot_y",
    "cz_z",
    "cx_dot_z",
    "cy_dot_z",
    "cz_dot_z",
    "cx_dot_x_dot",
    "cy_dot_x_dot",
    "cz_dot_x_dot",
    "cy_dot_y_dot",
    "cz_dot_y_dot",
    "cz_dot_z_dot",
];

type Fields = Vec<(&'static str, Place)>;

struct OrbitEphemerisMessageExtractor {
    format: Format,
    header: Fields,
    vectors: Place,
    vector: Fields,
    covariances: Place,
    covariance: Fields,
}

impl ExtractorConfig for OrbitEphemerisMessageConfig {
    fn yields(&self) -> Option<Vec<String>> {
        let header = HEADER.iter().map(|(field, _)| *field);
        let lists = [
            "total_statevector",
            "total_covariance",
            "statevectors",
            "covariances",
        ];
        Some(header.chain(lists).map(str::to_owned).collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut format = Format::default();
        let mut header = Fields::new();
        for (field, path) in HEADER {
            header.push((field, format.place(path)?));
        }
        Ok(Box::new(OrbitEphemerisMessageExtractor {
            header,
            vectors: format.place("body/segment/data/stateVector")?,
            vector: members(&VECTOR, &mut format)?,
            covariances: format.place("body/segment/data/covarianceMatrix")?,
            covariance: members(&COVARIANCE, &mut format)?,
            format,
        }))
    }
}

fn members(members: &[&'static str], format: &mut Format) -> Result<Fields, Vec<SettingError>> {
    let place = |member: &&'static str| {
        let element = match *member {
            "ref_frame" => "COV_REF_FRAME".to_owned(),
            member => member.to_uppercase(),
        };
        Ok((*member, format.place(&element)?))
    };
    members.iter().map(place).collect()
}

/// The number of items and their list.
fn list(items: impl Iterator<Item = Map<String, Value>>) -> (Value, Value) {
    let items: Vec<Value> = items.map(Value::Object).collect();
    (items.len().into(), items.into())
}

/// The trimmed texts of an element's members; empty for those that are absent.
fn texts(element: Element<'_>, members: &Fields) -> Map<String, Value> {
    let text = |place| element.text_of(place).unwrap_or("").trim();
    let members = members.iter();
    members
        .map(|(member, place)| ((*member).to_owned(), text(place).into()))
        .collect()
}

impl OrbitEphemerisMessageExtractor {
    fn record(&self, message: Element<'_>, name: &str) -> Source {
        let mut record = Source::new();
        for (field, place) in &self.header {
            let value = message.text_of(place).map(str::trim);
            record.insert((*field).into(), value.map_or(Value::Null, Value::from));
        }
        record.insert("reportName".into(), name.into());
        let vectors = message.all(&self.vectors);
        let (count, vectors) = list(vectors.map(|vector| texts(vector, &self.vector)));
        record.insert("total_statevector".into(), count);
        let covariances = message.all(&self.covariances);
        let (count, covariances) = list(covariances.map(|one| texts(one, &self.covariance)));
        record.insert("total_covariance".into(), count);
        record.insert("statevectors".into(), vectors);
        record.insert("covariances".into(), covariances);
        record
    }
}

impl Extractor for OrbitEphemerisMessageExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        self.format.read(input, &mut |message, origin| {
            sink.record(self.record(message, input.name), origin)
        })
    }
}
