//! What a cluster must know of a model: template, alias, fields of the indices there are.

use std::collections::BTreeMap;

use opensearch::http::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::OpenSearchStore;
use super::client::Body;
use crate::document::IndexName;
use crate::model::Model;
use crate::store::StoreError;

#[derive(Deserialize)]
struct Aliases {
    #[serde(default)]
    aliases: BTreeMap<String, IgnoredAny>,
}

impl OpenSearchStore {
    /// See [`DocumentStore::install`](crate::store::DocumentStore::install).
    pub(super) async fn put_model(&self, model: &Model) -> Result<(), StoreError> {
        let mut template = model.template();
        if let Some(replicas) = self.options.replicas {
            template["settings"]["index"]["number_of_replicas"] = replicas.into();
        }
        let path = format!("/_template/{}", model.template_name());
        self.order(Method::Put, &path, template).await?;
        for (index, aliases) in self.indices_like(model).await? {
            let path = format!("/{index}/_mapping");
            self.order(Method::Put, &path, model.mapping()).await?;
            let alias = model.alias.as_str();
            if index != alias && !aliases.contains_key(alias) {
                let path = format!("/{index}/_alias/{alias}");
                self.order(Method::Put, &path, json!({})).await?;
            }
        }
        self.known_fields.forget();
        self.written.forget();
        Ok(())
    }

    /// The indices of the model: those its alias reads, and those named like its partitions that belong
    /// to no other alias (`a-b-2024` may be a partition of `a-b` rather than of `a`).
    async fn indices_like(
        &self,
        model: &Model,
    ) -> Result<BTreeMap<String, BTreeMap<String, IgnoredAny>>, StoreError> {
        let alias = model.alias.as_str();
        let pattern = match model.partition {
            Some(_) => format!("{alias}-*"),
            None => alias.to_owned(),
        };
        let path = format!("/{pattern}/_alias");
        let found: Option<BTreeMap<String, Aliases>> = self
            .client
            .find(Method::Get, &path, &[], Body::None)
            .await?;
        if found.is_none() {
            self.confirm_absent(&model.alias).await?;
        }
        let found = found.unwrap_or_default().into_iter();
        let own = found.map(|(index, found)| (index, found.aliases));
        Ok(own
            .filter(|(_, aliases)| aliases.is_empty() || aliases.contains_key(alias))
            .collect())
    }

    /// A change that the cluster must acknowledge.
    async fn order(&self, method: Method, path: &str, body: Value) -> Result<(), StoreError> {
        let _: IgnoredAny = self
            .client
            .call(method, path, &[], Body::Json(body))
            .await?;
        Ok(())
    }
}

impl OpenSearchStore {
    /// The aliases of all installed templates, sorted.
    pub(super) async fn installed(&self) -> Result<Vec<String>, StoreError> {
        let templates: Option<BTreeMap<String, IgnoredAny>> = self
            .client
            .find(Method::Get, "/_template/template_*", &[], Body::None)
            .await?;
        let names = templates.unwrap_or_default().into_keys();
        let aliases = names.filter_map(|name| Some(name.strip_prefix("template_")?.to_owned()));
        Ok(aliases.collect())
    }

    /// Whether `name` is an alias.
    pub(super) async fn is_alias(&self, name: &IndexName) -> Result<bool, StoreError> {
        let path = format!("/_alias/{name}");
        let answer = self
            .client
            .send(Method::Head, &path, &[], Body::None)
            .await?;
        match answer.status {
            404 => Ok(false),
            _ => answer.success().map(|_| true),
        }
    }
}
