//! The cluster and its indices as an operator sees them.

use std::collections::BTreeMap;

use opensearch::http::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::OpenSearchStore;
use super::client::Body;
use crate::document::IndexName;
use crate::store::{IndexInfo, StoreError, StoreStatus};

/// Numbers come as text; absent ones (an index that is closed) as null.
#[derive(Deserialize)]
struct IndexRow {
    index: String,
    #[serde(rename = "docs.count")]
    documents: Option<String>,
    #[serde(rename = "store.size")]
    bytes: Option<String>,
}

#[derive(Deserialize)]
struct AliasRow {
    alias: IndexName,
    index: String,
}

#[derive(Deserialize)]
struct DiskRow {
    #[serde(rename = "disk.avail")]
    free: Option<String>,
}

#[derive(Deserialize)]
struct About {
    version: AboutVersion,
}

#[derive(Deserialize)]
struct AboutVersion {
    number: String,
    #[serde(default)]
    distribution: String,
}

#[derive(Deserialize)]
struct Health {
    cluster_name: String,
    status: String,
    number_of_nodes: u64,
    unassigned_shards: u64,
}

impl OpenSearchStore {
    /// See [`DocumentStore::indices`](crate::store::DocumentStore::indices).
    pub(super) async fn list(&self, pattern: &str) -> Result<Vec<IndexInfo>, StoreError> {
        let query = [("format", "json"), ("h", "alias,index")];
        let rows: Vec<AliasRow> = self
            .client
            .call(Method::Get, "/_cat/aliases", &query, Body::None)
            .await?;
        let mut aliases: BTreeMap<String, Vec<IndexName>> = BTreeMap::new();
        for row in rows {
            aliases.entry(row.index).or_default().push(row.alias);
        }
        let query = [
            ("format", "json"),
            ("h", "index,docs.count,store.size"),
            ("bytes", "b"),
        ];
        let rows: Vec<IndexRow> = self
            .client
            .call(Method::Get, "/_cat/indices", &query, Body::None)
            .await?;
        // A pattern in the path would stand for aliases too.
        let rows = rows.into_iter().filter(|row| is_like(&row.index, pattern));
        let mut list: Vec<IndexInfo> = rows.filter_map(|row| row.info(&mut aliases)).collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    /// See [`DocumentStore::drop_index`](crate::store::DocumentStore::drop_index).
    pub(super) async fn remove_index(&self, index: &IndexName) -> Result<(), StoreError> {
        if self.is_alias(index).await? {
            return Err(self.refused(format!("`{index}` is an alias, not an index")));
        }
        let path = format!("/{index}");
        let removed: Option<IgnoredAny> = self
            .client
            .find(Method::Delete, &path, &[], Body::None)
            .await?;
        if removed.is_none() {
            self.confirm_absent(index).await?;
        }
        self.known_fields.forget();
        self.written.forget();
        Ok(())
    }

    /// See [`DocumentStore::status`](crate::store::DocumentStore::status).
    pub(super) async fn report(&self) -> Result<StoreStatus, StoreError> {
        let about: About = self.client.call(Method::Get, "/", &[], Body::None).await?;
        let health: Health = self
            .client
            .call(Method::Get, "/_cluster/health", &[], Body::None)
            .await?;
        let query = [("format", "json"), ("h", "disk.avail"), ("bytes", "b")];
        let disks: Vec<DiskRow> = self
            .client
            .call(Method::Get, "/_cat/allocation", &query, Body::None)
            .await?;
        let free = disks
            .iter()
            .filter_map(|disk| disk.free.as_ref()?.parse().ok());
        let product = match about.version.distribution.as_str() {
            "opensearch" => "OpenSearch",
            "" => "a store like OpenSearch",
            other => other,
        };
        Ok(StoreStatus {
            name: format!("{product} at {}", self.client.endpoint()),
            version: about.version.number,
            healthy: health.status != "red",
            // A shard needs its room on one node.
            free_bytes: free.min(),
            installed: self.installed().await?,
            detail: format!(
                "cluster `{}` is {}, {} nodes, {} shards without a node",
                health.cluster_name,
                health.status,
                health.number_of_nodes,
                health.unassigned_shards
            ),
        })
    }
}

impl IndexRow {
    /// `None` for the cluster's own indices, whose names are none of ours.
    fn info(self, aliases: &mut BTreeMap<String, Vec<IndexName>>) -> Option<IndexInfo> {
        let number = |text: Option<String>| text.and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut aliases = aliases.remove(&self.index).unwrap_or_default();
        aliases.sort();
        Some(IndexInfo {
            aliases,
            documents: number(self.documents),
            bytes: number(self.bytes),
            name: IndexName::new(self.index).ok()?,
        })
    }
}

/// Whether `name` matches `pattern`, in which `*` stands for any text.
fn is_like(name: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return name == pattern;
    };
    let Some(mut name) = name.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (name, pattern, expected) in [
            ("a-2024", "a-2024", true),
            ("a-2024", "a-*", true),
            ("a-2024", "*", true),
            ("a-2024", "*-*4", true),
            ("a-2024", "a", false),
            ("a-2024", "*-2", false),
            ("aa", "aa*a", false),
            ("a-b-c", "a*b*c", true),
        ] {
            assert_eq!(is_like(name, pattern), expected, "{name} {pattern}");
        }
    }
}
