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
    /// Bulk requests of all who share the store that may be under way at once.
    pub bulk_pace: BulkPace,
    /// Largest answer that is read. Reads by id are then made in parts.
    pub answer_bytes: u64,
    /// Copies of every shard, in place of what the model says. A single node needs 0 to be green.
    pub replicas: Option<u32>,
    /// Certificate authorities (PEM) to trust beside the usual ones.
    pub certificate_authorities: Option<PathBuf>,
    /// What the store shows of itself to a cluster that asks for a certificate.
    pub client_certificate: Option<ClientCertificate>,
}

/// How many bulk requests a cluster is given at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkPace {
    /// As many as it takes: fewer when it has no room for what it is sent (429), more when it has again.
    Adaptive,
    /// Always as many.
    Fixed(usize),
}

/// The certificate of a client, as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM file: the certificate, then those that it was signed with.
    pub certificate: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}

impl Default for OpenSearchOptions {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(60),
            // Bigger ones gain nothing and cost the server memory: see the bench.
            bulk_bytes: 5 << 20,
            bulk_actions: 5_000,
            bulk_requests: 2,
            bulk_pace: BulkPace::Adaptive,
            answer_bytes: 256 << 20,
            replicas: None,
            certificate_authorities: None,
            client_certificate: None,
        }
    }
}
