//! What came of a test, as lists of fields that can be compared and written down.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use indexmap::IndexMap;
use maas_collector::flow::Preview;
use maas_model::document::Document;
use maas_model::message::{DeadLetter, DeadOriginal, Message, Outgoing, Topology};
use maas_model::pipeline::Pipeline;
use serde_json::{Value, json};

use super::file::{Expect, Fields, Step, TestCase};
use super::handed::BrokenFile;
use super::world::World;
use crate::program::connect;

/// Everything of a test that is expected or worth writing down.
#[derive(Debug, Default)]
pub(super) struct Happened {
    /// By interface.
    pub(super) records: IndexMap<String, Vec<Fields>>,
    /// By index or alias.
    pub(super) documents: IndexMap<String, Vec<Fields>>,
    /// By routing key.
    pub(super) messages: IndexMap<String, Vec<Fields>>,
    pub(super) dead: Vec<Fields>,
}

impl Happened {
    /// Lets everything of a test happen. `before` is what the file gives for all tests.
    pub(super) async fn of(
        test: &TestCase,
        before: &[Step],
        folder: &Path,
        pipeline: &Pipeline,
        world: &mut World<'_>,
    ) -> anyhow::Result<Self> {
        for step in before.iter().chain(&test.given) {
            world.happen(step, folder).await?;
        }
        // What is given is expected to work, and is nobody's news.
        if let Some(dead) = dead(world)?.first() {
            anyhow::bail!("what is given becomes a dead letter: {}", json!(dead));
        }
        let nothing_expected = test.expect.is_empty();
        let before = match nothing_expected {
            true => all_documents(world).await?,
            false => IndexMap::new(),
        };
        let mut happened = Self::default();
        for step in &test.when {
            happened.read_records(step, &test.expect, folder, pipeline, world)?;
            world.happen(step, folder).await?;
        }
        happened.take(world)?;
        if nothing_expected {
            // For whoever writes the expectation down: what was given is no news.
            let mut after = all_documents(world).await?;
            after.retain(|index, documents| before.get(index) != Some(documents));
            happened.documents = after;
        }
        for index in test.expect.documents.keys() {
            let documents = documents_of(world, index).await?;
            happened.documents.insert(index.clone(), documents);
        }
        Ok(happened)
    }

    /// What the extractor makes of a step's file, if somebody wants to know.
    fn read_records(
        &mut self,
        step: &Step,
        expect: &Expect,
        folder: &Path,
        pipeline: &Pipeline,
        world: &World<'_>,
    ) -> anyhow::Result<()> {
        let Some(interface) = step.interface.as_deref() else {
            return Ok(());
        };
        if !expect.records.contains_key(interface) {
            return Ok(());
        }
        let item = world.input(step, folder)?.with_context(|| {
            format!("records of `{interface}` are expected, which takes what its own collector finds: name a file")
        })?;
        let preview = Preview::build(connect::interface(pipeline, interface)?, world.clock())?;
        let records = self.records.entry(interface.to_owned()).or_default();
        tokio::task::block_in_place(|| {
            preview.records(item, &mut |record| {
                records.push(record.clone());
                ControlFlow::Continue(())
            })
        });
        Ok(())
    }

    fn take(&mut self, world: &mut World<'_>) -> anyhow::Result<()> {
        let (letters, messages): (Vec<Outgoing>, Vec<Outgoing>) =
            world.take_published().into_iter().partition(is_letter);
        for outgoing in messages {
            let key = outgoing.routing_key.to_string();
            let messages = self.messages.entry(key).or_default();
            messages.push(message(&outgoing)?);
        }
        self.dead = letters_of(letters, world)?;
        Ok(())
    }
}

async fn documents_of(world: &World<'_>, index: &str) -> anyhow::Result<Vec<Fields>> {
    let documents = world.documents(index).await?;
    Ok(documents.into_iter().map(document).collect())
}

async fn all_documents(world: &World<'_>) -> anyhow::Result<IndexMap<String, Vec<Fields>>> {
    let mut all = IndexMap::new();
    for index in world.filled().await? {
        let documents = documents_of(world, &index).await?;
        all.insert(index, documents);
    }
    Ok(all)
}

impl Expect {
    /// Whether nothing is expected: nobody has written it down yet.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.documents.is_empty()
            && self.messages.is_none()
            && self.dead.is_empty()
    }
}

/// All dead letters since the last call; messages are forgotten.
fn dead(world: &mut World<'_>) -> anyhow::Result<Vec<Fields>> {
    let published = world.take_published().into_iter();
    letters_of(published.filter(is_letter).collect(), world)
}

fn letters_of(letters: Vec<Outgoing>, world: &mut World<'_>) -> anyhow::Result<Vec<Fields>> {
    let mut dead: Vec<Fields> = world.take_broken().into_iter().map(broken).collect();
    for outgoing in letters {
        dead.push(letter(DeadLetter::parse(&outgoing.body)?));
    }
    dead.extend(world.take_dead().into_iter().map(letter));
    Ok(dead)
}

fn is_letter(outgoing: &Outgoing) -> bool {
    outgoing.exchange.as_str().is_empty()
        && outgoing.routing_key.as_str().starts_with(Topology::PARKING)
}

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(mut fields) => {
            fields.retain(|_, value| !value.is_null());
            fields
        }
        _ => Fields::new(),
    }
}

fn document(document: Document) -> Fields {
    let mut all = fields(json!({ "_id": document.id, "_index": document.index }));
    all.extend(document.source);
    all
}

fn message(outgoing: &Outgoing) -> anyhow::Result<Fields> {
    let message = Message::parse(&outgoing.body)?;
    let mut all = fields(json!({
        "exchange": outgoing.exchange,
        "priority": outgoing.priority,
    }));
    all.extend(fields(serde_json::to_value(message)?));
    Ok(all)
}

fn broken(file: BrokenFile) -> Fields {
    fields(json!({
        "owner": file.interface,
        "kind": "broken file",
        "reason": file.reason,
        "file": file.file,
    }))
}

fn letter(letter: DeadLetter) -> Fields {
    let mut all = fields(json!({
        "owner": letter.owner,
        "kind": letter.reason.kind,
        "component": letter.reason.component,
        "reason": letter.reason.detail,
        "tries": letter.tries,
    }));
    all.extend(match letter.original {
        DeadOriginal::Message {
            routing_key,
            queue,
            body,
            ..
        } => {
            let message = body.and_then(|body| Message::parse(body.as_bytes()).ok());
            let ids = message.map(|message| message.document_ids);
            fields(json!({ "queue": queue, "key": routing_key, "document_ids": ids }))
        }
        DeadOriginal::Record {
            file, place, raw, ..
        } => {
            let name = file.rsplit('/').next().unwrap_or(&file).to_owned();
            fields(json!({ "file": name, "place": place, "raw": raw }))
        }
        DeadOriginal::Document {
            index, id, source, ..
        } => fields(json!({ "index": index, "id": id, "document": source })),
    });
    all
}
