//! What the extractors share: errors of fields and of settings, expressions.

use maas_model::plugin::SettingError;
use serde_json::Value;

/// Why a record cannot be made.
#[derive(Debug)]
pub(super) struct FieldError {
    pub(super) field: Option<String>,
    pub(super) reason: String,
}

impl FieldError {
    pub(super) fn new(field: &str, reason: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned()),
            reason: reason.into(),
        }
    }

    /// Of the record as such.
    pub(super) fn whole(reason: String) -> Self {
        Self {
            field: None,
            reason,
        }
    }
}

/// A setting that is wrong.
pub(super) fn wrong(path: impl Into<String>, message: impl ToString) -> SettingError {
    SettingError {
        path: path.into(),
        message: message.to_string(),
        hint: None,
    }
}

/// A compiled expression.
pub(super) struct Expression;

impl Expression {
    pub(super) fn parse(_text: &str) -> Result<Self, String> {
        Err("expressions are not supported yet".into())
    }

    pub(super) fn evaluate(&self, _value: &Value) -> Result<Value, String> {
        Err("expressions are not supported yet".into())
    }
}
