//! Engines that do what the ids of their documents say.

use std::sync::Mutex;

use async_trait::async_trait;
use maas_model::document::{Document, DocumentId, IndexName};
use maas_model::message::RoutingKey;
use maas_model::pipeline::MissingInput;
use maas_model::store::StoreError;
use serde_json::json;

use crate::engine::{
    Announcement, Batch, Change, Engine, EngineContext, EngineError, Failure, Notice, Output,
};
use crate::pool::chain::Step;

/// Where its documents are.
pub(super) const RAW: &str = "raw";
pub(super) const OUT: &str = "out";

pub(super) fn step(id: &str, engine: impl Engine + 'static) -> Step {
    Step {
        id: id.to_owned(),
        maker: "tests 1.2.3".to_owned(),
        engine: Box::new(engine),
        send_reports: true,
        chunk_size: 0,
        force: false,
        missing: MissingInput::Skip,
    }
}

/// Copies the `value` of each raw document to the document of the same id, and names all ids to
/// `notice.key`. A raw document may ask for trouble: its `trouble` is `refuse`, `fail`.
pub(super) struct Copy;

#[async_trait]
impl Engine for Copy {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let raws = cx.input(batch).await?;
        let ids: Vec<DocumentId> = raws.iter().map(|raw| raw.id.clone()).collect();
        let out = IndexName::new(OUT).unwrap();
        let stored = cx.get_many(&out, &ids).await?;
        let mut output = Output::default();
        for (raw, stored) in raws.iter().zip(stored) {
            let trouble = raw.text("trouble").unwrap_or_default();
            if trouble == "fail" {
                let (id, reason) = (raw.id.clone(), "cannot be copied".to_owned());
                output.failures.push(Failure { id, reason });
                continue;
            }
            let before = stored.as_ref().map(|document| document.source.clone());
            let new = || Document::new(out.clone(), raw.id.clone(), serde_json::Map::new());
            let mut document = stored.unwrap_or_else(new);
            document.set("value", raw.source.get("value").cloned());
            document.set("unstorable", (trouble == "refuse").then(|| json!(true)));
            let change = Change::write(document, before, vec![raw.id.clone()]);
            output.changes.push(change.announced(Announcement {
                subject: OUT.to_owned(),
                document_class: "Out".to_owned(),
            }));
        }
        output.notices.push(Notice {
            routing_key: RoutingKey::new("notice.key").unwrap(),
            document_class: "Out".to_owned(),
            ids,
            indices: Vec::new(),
            chunk_size: 0,
        });
        Ok(output)
    }
}

/// Adds one to the counter of each id, and notes which ids it was run for.
pub(super) struct Count(pub(super) &'static Mutex<Vec<usize>>);

#[async_trait]
impl Engine for Count {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        if batch.repetition > 0 {
            self.0.lock().unwrap().push(batch.ids.len());
        }
        let out = IndexName::new(OUT).unwrap();
        let mut output = Output::default();
        let stored = cx.get_many(&out, &batch.ids).await?;
        for (id, stored) in batch.ids.iter().zip(stored) {
            let before = stored.as_ref().map(|document| document.source.clone());
            let new = || Document::new(out.clone(), id.clone(), serde_json::Map::new());
            let mut document = stored.unwrap_or_else(new);
            let count = document
                .source
                .get("count")
                .and_then(|count| count.as_u64());
            document.set("count", json!(count.unwrap_or_default() + 1));
            output
                .changes
                .push(Change::write(document, before, vec![id.clone()]));
        }
        Ok(output)
    }
}

/// Does what the first id of the message says.
pub(super) struct Obey;

#[async_trait]
impl Engine for Obey {
    async fn run(&self, batch: &Batch, _: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        match batch.ids.first().map(DocumentId::as_str) {
            Some("panic") => panic!("as told"),
            Some("hang") => std::future::pending().await,
            Some("away") => Err(EngineError::Store(StoreError::Unreachable {
                endpoint: "fake".to_owned(),
                source: "as told".into(),
            })),
            Some("not-yet") => Err(EngineError::NotYet("as told".to_owned())),
            Some("refuse") => Err(EngineError::Refused("as told".to_owned())),
            _ => Ok(Output::default()),
        }
    }
}
