//! Reads by id, which see every write at once.

use std::borrow::Cow;

use opensearch::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::OpenSearchStore;
use super::client::{Answer, Body, misread, off_thread};
use super::error::Failure;
use crate::document::{Document, DocumentId, IndexName, Source, Version};
use crate::store::StoreError;

/// Most documents asked for in one request.
const AT_ONCE: usize = 5_000;

#[derive(Deserialize)]
struct Resolved {
    #[serde(default)]
    indices: Vec<ResolvedIndex>,
    #[serde(default)]
    aliases: Vec<ResolvedAlias>,
}

#[derive(Deserialize)]
struct ResolvedIndex {
    name: IndexName,
}

#[derive(Deserialize)]
struct ResolvedAlias {
    indices: Vec<IndexName>,
}

impl OpenSearchStore {
    /// See [`DocumentStore::get_many`](crate::store::DocumentStore::get_many).
    ///
    /// A read by id takes one index only, and a search sees refreshed documents only: so every index of
    /// the alias is asked, from the last to the first, for what was not found yet.
    pub(super) async fn get(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        let mut documents = vec![None; ids.len()];
        let mut missing: Vec<usize> = (0..ids.len()).collect();
        let mut indices = self.indices_of(index).await?;
        while !missing.is_empty() && !indices.is_empty() {
            let together = (AT_ONCE / missing.len()).clamp(1, indices.len());
            let asked = indices.split_off(indices.len() - together);
            let mut parts: Vec<&[usize]> = missing.chunks(AT_ONCE).collect();
            while let Some(some) = parts.pop() {
                let Some(found) = self.get_from(&asked, ids, some).await? else {
                    let (first, second) = some.split_at(some.len() / 2);
                    parts.extend([first, second]);
                    continue;
                };
                // In ascending order, so that the last index has the last word.
                for (at, document) in found.into_iter().flatten() {
                    documents[at] = Some(document);
                }
            }
            missing.retain(|&at| documents[at].is_none());
        }
        Ok(documents)
    }

    /// The concrete indices behind a name, sorted; none when there is really no such name.
    pub(super) async fn indices_of(&self, index: &IndexName) -> Result<Vec<IndexName>, StoreError> {
        let path = format!("/_resolve/index/{index}");
        let resolved: Option<Resolved> = self
            .client
            .find(Method::Get, &path, &[], Body::None)
            .await?;
        let Some(resolved) = resolved else {
            return self.confirm_absent(index).await.map(|()| Vec::new());
        };
        let mut indices: Vec<IndexName> = resolved
            .indices
            .into_iter()
            .map(|index| index.name)
            .collect();
        indices.extend(resolved.aliases.into_iter().flat_map(|alias| alias.indices));
        indices.sort();
        indices.dedup();
        if indices.is_empty() {
            self.confirm_absent(index).await?;
        }
        Ok(indices)
    }

    /// What some indices have of some of the ids (given by their places), per index; `None` when that is
    /// too much for one answer and less can be asked for.
    async fn get_from(
        &self,
        indices: &[IndexName],
        ids: &[DocumentId],
        places: &[usize],
    ) -> Result<Option<Vec<Vec<(usize, Document)>>>, StoreError> {
        let asked: Vec<&str> = places.iter().map(|&at| ids[at].as_str()).collect();
        let (path, body) = match indices {
            [index] => (format!("/{index}/_mget"), json!({ "ids": asked })),
            _ => {
                let pairs = indices.iter().flat_map(|index| {
                    asked
                        .iter()
                        .map(move |id| json!({ "_index": index, "_id": id }))
                });
                (
                    "/_mget".to_owned(),
                    json!({ "docs": pairs.collect::<Vec<_>>() }),
                )
            }
        };
        let answer = self
            .client
            .send(Method::Post, &path, &[], Body::Json(body))
            .await?;
        if answer.is_absent() {
            // The index was dropped a moment ago.
            return Ok(Some(Vec::new()));
        }
        if answer.status == 200 && answer.oversize.is_some() && places.len() > 1 {
            return Ok(None);
        }
        let answer = answer.success()?;
        let wanted: Vec<_> = places.iter().map(|&at| (at, ids[at].clone())).collect();
        let indices = indices.to_vec();
        off_thread(answer.body.len(), move || found(&answer, &indices, &wanted))
            .await
            .map(Some)
    }
}

#[derive(Deserialize)]
struct Got<'a> {
    #[serde(borrow)]
    docs: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "_id", borrow)]
    id: Cow<'a, str>,
    #[serde(rename = "_seq_no")]
    seq_no: Option<u64>,
    #[serde(rename = "_primary_term")]
    primary_term: Option<u64>,
    #[serde(rename = "_source")]
    source: Option<Source>,
    #[serde(borrow)]
    error: Option<Failure<'a>>,
}

/// The answer has one entry per (index, id), in the order asked.
fn found(
    answer: &Answer,
    indices: &[IndexName],
    wanted: &[(usize, DocumentId)],
) -> Result<Vec<Vec<(usize, Document)>>, StoreError> {
    let endpoint = || answer.endpoint.clone();
    let got: Got<'_> =
        serde_json::from_slice(&answer.body).map_err(|error| misread(endpoint(), &error))?;
    let damaged = |reason: String| StoreError::Damaged {
        place: format!("an answer of {}", answer.endpoint),
        reason,
    };
    if got.docs.len() != indices.len() * wanted.len() {
        let reason = format!(
            "{} documents answer {}",
            got.docs.len(),
            indices.len() * wanted.len()
        );
        return Err(damaged(reason));
    }
    let mut entries = got.docs.into_iter();
    let mut all = Vec::with_capacity(indices.len());
    for index in indices {
        let mut some = Vec::new();
        for ((at, id), entry) in wanted.iter().zip(entries.by_ref()) {
            if entry.id != id.as_str() {
                return Err(damaged(format!("`{}` answers `{id}`", entry.id)));
            }
            if let Some(document) = entry.document(index, id, &answer.endpoint)? {
                some.push((*at, document));
            }
        }
        all.push(some);
    }
    Ok(all)
}

impl Entry<'_> {
    fn document(
        self,
        index: &IndexName,
        id: &DocumentId,
        endpoint: &str,
    ) -> Result<Option<Document>, StoreError> {
        if let Some(error) = self.error {
            // The index was dropped a moment ago. Everything else must not look like an absent document.
            if error.kind == "index_not_found_exception" {
                return Ok(None);
            }
            return Err(StoreError::Busy {
                endpoint: endpoint.to_owned(),
                reason: format!("`{id}` of `{index}`: {}", error.words()),
            });
        }
        let (Some(source), Some(seq_no), Some(primary_term)) =
            (self.source, self.seq_no, self.primary_term)
        else {
            return Ok(None);
        };
        Ok(Some(Document {
            index: index.clone(),
            id: id.clone(),
            version: Some(Version {
                seq_no,
                primary_term,
            }),
            source,
        }))
    }
}
