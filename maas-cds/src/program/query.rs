//! `maas query`: documents that match conditions.

use std::collections::BTreeSet;

use anyhow::bail;
use clap::Args;
use maas_model::document::{Document, IndexName};
use maas_model::store::{DocumentStore, Order, Search};
use serde_json::{Value, json};

use super::Outcome;
use super::filter::{self, Condition};
use super::options::{Connection, Format, OutputOption, PipelineOption};
use super::output::{self, Rows};

/// Print the documents of an index that match.
#[derive(Debug, Args)]
pub(crate) struct Query {
    /// Index or alias.
    index: String,
    /// Condition; may be given several times, all must hold. `field=value`, `field=a,b`, `field!=value`,
    /// `field>=value` (also `>`, `<`, `<=`), `field^=prefix`, `field?` (is there), `!field?`.
    #[arg(short, long = "where", value_name = "CONDITION")]
    conditions: Vec<Condition>,
    /// Field to sort by, `-field` for largest first; may be given several times.
    #[arg(short, long, allow_hyphen_values = true)]
    sort: Vec<String>,
    /// Fields to print; all when none is named.
    #[arg(short, long, value_delimiter = ',')]
    fields: Vec<String>,
    /// Most documents to print, up to 10,000 (`maas export` prints all).
    #[arg(short, long, default_value_t = 20)]
    limit: usize,
    /// Print how many match, not the documents.
    #[arg(long)]
    count: bool,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    pipeline: PipelineOption,
}

impl Query {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        if self.limit == 0 || self.limit > Search::MOST {
            bail!(
                "`--limit` is between 1 and {}; `maas export` prints all",
                Search::MOST
            );
        }
        let index = IndexName::new(self.index.as_str())?;
        let pipeline = self.pipeline.load(connection)?;
        let model = pipeline.as_ref().and_then(|pipeline| {
            pipeline
                .models
                .values()
                .find(|model| index.as_str().starts_with(model.alias.as_str()))
        });
        let query = filter::query(&self.conditions, model.map(AsRef::as_ref));
        let store = connection.open_store()?;
        store.refresh(&index).await?;
        let matching = store.count(&index, &query).await?;
        if self.count {
            output::line(&matching.to_string())?;
            return Ok(Outcome::Done);
        }
        let mut search = Search::new(query).limited(self.limit);
        search.fields = self.fields.clone();
        for field in &self.sort {
            search = match field.strip_prefix('-') {
                Some(field) => search.sorted(field, Order::Desc),
                None => search.sorted(field, Order::Asc),
            };
        }
        let documents = store.search(&index, &search).await?;
        self.print(&*store, &index, &documents, matching).await?;
        Ok(Outcome::Done)
    }

    async fn print(
        &self,
        store: &dyn DocumentStore,
        index: &IndexName,
        documents: &[Document],
        matching: u64,
    ) -> anyhow::Result<()> {
        if self.output.output == Format::Table {
            rows(documents, &self.fields).print(Format::Table)?;
            output::line(&format!("{} of {matching} documents", documents.len()))?;
            if matching == 0 && store.indices(&format!("{index}*")).await?.is_empty() {
                output::line("no such index; `maas index list` names all")?;
            }
            return Ok(());
        }
        let objects = documents.iter().map(|document| {
            json!({"_index": document.index, "_id": document.id, "_source": document.source})
        });
        if self.output.output == Format::Json {
            return output::line(&serde_json::to_string_pretty(&objects.collect::<Vec<_>>())?);
        }
        for object in objects {
            output::line(&object.to_string())?;
        }
        Ok(())
    }
}

/// One column per field, in the order asked, or by name.
fn rows(documents: &[Document], asked: &[String]) -> Rows {
    let named: BTreeSet<&String> = documents
        .iter()
        .flat_map(|found| found.source.keys())
        .collect();
    let fields: Vec<&String> = if asked.is_empty() {
        named.into_iter().collect()
    } else {
        asked.iter().collect()
    };
    let columns =
        std::iter::once("_id".to_owned()).chain(fields.iter().map(|&field| field.clone()));
    let mut rows = Rows::new(columns);
    for document in documents {
        let values = fields
            .iter()
            .map(|&field| document.source.get(field).cloned().unwrap_or(Value::Null));
        rows.push(std::iter::once(json!(document.id)).chain(values));
    }
    rows
}
