//! `QUERY`: names the documents that a query selects to the engines behind a key.

use std::sync::Arc;

use async_trait::async_trait;
use maas_model::message::{KeyPattern, RoutingKey};
use maas_model::model::Model;
use maas_model::plugin::{Emission, EmitContext, SettingError, Settings};
use maas_model::store::{Query, Search};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Batch, BuildContext, BuildError, Engine, EngineConfig, EngineContext, EngineError,
    EnginePlugin, Notice, Output,
};

/// Selects documents of a model by a query and publishes their ids: to compute again what is stored, or
/// to wake an engine that works on other documents than those that changed. Reads nothing of the
/// message that wakes it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryConfig {
    /// Model of the documents; it is the class named in the messages.
    model: String,
    /// Which documents: `{term: {field: mission, value: S1}}`; all of the model unless given. Its fields
    /// must be declared (or `_id`): by others no store finds anything for certain.
    #[serde(default)]
    #[schemars(with = "Option<Value>")]
    query: Option<Query>,
    /// Key of the messages.
    #[schemars(with = "String")]
    output_routing_key: RoutingKey,
    /// Most ids in one message.
    #[serde(default = "default_chunk_size")]
    #[schemars(range(min = 1))]
    chunk_size: usize,
}

fn default_chunk_size() -> usize {
    1_000
}

impl Settings for QueryConfig {
    const NAME: &'static str = "QUERY";
    const EXAMPLE: &'static str = "{ model: CdsProduct, query: { term: { field: mission, value: S1 } }, \
         output_routing_key: compute.cds-product }";

    fn check(&self) -> Vec<SettingError> {
        let none = self.chunk_size == 0;
        none.then(|| SettingError::new("chunk_size", "it must be at least 1"))
            .into_iter()
            .collect()
    }
}

impl EngineConfig for QueryConfig {
    fn check_in(&self, cx: &BuildContext<'_>) -> Vec<SettingError> {
        let model = match cx.model("model", &self.model) {
            Ok(model) => model,
            Err(error) => return vec![error],
        };
        let asked = self.query.iter().flat_map(Query::fields);
        asked
            .filter(|path| *path != "_id")
            .filter_map(|path| cx.field("query", model, path).err())
            .collect()
    }

    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        Ok(Box::new(Select {
            model: Arc::clone(cx.model("model", &self.model)?),
            query: self.query.unwrap_or(Query::All),
            routing_key: self.output_routing_key,
            chunk_size: self.chunk_size,
        }))
    }

    fn emits(&self, _cx: &EmitContext<'_>) -> Vec<Emission> {
        let key = KeyPattern::from(self.output_routing_key.clone());
        vec![Emission::notice(key, Some(&self.model))]
    }
}

inventory::submit! {
    EnginePlugin::of::<QueryConfig>(module_path!()).version(env!("CARGO_PKG_VERSION"))
}

struct Select {
    model: Arc<Model>,
    query: Query,
    routing_key: RoutingKey,
    chunk_size: usize,
}

#[async_trait]
impl Engine for Select {
    async fn run(&self, _batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let mut search = Search::new(self.query.clone());
        // Only the ids are wanted; this is the least one can ask for.
        search.fields = vec!["_id".to_owned()];
        let mut pages = cx.scan(&self.model.alias, &search).await?;
        let mut ids = Vec::new();
        while let Some(page) = pages.next().await? {
            ids.extend(page.into_iter().map(|document| document.id));
        }
        Ok(Output {
            notices: vec![Notice {
                routing_key: self.routing_key.clone(),
                document_class: self.model.name.clone(),
                ids,
                indices: Vec::new(),
                chunk_size: self.chunk_size,
            }],
            ..Output::default()
        })
    }
}
