//! Requests to a cluster: which node, and what an answer means when it is none.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use opensearch::auth::Credentials;
use opensearch::cert::{Certificate, CertificateValidation};
use opensearch::http::Method;
use opensearch::http::headers::{CONTENT_TYPE, HeaderMap, HeaderValue};
use opensearch::http::transport::{SingleNodeConnectionPool, Transport, TransportBuilder};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::failure;
use super::{OpenSearchOptions, OpenSearchUrl};
use crate::store::StoreError;

/// How long a node that did not answer is left alone while there are others.
const REST: Duration = Duration::from_secs(30);

/// Above this, reading an answer would hold up the other tasks of the thread.
const LONG: usize = 64 << 10;

/// The nodes of a cluster, asked in turn.
pub(super) struct Client {
    nodes: Vec<Node>,
    turn: AtomicUsize,
}

struct Node {
    transport: Transport,
    endpoint: String,
    silent_since: Mutex<Option<Instant>>,
}

/// A body and what it is.
pub(super) enum Body {
    None,
    Json(Value),
    /// One JSON text per line.
    Lines(Bytes),
}

/// What came back, whatever the status.
pub(super) struct Answer {
    pub status: u16,
    pub body: Bytes,
    pub endpoint: String,
}

impl Client {
    pub(super) fn new(
        url: &OpenSearchUrl,
        options: &OpenSearchOptions,
    ) -> Result<Self, StoreError> {
        let nodes = url.nodes().iter();
        let nodes = nodes.map(|node| Node::new(node, url, options));
        Ok(Self {
            nodes: nodes.collect::<Result<_, _>>()?,
            turn: AtomicUsize::new(0),
        })
    }

    /// All nodes, for what concerns none of them alone.
    pub(super) fn endpoint(&self) -> String {
        let nodes: Vec<&str> = self
            .nodes
            .iter()
            .map(|node| node.endpoint.as_str())
            .collect();
        nodes.join(",")
    }

    /// Sends one request to one node. Every answer is `Ok`.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<Answer, StoreError> {
        let node = self.next();
        let sent = node.send(method, path, query, body).await;
        *node
            .silent_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = sent.is_err().then(Instant::now);
        sent
    }

    /// Sends a request whose answer must be a success, and reads it.
    pub(super) async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<T, StoreError> {
        self.send(method, path, query, body)
            .await?
            .success()?
            .read()
            .await
    }

    /// As [`Client::call`]; `None` when the answer is 404.
    pub(super) async fn find<T: DeserializeOwned + Send + 'static>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<Option<T>, StoreError> {
        let answer = self.send(method, path, query, body).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        answer.success()?.read().await.map(Some)
    }

    /// The next node in turn that has not been silent of late; when all were, the next in turn.
    fn next(&self) -> &Node {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn =
            || (0..self.nodes.len()).map(|step| &self.nodes[(turn + step) % self.nodes.len()]);
        in_turn()
            .find(|node| !node.rests())
            .unwrap_or(&self.nodes[turn % self.nodes.len()])
    }
}

impl Node {
    fn new(
        node: &Url,
        url: &OpenSearchUrl,
        options: &OpenSearchOptions,
    ) -> Result<Self, StoreError> {
        let endpoint = node.as_str().trim_end_matches('/').to_owned();
        let refused = |reason: String| StoreError::Refused {
            endpoint: endpoint.clone(),
            reason,
        };
        let mut builder = TransportBuilder::new(SingleNodeConnectionPool::new(node.clone()))
            .timeout(options.request_timeout);
        if let Some((user, password)) = url.account() {
            let password = password.expose_secret().to_owned();
            builder = builder.auth(Credentials::Basic(user.clone(), password));
        }
        if let Some(path) = &options.certificate_authorities {
            let place = path.display();
            let pem = std::fs::read(path)
                .map_err(|error| refused(format!("cannot read `{place}`: {error}")))?;
            let certificate = Certificate::from_pem(&pem)
                .map_err(|error| refused(format!("`{place}` holds no certificate: {error}")))?;
            builder = builder.cert_validation(CertificateValidation::Full(certificate));
        }
        let transport = builder
            .build()
            .map_err(|error| refused(error.to_string()))?;
        Ok(Self {
            transport,
            endpoint,
            silent_since: Mutex::new(None),
        })
    }

    fn rests(&self) -> bool {
        let silent_since = self
            .silent_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        silent_since.is_some_and(|instant| instant.elapsed() < REST)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<Answer, StoreError> {
        let mut headers = HeaderMap::new();
        let bytes = match body {
            Body::None => None,
            Body::Json(value) => Some(Bytes::from(value.to_string())),
            Body::Lines(bytes) => {
                let kind = HeaderValue::from_static("application/x-ndjson");
                headers.insert(CONTENT_TYPE, kind);
                Some(bytes)
            }
        };
        let unreachable = |source: opensearch::Error| StoreError::Unreachable {
            endpoint: self.endpoint.clone(),
            source: source.into(),
        };
        let answer = self
            .transport
            .send(method, path, headers, Some(query), bytes, None)
            .await
            .map_err(unreachable)?;
        Ok(Answer {
            status: answer.status_code().as_u16(),
            body: answer.bytes().await.map_err(unreachable)?,
            endpoint: self.endpoint.clone(),
        })
    }
}

impl Answer {
    /// The answer, if it is one.
    pub(super) fn success(self) -> Result<Self, StoreError> {
        match self.status {
            200..=299 => Ok(self),
            _ => Err(failure(self)),
        }
    }

    /// Reads the body.
    pub(super) async fn read<T: DeserializeOwned + Send + 'static>(self) -> Result<T, StoreError> {
        let Self { body, endpoint, .. } = self;
        off_thread(body.len(), move || {
            serde_json::from_slice(&body).map_err(|error| misread(endpoint, &error))
        })
        .await
    }
}

/// Runs `work` on `size` bytes: at once when it is short, otherwise where it holds up nobody.
pub(super) async fn off_thread<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    if size <= LONG {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(StoreError::Unreachable {
            endpoint: "the thread that reads answers".to_owned(),
            source: error.into(),
        }),
    }
}

/// An answer that is not what OpenSearch answers: something else listens there, or half of it came.
pub(super) fn misread(endpoint: String, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged {
        place: format!("an answer of {endpoint}"),
        reason: error.to_string(),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.endpoint())
    }
}
