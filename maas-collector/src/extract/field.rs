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

/// A compiled expression over one value.
pub(super) struct Expression(maas_model::expression::Expression);

impl Expression {
    /// Reads an expression over `variable`, or a lambda of an old configuration, which names its own.
    /// `path` is the setting that it stands in.
    pub(super) fn parse(text: &str, variable: &str, path: &str) -> Result<Self, SettingError> {
        use maas_model::expression::Expression;
        let read = if text.trim_start().starts_with("lambda") {
            Expression::from_lambda(text).map(|(_, expression)| expression)
        } else {
            Expression::parse(text, &[variable])
        };
        read.map(Self).map_err(|error| {
            let message = format!("{} at character {}", error.message, error.position + 1);
            SettingError {
                hint: error.hint,
                ..SettingError::new(path, message)
            }
        })
    }

    pub(super) fn evaluate(&self, value: &Value) -> Result<Value, String> {
        self.0.eval_one(value).map_err(|error| error.to_string())
    }

    /// Its value, when it is always the same.
    pub(super) fn constant(&self) -> Option<&Value> {
        self.0.constant()
    }
}
