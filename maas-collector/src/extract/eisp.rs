//! Acquisition reports of the EISP: the scenes between the gaps.

use std::ops::ControlFlow;

use chrono::{DateTime, TimeDelta, Utc};
use maas_model::document::{Moment, Source, parse_date_at};
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::field::FieldError;
use super::legacy::{old_class, without_settings};
use super::xml::known::{Element, Format, Place};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, RecordSink};

/// Reads the scenes of EISP acquisition reports (`*REP_PASS_E*.EOF`): `satellite`, `downlinkOrbit`, `station`,
/// `dataStripSensingStart`, `dataStripSensingStop` and `granuleCount` of each run of gaps of 3.6 seconds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EispConfig {}

impl Settings for EispConfig {
    const NAME: &'static str = "eisp";
    const EXAMPLE: &'static str = "{}";
}

inventory::submit! { ExtractorPlugin::of::<EispConfig>(module_path!()) }
inventory::submit! { old_class("EISPExtractor", |old| without_settings(old, EispConfig::NAME)) }

/// The reports count in GPS time, 18 seconds ahead of UTC since 2017.
const GPS_AHEAD: TimeDelta = TimeDelta::seconds(18);
/// A gap between these, both excluded, continues a scene.
const CONTINUES: (TimeDelta, TimeDelta) =
    (TimeDelta::milliseconds(3590), TimeDelta::milliseconds(3610));
const GRANULES_OF_A_GAP: u64 = 12;
/// Times are read to the millisecond.
const TIME_LENGTH: usize = 24;

struct EispExtractor {
    format: Format,
    satellite: Place,
    downlink_orbit: Place,
    station: Place,
    status: Place,
    gaps: Place,
    before: Place,
    after: Place,
}

impl ExtractorConfig for EispConfig {
    fn yields(&self) -> Option<Vec<String>> {
        let fields = [
            "satellite",
            "downlinkOrbit",
            "station",
            "dataStripSensingStart",
            "dataStripSensingStop",
            "granuleCount",
        ];
        Some(fields.map(str::to_owned).to_vec())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut format = Format::default();
        Ok(Box::new(EispExtractor {
            satellite: format.place(".//SatelliteID")?,
            downlink_orbit: format.place(".//Downlink_Orbit")?,
            station: format.place(".//System")?,
            status: format.place(".//ISP_Status")?,
            gaps: format.place(".//Gaps")?,
            before: format.place("PreSensTime")?,
            after: format.place("PostSensTime")?,
            format,
        }))
    }
}

/// A run of gaps, one right behind the other.
#[derive(Clone, Copy)]
struct Scene {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    gaps: u64,
}

impl EispExtractor {
    /// The scenes up to the first time that is wrong, and what is wrong with it.
    fn scenes(&self, report: Element<'_>) -> (Vec<Scene>, Result<(), FieldError>) {
        let mut scenes = Vec::new();
        // The first of each counts, also when it is empty and a later one is not.
        let status = report.first(&self.status);
        let Some(gaps) = status.and_then(|status| status.first(&self.gaps)) else {
            return (scenes, Ok(()));
        };
        let mut scene: Option<Scene> = None;
        let mut gaps = gaps.children().peekable();
        while let Some(gap) = gaps.next() {
            let text = |place| gap.text_of(place).filter(|text| !text.is_empty());
            let (Some(start), Some(end)) = (text(&self.before), text(&self.after)) else {
                continue;
            };
            let (start, end) = match (time(start), time(end)) {
                (Ok(start), Ok(end)) => (start, end),
                (Err(error), _) | (_, Err(error)) => return (scenes, Err(error)),
            };
            let length = end - start;
            if CONTINUES.0 < length && length < CONTINUES.1 {
                let so_far = scene.get_or_insert(Scene {
                    start,
                    end,
                    gaps: 0,
                });
                so_far.end = end;
                so_far.gaps += 1;
                if gaps.peek().is_none() {
                    scenes.extend(scene);
                }
            } else {
                scenes.extend(scene.take());
            }
        }
        (scenes, Ok(()))
    }

    fn record(&self, scene: &Scene, report: Element<'_>, name: &str) -> Source {
        let text = |place| report.text_of(place).map_or(Value::Null, Value::from);
        let moment =
            |instant: DateTime<Utc>| Moment::aware((instant - GPS_AHEAD).fixed_offset()).to_value();
        let fields = [
            ("reportName", name.into()),
            ("satellite", text(&self.satellite)),
            ("downlinkOrbit", text(&self.downlink_orbit)),
            ("station", text(&self.station)),
            ("dataStripSensingStart", moment(scene.start)),
            ("dataStripSensingStop", moment(scene.end)),
            (
                "granuleCount",
                ((scene.gaps + 1) * GRANULES_OF_A_GAP).into(),
            ),
        ];
        let fields = fields
            .into_iter()
            .map(|(field, value)| (field.to_owned(), value));
        fields.collect()
    }
}

fn time(text: &str) -> Result<DateTime<Utc>, FieldError> {
    let mut text: String = text.chars().take(TIME_LENGTH).collect();
    text.push('z');
    // What a time leaves out would be that of the given instant: the same for the same file.
    parse_date_at(&Value::from(text), DateTime::UNIX_EPOCH)
        .map_err(|error| FieldError::whole(error.to_string()))
}

impl Extractor for EispExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        self.format.read(input, &mut |report, origin| {
            let (scenes, end) = self.scenes(report);
            for scene in &scenes {
                sink.record(self.record(scene, report, input.name), origin)?;
            }
            match end {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => sink.bad(origin.bad(error.field, error.reason)),
            }
        })
    }
}
