//! The engine of the simulated pipeline that many workers want the same documents of.

use std::collections::BTreeMap;

use async_trait::async_trait;
use maas_engine::engine::{
    Announcement, Batch, BuildContext, BuildError, Change, Engine, EngineConfig, EngineContext,
    EngineError, EnginePlugin, Failure, Output,
};
use maas_model::document::{Document, DocumentId, Source};
use maas_model::plugin::{Emission, EmitContext, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fuse::Fuse;
use crate::source::DEADLY;

/// Readings of this station make the engine fail.
pub const BAD_STATION: &str = "bad";

/// Keeps the readings of each station in one document.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gather {}

impl Settings for Gather {
    const NAME: &'static str = "GATHER";
    const EXAMPLE: &'static str = "{}";
}

impl EngineConfig for Gather {
    fn build(self, _cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        Ok(Box::new(Gathering { fuse: Fuse::here() }))
    }

    fn emits(&self, _cx: &EmitContext<'_>) -> Vec<Emission> {
        Emission::of_writes("station", "Station").unwrap_or_default()
    }
}

inventory::submit! { EnginePlugin::of::<Gather>(module_path!()) }

#[derive(Debug)]
struct Gathering {
    fuse: Fuse,
}

#[async_trait]
impl Engine for Gathering {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let mut output = Output::default();
        let mut groups: BTreeMap<String, Vec<DocumentId>> = BTreeMap::new();
        for reading in cx.input(batch).await? {
            if reading.id.as_str().starts_with(DEADLY) {
                self.fuse.blow().await;
            }
            match reading.text("station") {
                Some(BAD_STATION) | None => output.failures.push(Failure {
                    id: reading.id.clone(),
                    reason: "its station is bad".to_owned(),
                }),
                Some(station) => {
                    let group = groups.entry(station.to_owned()).or_default();
                    group.push(reading.id.clone());
                }
            }
        }
        let alias = cx.model("Station")?.alias.clone();
        let ids: Vec<DocumentId> = groups
            .keys()
            .filter_map(|station| DocumentId::new(station.as_str()).ok())
            .collect();
        let stations = cx.get_many(&alias, &ids).await?;
        // What a document is made of is read after the document itself.
        let readings = cx.model("Reading")?.alias.clone();
        for (stored, (station, inputs)) in stations.into_iter().zip(groups) {
            let found = cx.get_many(&readings, &inputs).await?;
            let id = DocumentId::new(station.as_str())
                .map_err(|error| EngineError::Refused(error.to_string()))?;
            let before = stored.as_ref().map(|stored| stored.source.clone());
            let mut document =
                stored.unwrap_or_else(|| Document::new(alias.clone(), id, Source::new()));
            gather(&mut document, &station, found.into_iter().flatten());
            let change = Change::write(document, before, inputs);
            output.changes.push(change.announced(Announcement {
                subject: "station".to_owned(),
                document_class: "Station".to_owned(),
            }));
        }
        Ok(output)
    }
}

fn gather(document: &mut Document, station: &str, readings: impl Iterator<Item = Document>) {
    let members = document.source.get("members").and_then(Value::as_object);
    let mut members: BTreeMap<String, Value> = members.cloned().into_iter().flatten().collect();
    for reading in readings {
        let value = reading.source.get("value").cloned().unwrap_or_default();
        members.insert(reading.id.to_string(), value);
    }
    let total: i64 = members.values().filter_map(Value::as_i64).sum();
    document.set("station", Value::from(station));
    document.set("total", Value::from(total));
    let members: Map<String, Value> = members.into_iter().collect();
    document.set("members", Value::Object(members));
}
