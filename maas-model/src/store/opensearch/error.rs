//! What a cluster says went wrong, in our words.

use std::borrow::Cow;

use serde::Deserialize;

use super::client::Answer;
use crate::store::{StoreError, WriteOutcome};

/// The error of a request, or of one item of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Failure<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub caused_by: Option<Cause<'a>>,
    #[serde(borrow)]
    root_cause: Vec<Cause<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cause<'a> {
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    error: Failure<'a>,
}

/// The error of an answer whose status is no success.
pub(super) fn failure(answer: Answer) -> StoreError {
    let Answer {
        status,
        body,
        endpoint,
        ..
    } = answer;
    let envelope: Option<Envelope<'_>> = serde_json::from_slice(&body).ok();
    let (kind, words) = match &envelope {
        Some(envelope) => (envelope.error.kind.as_ref(), envelope.error.words()),
        None => ("", excerpt(&String::from_utf8_lossy(&body))),
    };
    let reason = format!("{status} {words}");
    match status {
        _ if is_passing(status, kind) => StoreError::Busy { endpoint, reason },
        401 | 403 => StoreError::Denied { endpoint, reason },
        _ => StoreError::Refused { endpoint, reason },
    }
}

/// What a failed item means for its document.
pub(super) fn outcome(status: u16, failure: Option<&Failure<'_>>) -> WriteOutcome {
    let kind = failure.map_or("", |failure| failure.kind.as_ref());
    let reason = match failure {
        Some(failure) => failure.words(),
        None => format!("status {status} without a reason"),
    };
    match status {
        409 => WriteOutcome::Conflict,
        _ if status == 429 || is_blocked(kind) => WriteOutcome::Busy { reason },
        // A node that goes, a shard that moves, a wait that was given up: it may have been done before.
        _ if is_passing(status, kind) => WriteOutcome::Unknown { reason },
        _ => WriteOutcome::Refused {
            field: failure.and_then(Failure::field),
            reason,
        },
    }
}

/// Whether the same may succeed later: the answers of 500 and above come from nodes that go or shards
/// that move.
fn is_passing(status: u16, kind: &str) -> bool {
    status == 408 || status == 429 || status >= 500 || is_blocked(kind)
}

/// Whether the index takes nothing just now. A full disk blocks writes (403 or 429) until there is room;
/// an operator closes an index (400) or makes it read-only (403), and opens it again.
fn is_blocked(kind: &str) -> bool {
    matches!(kind, "cluster_block_exception" | "index_closed_exception")
}

/// Whether an action found the queues full, which may be over in a moment.
pub(super) fn is_full(status: u16, failure: Option<&Failure<'_>>) -> bool {
    status == 429 && !failure.is_some_and(|failure| is_blocked(&failure.kind))
}

impl Failure<'_> {
    /// The reason, and the cause where it says more.
    pub(super) fn words(&self) -> String {
        let cause = self.caused_by.as_ref().or(self.root_cause.first());
        let cause = cause.and_then(|cause| cause.reason.as_deref());
        let words = match (self.reason.as_deref(), cause) {
            (Some(reason), Some(cause)) if reason != cause => format!("{reason}: {cause}"),
            (Some(reason), _) => reason.to_owned(),
            (None, Some(cause)) => cause.to_owned(),
            (None, None) => self.kind.to_string(),
        };
        excerpt(&words)
    }

    /// The field at fault; it is named in the reason only.
    fn field(&self) -> Option<String> {
        const BEFORE: [&str; 5] = [
            "failed to parse field [",
            "object mapping for [",
            "dynamic introduction of [",
            "mapper [",
            "field [",
        ];
        let reason = self.reason.as_deref()?;
        BEFORE.iter().find_map(|before| {
            let (_, rest) = reason.split_once(before)?;
            Some(rest.split_once(']')?.0.to_owned())
        })
    }
}

/// The reason may repeat the whole document.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 500;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> WriteOutcome {
        outcome(400, Some(&serde_json::from_str(json).unwrap()))
    }

    #[test]
    fn a_refused_document_names_its_field_and_the_cause() {
        let json = r#"{"type":"mapper_parsing_exception","reason":"failed to parse field [size] of type [long] in document with id '1'","caused_by":{"type":"illegal_argument_exception","reason":"For input string: \"x\""}}"#;
        assert_eq!(
            refused(json),
            WriteOutcome::Refused {
                field: Some("size".to_owned()),
                reason: "failed to parse field [size] of type [long] in document with id '1': For input string: \"x\"".to_owned(),
            }
        );
    }

    #[test]
    fn a_full_disk_and_a_full_queue_pass() {
        let block =
            serde_json::from_str(r#"{"type":"cluster_block_exception","reason":"r"}"#).unwrap();
        assert!(matches!(
            outcome(403, Some(&block)),
            WriteOutcome::Busy { .. }
        ));
        assert!(matches!(outcome(429, None), WriteOutcome::Busy { .. }));
        assert!(is_full(429, None) && !is_full(429, Some(&block)));
        let closed =
            serde_json::from_str(r#"{"type":"index_closed_exception","reason":"closed"}"#).unwrap();
        assert!(matches!(
            outcome(400, Some(&closed)),
            WriteOutcome::Busy { .. }
        ));
        assert!(matches!(outcome(503, None), WriteOutcome::Unknown { .. }));
        assert_eq!(outcome(409, None), WriteOutcome::Conflict);
    }

    #[test]
    fn an_answer_of_something_else_is_quoted() {
        let answer = Answer {
            status: 418,
            body: "a teapot".into(),
            endpoint: "http://a".to_owned(),
            oversize: None,
        };
        assert_eq!(
            failure(answer).to_string(),
            "http://a refused the request: 418 a teapot"
        );
    }
}
