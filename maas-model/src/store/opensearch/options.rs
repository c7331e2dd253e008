//! How the store talks to a cluster.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of an [`OpenSearchStore`](super::OpenSearchStore); the defaults suit most clusters.
#[derive(Debug, Clone)]
pub struct OpenSearchOptions {
    /// After this a request is given up.
    pub request_timeout: Duration,
    /// Largest bulk request. Less when the cluster says so (413).
    pub bulk_bytes: usize,
    /// Most actions in one bulk request.
    pub bulk_actions: usize,
    /// Bulk requests of one `write` that may be under way at once.
    pub bulk_requests: usize,
    /// Copies of every shard, in place of what the model says. A single node needs 0 to be green.
    pub replicas: Option<u32>,
    /// Certificate authorities (PEM) to trust beside the usual ones.
    pub certificate_authorities: Option<PathBuf>,
}

impl Default for OpenSearchOptions {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(60),
            // Bigger ones gain nothing and cost the server memory: see the bench.
            bulk_bytes: 5 << 20,
            bulk_actions: 5_000,
            bulk_requests: 2,
            replicas: None,
            certificate_authorities: None,
        }
    }
}
