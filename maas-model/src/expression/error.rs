//! Why a text is no expression, and why one has no value.

/// Why a text is no expression of ours.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{message} at character {}{}", .position + 1, .hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct ExpressionError {
    /// Where: characters before the place.
    pub position: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Why an expression has no value for these variables.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{message} at character {}", .position + 1)]
pub struct EvalError {
    /// The part of the expression at fault: characters before it.
    pub position: usize,
    /// What kind of failure, as in Python.
    pub kind: EvalErrorKind,
    /// What is wrong.
    pub message: String,
}

/// The kinds that Python tells apart; extractors treat some of them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvalErrorKind {
    /// A position beyond the end of a list or text.
    Index,
    /// A key that an object has not.
    Key,
    /// A value of the wrong type.
    Type,
    /// A value of the right type that cannot be used: `int('x')`.
    Value,
    /// A method that a value has not.
    Attribute,
    /// More work or a larger result than one evaluation may take.
    Limit,
}

impl ExpressionError {
    pub(super) fn new(position: usize, message: impl Into<String>) -> Self {
        Self {
            position,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A failure of an operation, which does not know its place in the text.
pub(super) struct Fault(pub(super) EvalErrorKind, pub(super) String);

impl Fault {
    pub(super) fn index(message: impl Into<String>) -> Self {
        Self(EvalErrorKind::Index, message.into())
    }

    pub(super) fn kind(message: impl Into<String>) -> Self {
        Self(EvalErrorKind::Type, message.into())
    }

    pub(super) fn value(message: impl Into<String>) -> Self {
        Self(EvalErrorKind::Value, message.into())
    }

    pub(super) fn too_much() -> Self {
        Self(
            EvalErrorKind::Limit,
            "the expression makes too much of this value".to_owned(),
        )
    }

    pub(super) fn at(self, position: usize) -> EvalError {
        EvalError {
            position,
            kind: self.0,
            message: self.1,
        }
    }
}
