//! Whether there is really no index of a name.
//!
//! A node that begins takes requests before it has read which indices it has. Most requests are refused until
//! then (`state not recovered`); those that look a name up first are not: to them every index is missing, for
//! some milliseconds of each start. Who took their word for it would take documents for absent that are there.

use opensearch::http::Method;
use serde::de::IgnoredAny;
use serde_json::json;

use super::OpenSearchStore;
use super::client::Body;
use crate::document::IndexName;
use crate::store::StoreError;

impl OpenSearchStore {
    /// To be called when nothing of this name was found. An error that passes unless a node says so, too, that
    /// knows its indices: only such a node searches.
    pub(super) async fn confirm_absent(&self, index: &IndexName) -> Result<(), StoreError> {
        let path = format!("/{index}/_search");
        let nothing = json!({ "size": 0, "terminate_after": 1 });
        let found: Option<IgnoredAny> = self
            .client
            .find(Method::Post, &path, &[], Body::Json(nothing))
            .await?;
        match found {
            None => Ok(()),
            Some(_) => Err(self.in_part(format!("`{index}` was missing a moment ago"))),
        }
    }

    /// Not all of the answer is there yet.
    pub(super) fn in_part(&self, reason: String) -> StoreError {
        StoreError::Busy {
            endpoint: self.client.endpoint(),
            reason: format!("{reason}: a node is beginning"),
        }
    }
}
