//! What parent and child say to each other: one line of JSON each, on the child's standard input and output.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maas_engine::pool::Work;
use maas_engine::pool::contain::Answer;
use maas_model::message::{ExchangeName, QueueName, RoutingKey};
use serde::{Deserialize, Serialize};

/// Stands before what the child says, since an engine may print to standard output, too.
const MARK: &str = "maas-alone ";

/// A message to work on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    queue: QueueName,
    exchange: ExchangeName,
    routing_key: RoutingKey,
    body: String,
    priority: u8,
    headers: BTreeMap<String, String>,
    redelivered: bool,
    tries: u32,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Say {
    /// It waits for a message.
    Ready,
    /// It has one in hand from now on.
    Took,
    /// An engine begins, and should end within the limit.
    Began { engine: String, limit: Duration },
    /// It ended.
    Ended,
    /// The message is done with.
    Done(Box<Answer>),
}

impl Order {
    pub(super) fn of(work: Work<'_>) -> Self {
        Self {
            queue: work.queue.clone(),
            exchange: work.exchange.clone(),
            routing_key: work.routing_key.clone(),
            body: STANDARD.encode(work.body),
            priority: work.priority,
            headers: work.headers.clone(),
            redelivered: work.redelivered,
            tries: work.tries,
        }
    }

    pub(super) fn body(&self) -> Result<Vec<u8>, base64::DecodeError> {
        STANDARD.decode(&self.body)
    }

    pub(super) fn work<'a>(&'a self, body: &'a [u8]) -> Work<'a> {
        Work {
            queue: &self.queue,
            exchange: &self.exchange,
            routing_key: &self.routing_key,
            body,
            priority: self.priority,
            headers: &self.headers,
            redelivered: self.redelivered,
            tries: self.tries,
        }
    }

    pub(super) fn line(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

impl Say {
    pub(super) fn line(&self) -> serde_json::Result<String> {
        Ok(format!("{MARK}{}\n", serde_json::to_string(self)?))
    }

    /// What a line of the child says; `None` when it is the talk of an engine.
    pub(super) fn read(line: &str) -> Option<Self> {
        let (_, said) = line.split_once(MARK)?;
        serde_json::from_str(said).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_prints_is_no_answer_and_hides_none() {
        assert!(Say::read("hello").is_none());
        assert!(Say::read("maas-alone nonsense").is_none());
        let line = Say::Took.line().unwrap();
        let read = Say::read(&format!("printed without a line's end{line}"));
        assert!(matches!(read, Some(Say::Took)));
    }
}
