//! A real node that goals break, and its own account of what it was asked.

use std::sync::Arc;

use anyhow::{Context, Result};
use maas_model::document::{DocumentId, IndexName, Source};
use maas_model::store::{
    DocumentStore, OpenSearchOptions, OpenSearchStore, WriteAction, WriteOp, WriteOutcome,
};
use maas_tests::server::OpenSearch;
use serde_json::{Value, json};

/// Documents of one request.
const PAGE: usize = 2_000;

/// A store on this address, as a process of its own would open it.
pub fn connect(url: &str, options: OpenSearchOptions) -> Result<Arc<dyn DocumentStore>> {
    let options = OpenSearchOptions {
        replicas: Some(0),
        ..options
    };
    Ok(Arc::new(OpenSearchStore::connect(&url.parse()?, options)?))
}

/// A store on this node as it is by default, as a process of its own would open it.
pub fn open(node: &OpenSearch) -> Result<Arc<dyn DocumentStore>> {
    connect(&node.url(), OpenSearchOptions::default())
}

/// A number of the node's own statistics of an index, over all shards: `/get/total`.
pub async fn statistic(node: &OpenSearch, index: &str, pointer: &str) -> Result<u64> {
    let stats = node.json(&format!("/{index}/_stats")).await?;
    let path = format!("/_all/primaries{pointer}");
    let number = stats.pointer(&path).and_then(Value::as_u64);
    number.with_context(|| format!("no statistic `{pointer}` of `{index}`"))
}

/// Every document of an index, refreshed before, read past our own client.
pub async fn contents(node: &OpenSearch, index: &str) -> Result<Vec<(String, Value)>> {
    let mut found = Vec::new();
    each(node, index, PAGE, |id, source| found.push((id, source))).await?;
    Ok(found)
}

/// The same, told one by one, so many in a page: nobody must hold large ones all at once.
pub async fn each(
    node: &OpenSearch,
    index: &str,
    page: usize,
    mut tell: impl FnMut(String, Value),
) -> Result<()> {
    node.ask(reqwest::Method::POST, &format!("/{index}/_refresh"), None)
        .await?;
    let path = format!("/{index}/_search");
    let mut body = json!({"size": page, "sort": ["_id"]});
    loop {
        let asked = Some(body.clone());
        let mut answer = node.ask(reqwest::Method::POST, &path, asked).await?;
        let Some(hits) = answer["hits"]["hits"].as_array_mut() else {
            anyhow::bail!("no documents in {answer}");
        };
        let is_last = hits.len() < page;
        for hit in hits {
            body["search_after"] = json!([hit["_id"]]);
            let id = hit["_id"].as_str().unwrap_or_default().to_owned();
            tell(id, hit["_source"].take());
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Writes documents that nobody else writes meanwhile.
pub async fn write(
    store: &dyn DocumentStore,
    index: &str,
    documents: impl IntoIterator<Item = (String, Value)>,
) -> Result<Vec<DocumentId>> {
    let index = IndexName::new(index)?;
    let mut actions = Vec::new();
    let mut ids = Vec::new();
    for (id, source) in documents {
        let id = DocumentId::new(id)?;
        ids.push(id.clone());
        let source: Source = serde_json::from_value(source)?;
        actions.push(WriteAction {
            index: index.clone(),
            id,
            op: WriteOp::Index(source, None),
        });
    }
    let outcomes = store.write(actions).await?;
    anyhow::ensure!(
        outcomes.iter().all(WriteOutcome::is_done),
        "a document was not written: {:?}",
        outcomes.iter().find(|outcome| !outcome.is_done())
    );
    Ok(ids)
}
