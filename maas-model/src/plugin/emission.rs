//! What an engine may publish, as far as its settings tell: the edges of the flow graph.

use serde_json::Value;

use crate::message::{KeyPattern, NameError};
use crate::model::Models;

/// What an engine needs to know to tell what it may publish.
#[derive(Debug, Clone, Copy)]
pub struct EmitContext<'a> {
    /// The models of the pipeline.
    pub models: &'a Models,
    /// The class named in the messages that the engine receives; asked once per class that can come.
    /// `None` where the pipeline does not tell (the queue is fed from outside).
    pub document_class: Option<&'a str>,
}

impl EmitContext<'_> {
    /// What follows from the writes of an engine that creates, replaces and deletes documents of this model.
    pub fn of_model(&self, name: &str) -> Vec<Emission> {
        let Some(model) = self.models.get(name) else {
            return Vec::new();
        };
        // An alias is always a subject.
        let subject = model.alias.as_str();
        let mut emissions = Emission::of_writes(subject, &model.name).unwrap_or_default();
        emissions.extend(Emission::of_deletion(subject, &model.name).ok());
        emissions
    }
}

/// Messages that an engine may publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission {
    /// Their routing key, or a pattern of it.
    pub key: KeyPattern,
    /// The class named in them, where it is known.
    pub document_class: Option<String>,
    /// Whether only documents that changed are announced, so that a cycle through it comes to an end.
    pub only_changed: bool,
    /// What they follow from.
    pub cause: EmissionCause,
}

/// What a message follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmissionCause {
    /// A document written by the engine: not sent when the step says `report: false`.
    Write,
    /// The engine's own decision: always sent.
    Notice,
}

impl Emission {
    /// `new.SUBJECT` and `update.SUBJECT`: what follows from the writes of a document. Announces only
    /// what changed.
    pub fn of_writes(subject: &str, document_class: &str) -> Result<Vec<Self>, NameError> {
        ["new", "update"]
            .iter()
            .map(|action| {
                Ok(Self {
                    key: KeyPattern::new(format!("{action}.{subject}"))?,
                    document_class: Some(document_class.to_owned()),
                    only_changed: true,
                    cause: EmissionCause::Write,
                })
            })
            .collect()
    }

    /// `delete.SUBJECT`: what follows from deleting a document.
    pub fn of_deletion(subject: &str, document_class: &str) -> Result<Self, NameError> {
        Ok(Self {
            key: KeyPattern::new(format!("delete.{subject}"))?,
            document_class: Some(document_class.to_owned()),
            only_changed: true,
            cause: EmissionCause::Write,
        })
    }

    /// A message under a key of the engine's own, sent whether or not something changed.
    pub fn notice(key: KeyPattern, document_class: Option<&str>) -> Self {
        Self {
            key,
            document_class: document_class.map(str::to_owned),
            only_changed: false,
            cause: EmissionCause::Notice,
        }
    }

    /// The same, sent for what changed only.
    #[must_use]
    pub fn only_changed(mut self) -> Self {
        self.only_changed = true;
        self
    }
}

pub(super) fn nothing(_settings: &Value, _context: &EmitContext<'_>) -> Vec<Emission> {
    Vec::new()
}
