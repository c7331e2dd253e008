//! A schema and a tree, side by side.

use serde_json::{Map, Value};

use super::choice::{Choice, worth};
use super::schema::{description, list, member, resolve, types};
use super::words::{expected, found, is_a};
use super::{Fault, MAX_DEPTH, Segment, ShapeError};
use crate::plugin::suggestion;

pub(super) struct Walk<'a> {
    root: &'a Value,
    path: Vec<Segment>,
    errors: Vec<ShapeError>,
}

impl<'a> Walk<'a> {
    /// One that begins at this place.
    pub(super) fn at(root: &'a Value, path: Vec<Segment>) -> Self {
        Self {
            root,
            path,
            errors: Vec::new(),
        }
    }

    /// All differences from here on.
    pub(super) fn errors(mut self, schema: &'a Value, value: &Value) -> Vec<ShapeError> {
        self.visit(schema, value);
        self.errors
    }

    fn visit(&mut self, schema: &'a Value, value: &Value) {
        if self.path.len() > MAX_DEPTH {
            return self.report(Fault::Value, "nested too deeply", None);
        }
        if schema == &Value::Bool(false) {
            return self.report(Fault::Value, "nothing is allowed here", None);
        }
        if schema.get("$ref").is_some() {
            self.visit_resolved(resolve(self.root, schema), value);
        }
        self.visit_resolved(schema, value);
    }

    fn visit_resolved(&mut self, schema: &'a Value, value: &Value) {
        if !self.has_type(schema, value) {
            return;
        }
        self.allowed_values(schema, value);
        for part in list(schema, "allOf") {
            self.visit(part, value);
        }
        for keyword in ["anyOf", "oneOf"] {
            let choices = list(schema, keyword);
            if !choices.is_empty() {
                self.one_of(choices, value);
            }
        }
        match value {
            Value::Object(fields) => self.object(schema, fields),
            Value::Array(items) => self.array(schema, items),
            Value::String(text) => self.text(schema, text),
            Value::Number(_) => self.number(schema, value),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn has_type(&mut self, schema: &Value, value: &Value) -> bool {
        let types = types(schema);
        if types.is_empty() || types.iter().any(|wanted| is_a(value, wanted)) {
            return true;
        }
        let message = format!("expected {}, found {}", expected(&types), found(value));
        self.report(Fault::Type, message, None);
        false
    }

    fn allowed_values(&mut self, schema: &Value, value: &Value) {
        let single = schema.get("const").map(std::slice::from_ref);
        let Some(allowed) = single.or(schema
            .get("enum")
            .and_then(Value::as_array)
            .map(Vec::as_slice))
        else {
            return;
        };
        if allowed.contains(value) {
            return;
        }
        let names: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        match value.as_str() {
            Some(text) => {
                let hint = suggestion(text, names);
                self.report(Fault::Value, format!("`{text}` is not allowed"), hint);
            }
            None => {
                let message = format!("{} is not allowed", found(value));
                self.report(Fault::Value, message, suggestion("", names));
            }
        }
    }

    /// `anyOf` and `oneOf`: fine when one choice fits; otherwise the errors of the choice that was meant.
    fn one_of(&mut self, choices: &'a [Value], value: &Value) {
        let mut best: Option<Vec<ShapeError>> = None;
        for choice in choices {
            let errors = Walk::at(self.root, self.path.clone()).errors(choice, value);
            if errors.is_empty() {
                return;
            }
            let here = |error: &ShapeError| error.path == self.path && error.fault == Fault::Type;
            let meant = !errors.iter().any(here);
            if meant
                && best
                    .as_ref()
                    .is_none_or(|best| worth(&errors) < worth(best))
            {
                best = Some(errors);
            }
        }
        let mut choice = Choice::default();
        choices
            .iter()
            .for_each(|part| choice.add(self.root, part, 0));
        match (best, value) {
            (Some(_), Value::String(text)) if !choice.words.is_empty() => {
                let hint = suggestion(text, choice.words);
                self.report(Fault::Value, format!("`{text}` is not allowed"), hint);
            }
            (Some(errors), _) => self.errors.extend(errors),
            (None, _) => {
                let message = format!(
                    "expected {}, found {}",
                    expected(&choice.types),
                    found(value)
                );
                self.report(Fault::Type, message, None);
            }
        }
    }

    fn object(&mut self, schema: &'a Value, fields: &Map<String, Value>) {
        let required = list(schema, "required").iter().filter_map(Value::as_str);
        let missing: Vec<&str> = required.filter(|key| !fields.contains_key(*key)).collect();
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        let declared = schema.get("properties").and_then(Value::as_object);
        let mut meant: Vec<&str> = Vec::new();
        for (key, value) in fields {
            self.path.push(Segment::Key(key.clone()));
            match member(schema, key) {
                Some(inner) => self.visit(inner, value),
                None if closed => {
                    let names = declared.into_iter().flat_map(Map::keys).map(String::as_str);
                    let free: Vec<&str> =
                        names.filter(|name| !fields.contains_key(*name)).collect();
                    meant.extend(crate::plugin::nearest(key, free.iter().copied()));
                    let hint = suggestion(key, free);
                    self.report(Fault::Unknown, format!("unknown key `{key}`"), hint);
                }
                None => {}
            }
            self.path.pop();
        }
        // A required key that is there under a wrong name is one mistake, not two.
        for key in missing.into_iter().filter(|key| !meant.contains(key)) {
            let hint = declared
                .and_then(|declared| declared.get(key))
                .and_then(|inner| description(self.root, inner))
                .map(|text| format!("`{key}`: {text}"));
            self.report(Fault::Missing, format!("missing key `{key}`"), hint);
        }
        self.bound(schema, "minProperties", fields.len(), "key");
        self.bound(schema, "maxProperties", fields.len(), "key");
    }

    fn array(&mut self, schema: &'a Value, items: &[Value]) {
        let first = list(schema, "prefixItems");
        for (index, item) in items.iter().enumerate() {
            self.path.push(Segment::Index(index));
            if let Some(inner) = first.get(index).or(schema.get("items")) {
                self.visit(inner, item);
            }
            self.path.pop();
        }
        self.bound(schema, "minItems", items.len(), "entry");
        self.bound(schema, "maxItems", items.len(), "entry");
    }

    fn text(&mut self, schema: &Value, text: &str) {
        let length = text.chars().count();
        if length == 0 && schema.get("minLength").is_some_and(|limit| limit == 1) {
            return self.report(Fault::Value, "must not be empty", None);
        }
        self.bound(schema, "minLength", length, "character");
        self.bound(schema, "maxLength", length, "character");
        let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else {
            return;
        };
        // A pattern that is no regular expression is a mistake of the plugin, not of the file.
        if regex::Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text)) {
            let hint = format!("it must match `{pattern}`");
            self.report(Fault::Value, format!("`{text}` is not allowed"), Some(hint));
        }
    }

