//! What an interface makes of files: the part of a flow that needs neither store nor bus.

use std::sync::Arc;

use maas_model::clock::Clock;
use maas_model::document::IdFields;
use maas_model::message::{ExchangeName, RoutingKey};
use maas_model::model::Model;
use maas_model::pipeline::Interface;

use super::FlowError;
use crate::extract::{Extractor, ExtractorPlugin};

/// From files to documents, and from documents to messages.
pub(super) struct Recipe {
    pub(super) interface: String,
    pub(super) target: Option<Target>,
    pub(super) announce: AnnounceTo,
    /// `ingestionTime` and the dates of messages.
    pub(super) clock: Clock,
}

/// How files become documents.
pub(super) struct Target {
    pub(super) extractor: Box<dyn Extractor>,
    pub(super) model: Arc<Model>,
    pub(super) id: IdFields,
}

/// Who is told.
pub(super) struct AnnounceTo {
    pub(super) exchange: ExchangeName,
    pub(super) documents: Option<RoutingKey>,
    pub(super) files: Option<RoutingKey>,
    pub(super) chunk_size: usize,
    pub(super) priority: u8,
    pub(super) collector_name: String,
}

impl Recipe {
    /// Makes the extractor. No I/O.
    pub(super) fn of(interface: &Interface, clock: Clock) -> Result<Self, FlowError> {
        let target = match (&interface.extract, &interface.store) {
            (Some(extract), Some(store)) => {
                let plugin = ExtractorPlugin::find(&extract.name)
                    .ok_or_else(|| FlowError::unknown("extractor", extract))?;
                Some(Target {
                    extractor: plugin
                        .build(&extract.settings)
                        .map_err(|errors| FlowError::settings(extract, &errors))?,
                    model: Arc::clone(&store.model),
                    id: store.id.clone(),
                })
            }
            _ => None,
        };
        let announce = &interface.announce;
        Ok(Self {
            interface: interface.name.clone(),
            target,
            announce: AnnounceTo {
                exchange: announce.exchange(),
                documents: announce.documents.clone(),
                files: announce.files.clone(),
                chunk_size: announce.chunk_size.max(1),
                priority: announce.priority,
                collector_name: (announce.collector_name.clone())
                    .unwrap_or_else(|| class_name(&interface.collect.name)),
            },
            clock,
        })
    }
}

/// `file` as `FileCollector`: what the original writes into messages.
fn class_name(plugin: &str) -> String {
    let words = plugin.split(['-', '_']).map(|word| {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        first.to_uppercase() + rest
    });
    words.collect::<String>() + "Collector"
}
