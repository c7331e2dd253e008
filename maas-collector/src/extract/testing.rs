//! What tests of extractors share.

use std::ops::ControlFlow;
use std::path::Path;

use maas_model::document::Source;
use serde_json::Value;

use super::{BadRecord, ExtractError, Extractor, ExtractorPlugin, Input, Origin, RecordSink};

/// Everything that an extractor gave.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) records: Vec<Value>,
    pub(crate) bad: Vec<BadRecord>,
    pub(crate) error: Option<ExtractError>,
}

/// The extractor of this name.
pub(crate) fn extractor(name: &str, settings: &Value) -> Box<dyn Extractor> {
    ExtractorPlugin::find(name)
        .unwrap()
        .build(settings)
        .unwrap()
}

impl Collected {
    pub(crate) fn from(extractor: &dyn Extractor, path: &Path) -> Self {
        let mut found = Self::default();
        let input = Input {
            path,
            name: "in",
            folder: None,
        };
        found.error = extractor.extract(&input, &mut found).err();
        found
    }

    pub(crate) fn ids(&self) -> Vec<Value> {
        self.records
            .iter()
            .map(|record| record["id"].clone())
            .collect()
    }
}

impl RecordSink for Collected {
    fn record(&mut self, record: Source, _origin: &Origin<'_>) -> ControlFlow<()> {
        self.records.push(Value::Object(record));
        ControlFlow::Continue(())
    }

    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()> {
        self.bad.push(bad);
        ControlFlow::Continue(())
    }
}