    fn number(&mut self, schema: &Value, value: &Value) {
        let Some(number) = value.as_f64() else { return };
        let limit = |keyword| schema.get(keyword).and_then(Value::as_f64);
        let broken = [
            (
                "minimum",
                "at least",
                limit("minimum").filter(|limit| number < *limit),
            ),
            (
                "maximum",
                "at most",
                limit("maximum").filter(|limit| number > *limit),
            ),
            (
                "exclusiveMinimum",
                "more than",
                limit("exclusiveMinimum").filter(|limit| number <= *limit),
            ),
            (
                "exclusiveMaximum",
                "less than",
                limit("exclusiveMaximum").filter(|limit| number >= *limit),
            ),
        ];
        for (keyword, words, limit) in broken {
            if limit.is_some() {
                let message = format!("must be {words} {}, found {value}", schema[keyword]);
                self.report(Fault::Value, message, None);
            }
        }
    }

    fn bound(&mut self, schema: &Value, keyword: &str, size: usize, unit: &str) {
        let Some(limit) = schema.get(keyword).and_then(Value::as_u64) else {
            return;
        };
        let size = size as u64;
        let (broken, words) = if keyword.starts_with("min") {
            (size < limit, "at least")
        } else {
            (size > limit, "at most")
        };
        if broken {
            let unit = match (limit, unit) {
                (1, unit) => unit.to_owned(),
                (_, "entry") => "entries".to_owned(),
                (_, unit) => format!("{unit}s"),
            };
            let message = format!("expected {words} {limit} {unit}, found {size}");
            let hint = description(self.root, schema);
            self.report(Fault::Value, message, hint);
        }
    }

    fn report(&mut self, fault: Fault, message: impl Into<String>, hint: Option<String>) {
        let error = ShapeError {
            path: self.path.clone(),
            fault,
            message: message.into(),
            hint,
        };
        // A schema and what it refers to may both say it.
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}
