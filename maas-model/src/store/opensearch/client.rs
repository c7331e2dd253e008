//! Requests to a cluster: which node, and what an answer means when it is none.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use opensearch::http::Method;
use opensearch::http::headers::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use opensearch::http::response::Response;
use opensearch::http::transport::{SingleNodeConnectionPool, Transport, TransportBuilder};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use url::Url;

use super::error::failure;
use super::{OpenSearchOptions, OpenSearchUrl, tls};
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
    answer_bytes: u64,
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
    /// Its size when that is more than is read; the body is empty then.
    pub oversize: Option<u64>,
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

    /// As [`Client::call`]; `None` when the cluster says that there is nothing of this name.
    pub(super) async fn find<T: DeserializeOwned + Send + 'static>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<Option<T>, StoreError> {
        let answer = self.send(method, path, query, body).await?;
        if answer.is_absent() {
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
        // Packed answers would cost both sides more time than a network between them saves, and nobody
        // knows how much is in them.
        let builder = TransportBuilder::new(SingleNodeConnectionPool::new(node.clone()))
            .timeout(options.request_timeout)
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let builder = tls::introduce(builder, url, options).map_err(refused)?;
        let transport = builder
            .build()
            .map_err(|error| refused(tls::unusable(options, &error)))?;
        Ok(Self {
            transport,
            endpoint,
            answer_bytes: options.answer_bytes,
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
        let answer = self
            .transport
            .send(method, path, headers, Some(query), bytes, None)
            .await
            .map_err(|error| self.unreachable(error))?;
        self.receive(answer).await
    }

    /// Reads an answer whose size is known and bearable.
    async fn receive(&self, answer: Response) -> Result<Answer, StoreError> {
        let status = answer.status_code().as_u16();
        let endpoint = self.endpoint.clone();
        let (body, oversize) = match answer.content_length() {
            Some(size) if size > self.answer_bytes => (Bytes::new(), Some(size)),
            Some(_) => {
                let body = answer.bytes().await;
                (body.map_err(|error| self.unreachable(error))?, None)
            }
            // There would be no end to it if its sender means ill. A cluster always tells.
            None => {
                return Err(StoreError::Damaged {
                    place: format!("an answer of {endpoint}"),
                    reason:
                        "it does not tell its size: something between sends it packed or in pieces"
                            .to_owned(),
                });
            }
        };
        Ok(Answer {
            status,
            body,
            endpoint,
            oversize,
        })
    }

    fn unreachable(&self, error: opensearch::Error) -> StoreError {
        let endpoint = self.endpoint.clone();
        match tls::mistrust(&error) {
            Some(reason) => StoreError::Untrusted { endpoint, reason },
            None => StoreError::Unreachable {
                endpoint,
                source: error.into(),
            },
        }
    }
}

impl Answer {
    /// Whether there is nothing of the name asked for. A 404 of something between us and the cluster
    /// must not pass for that: the cluster's own is JSON.
    pub(super) fn is_absent(&self) -> bool {
        self.status == 404
            && serde_json::from_slice::<HashMap<String, IgnoredAny>>(&self.body).is_ok()
    }

    /// The answer, if it is one.
    pub(super) fn success(self) -> Result<Self, StoreError> {
        match (self.status, self.oversize) {
            (200..=299, None) => Ok(self),
            (200..=299, Some(size)) => Err(StoreError::Refused {
                endpoint: self.endpoint,
                reason: format!(
                    "its answer has {size} bytes, too many to read; ask for less at once"
                ),
            }),
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
