//! Which store: chosen by a URL.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::{
    DocumentStore, EmbeddedStore, OpenSearchOptions, OpenSearchStore, OpenSearchUrl,
    OpenSearchUrlError, StoreError,
};

/// `embedded`, or `http(s)://user:password@host:9200` of an OpenSearch cluster (several nodes: with
/// commas). Shown without account.
#[derive(Debug, Clone)]
pub enum StoreUrl {
    /// In a local folder.
    Embedded,
    /// On a cluster.
    OpenSearch(OpenSearchUrl),
}

impl StoreUrl {
    /// Whether an account with a password stands in it.
    pub fn has_password(&self) -> bool {
        matches!(self, Self::OpenSearch(url) if url.account().is_some())
    }
}

impl FromStr for StoreUrl {
    type Err = OpenSearchUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "embedded" => Ok(Self::Embedded),
            url => url.parse().map(Self::OpenSearch),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::OpenSearch(url) => url.fmt(f),
        }
    }
}

/// Opens the store. The embedded one makes its file in `folder` (and blocks for some milliseconds), a
/// cluster is not asked yet.
pub fn open(
    url: &StoreUrl,
    folder: &Path,
    options: OpenSearchOptions,
) -> Result<Arc<dyn DocumentStore>, StoreError> {
    Ok(match url {
        StoreUrl::Embedded => Arc::new(EmbeddedStore::open(folder)?),
        StoreUrl::OpenSearch(url) => Arc::new(OpenSearchStore::connect(url, options)?),
    })
}
