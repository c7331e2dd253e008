//! Searches, scans and counts: they see what was refreshed.

use async_trait::async_trait;
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::OpenSearchStore;
use super::client::{Answer, Body, misread, off_thread};
use super::field::paths;
use super::hit::Hit;
use super::query;
use super::whole::Shards;
use crate::document::{Document, IndexName};
use crate::store::{Pages, Query, Search, StoreError};

/// Half an answer is an error, not an answer.
pub(super) const WHOLE: (&str, &str) = ("allow_partial_search_results", "false");

/// How long the cluster keeps a scan whose next page is not asked for.
const PATIENCE: &str = "10m";

impl OpenSearchStore {
    /// The documents of one search.
    pub(super) async fn find(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Vec<Document>, StoreError> {
        let mut body = self.search_body(index, search).await?;
        // Counting what is not fetched costs time (and is refused in a scan).
        body["track_total_hits"] = false.into();
        let path = format!("/{index}/_search");
        let answer = self
            .client
            .send(Method::Post, &path, &[WHOLE], Body::Json(body))
            .await?;
        Ok(first_page(answer).await?.documents)
    }

    /// The first page of a scan, and how to get the others.
    pub(super) async fn open_scan(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Box<dyn Pages>, StoreError> {
        let mut body = self.search_body(index, search).await?;
        if search.sort.is_empty() {
            // The order of the files: nothing to compare.
            body["sort"] = json!(["_doc"]);
        }
        let path = format!("/{index}/_search");
        let parameters = [WHOLE, ("scroll", PATIENCE)];
        let answer = self
            .client
            .send(Method::Post, &path, &parameters, Body::Json(body))
            .await?;
        let Page { documents, scroll } = first_page(answer).await?;
        Ok(Box::new(Scan {
            store: self.clone(),
            ready: Some(documents),
            scroll,
            interrupted: false,
        }))
    }

    /// How many documents match.
    pub(super) async fn tally(&self, index: &IndexName, query: &Query) -> Result<u64, StoreError> {
        #[derive(Deserialize)]
        struct Counted {
            count: u64,
        }
        self.check(query.check())?;
        let fields = self.fields(index, paths(query)).await?;
        let body = json!({ "query": query::query(query, &fields) });
        let path = format!("/{index}/_count");
        let counted: Option<Counted> = self.client.find_whole(&path, &[], Body::Json(body)).await?;
        Ok(counted.map_or(0, |counted| counted.count))
    }

    async fn search_body(&self, index: &IndexName, search: &Search) -> Result<Value, StoreError> {
        self.check(search.check())?;
        let mut used = paths(&search.query);
        used.extend(search.sort.iter().map(|sort| sort.field.as_str()));
        let fields = self.fields(index, used).await?;
        let mut body = json!({
            "query": query::query(&search.query, &fields),
            "size": search.limit,
            "seq_no_primary_term": true,
        });
        if !search.sort.is_empty() {
            body["sort"] = query::sort(&search.sort, &fields);
        }
        if !search.fields.is_empty() {
            body["_source"] = json!(search.fields);
        }
        Ok(body)
    }
}

/// A scan in progress.
#[derive(Debug)]
struct Scan {
    store: OpenSearchStore,
    ready: Option<Vec<Document>>,
    scroll: Option<String>,
    interrupted: bool,
}

#[async_trait]
impl Pages for Scan {
    async fn next(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        if self.interrupted {
            // The cluster may have gone on to the page after the lost one.
            return Err(self
                .store
                .refused("the scan was interrupted; it must begin again".to_owned()));
        }
        let documents = match self.ready.take() {
            Some(documents) => documents,
            None => self.fetch().await?,
        };
        if documents.is_empty() {
            self.close().await;
            return Ok(None);
        }
        Ok(Some(documents))
    }
}

impl Scan {
    async fn fetch(&mut self) -> Result<Vec<Document>, StoreError> {
        let Some(scroll) = &self.scroll else {
            return Ok(Vec::new());
        };
        // Stays so when the answer, or the caller, is lost.
        self.interrupted = true;
        let body = Body::Json(json!({ "scroll": PATIENCE, "scroll_id": scroll }));
        let answer = self
            .store
            .client
            .send(Method::Post, "/_search/scroll", &[], body)
            .await?;
        let page = page(answer).await?;
        self.interrupted = false;
        self.scroll = page.scroll.or(self.scroll.take());
        Ok(page.documents)
    }

    async fn close(&mut self) {
        if let Some(scroll) = self.scroll.take() {
            forget(&self.store, scroll).await;
        }
    }
}

/// A cluster keeps a bounded number of scans.
impl Drop for Scan {
    fn drop(&mut self) {
        let Some(scroll) = self.scroll.take() else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let store = self.store.clone();
            runtime.spawn(async move { forget(&store, scroll).await });
        }
    }
}

async fn forget(store: &OpenSearchStore, scroll: String) {
    let body = Body::Json(json!({ "scroll_id": [scroll] }));
    if let Err(error) = store
        .client
        .send(Method::Delete, "/_search/scroll", &[], body)
        .await
    {
        tracing::debug!(%error, "scan not closed; the store forgets it later");
    }
}

#[derive(Default)]
struct Page {
    documents: Vec<Document>,
    scroll: Option<String>,
}

#[derive(Deserialize)]
struct Found<'a> {
    #[serde(rename = "_scroll_id")]
    scroll: Option<String>,
    #[serde(borrow)]
    hits: Hits<'a>,
    #[serde(rename = "_shards")]
    shards: Shards,
}

#[derive(Deserialize)]
struct Hits<'a> {
    #[serde(borrow)]
    hits: Vec<Hit<'a>>,
}

/// The first page, or the only one: empty when there is no such index.
async fn first_page(answer: Answer) -> Result<Page, StoreError> {
    match answer.is_absent() {
        true => Ok(Page::default()),
        false => page(answer).await,
    }
}

async fn page(answer: Answer) -> Result<Page, StoreError> {
    let Answer { body, endpoint, .. } = answer.success()?;
    off_thread(body.len(), move || {
        let found: Found<'_> =
            serde_json::from_slice(&body).map_err(|error| misread(endpoint.clone(), &error))?;
        found.shards.check(&endpoint)?;
        let mut last_index = None;
        let documents = found
            .hits
            .hits
            .into_iter()
            .map(|hit| hit.document(&mut last_index));
        let documents = documents.collect::<Result<_, _>>();
        Ok(Page {
            documents: documents.map_err(|reason| StoreError::Damaged {
                place: format!("an answer of {endpoint}"),
                reason,
            })?,
            scroll: found.scroll,
        })
    })
    .await
}
