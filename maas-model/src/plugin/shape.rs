//! Compares a tree with a JSON Schema as schemars makes it, and tells all differences.
//!
//! serde stops at its first error; a person wants all of them, with the name that was probably meant.
//! The keywords are those that schemars derives; a test compares the verdict with a full validator.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{SettingError, suggestion};

/// How deep schemas and trees are followed; deeper ones are refused by the YAML budget already.
const MAX_DEPTH: usize = 128;

/// A JSON Schema to compare trees with.
#[derive(Debug)]
pub(crate) struct Shape {
    root: Value,
}

/// One step into a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Segment {
    /// A key of a map.
    Key(String),
    /// A place in a list.
    Index(usize),
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShapeError {
    /// Where.
    pub(crate) path: Vec<Segment>,
    /// Of what sort.
    pub(crate) fault: Fault,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

/// The sort of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The path leads to a key that does not belong there.
    Unknown,
    /// The path leads to a map that lacks a key.
    Missing,
    /// A value of the wrong type.
    Type,
    /// A value of the right type that is not allowed.
    Value,
}

impl From<ShapeError> for SettingError {
    fn from(error: ShapeError) -> Self {
        Self {
            path: path_text(&error.path),
            message: error.message,
            hint: error.hint,
        }
    }
}

/// `interfaces[1].collect.file`.
pub(crate) fn path_text(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Index(index) => {
                let _ = write!(text, "[{index}]");
            }
            Segment::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
        }
    }
    text
}

/// The value at `path`.
pub(crate) fn lookup_mut<'a>(value: &'a mut Value, path: &[Segment]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get_mut(key),
        Segment::Index(index) => value.get_mut(index),
    })
}

impl Shape {
    pub(crate) fn new(schema: schemars::Schema) -> Self {
        Self {
            root: schema.to_value(),
        }
    }

    /// All differences, in the order of the tree.
    pub(crate) fn errors(&self, value: &Value) -> Vec<ShapeError> {
        let mut walk = Walk {
            root: &self.root,
            path: Vec::new(),
            errors: Vec::new(),
        };
        walk.visit(&self.root, value);
        walk.errors
    }

    /// Adds the defaults that the schema tells for keys that are not there.
    pub(crate) fn fill_defaults(&self, value: &mut Value) {
        let (Value::Object(fields), Some(Value::Object(properties))) =
            (value, self.root.get("properties"))
        else {
            return;
        };
        for (name, property) in properties {
            if let Some(default) = property.get("default").filter(|default| !default.is_null()) {
                fields.entry(name).or_insert_with(|| default.clone());
            }
        }
    }

    /// Whether anything that the schema describes is secret.
    pub(crate) fn has_secrets(&self) -> bool {
        fn look(schema: &Value) -> bool {
            match schema {
                Value::Object(fields) => {
                    fields.get("writeOnly") == Some(&Value::Bool(true)) || fields.values().any(look)
                }
                Value::Array(items) => items.iter().any(look),
                _ => false,
            }
        }
        look(&self.root)
    }

    /// The paths of the values that are secrets (`writeOnly` in the schema).
    pub(crate) fn secrets(&self, value: &Value) -> Vec<Vec<Segment>> {
        let mut found = Vec::new();
        self.find_secrets(&self.root, value, &mut Vec::new(), &mut found);
        found
    }

    fn find_secrets(
        &self,
        schema: &Value,
        value: &Value,
        path: &mut Vec<Segment>,
        found: &mut Vec<Vec<Segment>>,
    ) {
        if path.len() > MAX_DEPTH {
            return;
        }
        let secret = |schema: &Value| schema.get("writeOnly") == Some(&Value::Bool(true));
        let resolved = resolve(&self.root, schema);
        if secret(schema) || secret(resolved) {
            if !found.contains(path) {
                found.push(path.clone());
            }
            return;
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            for part in list(resolved, keyword) {
                // A part that is the schema itself would go on for ever; parts of parts are rare.
                if !std::ptr::eq(resolve(&self.root, part), resolved) {
                    self.find_secrets(part, value, path, found);
                }
            }
        }
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    if let Some(inner) = member(resolved, key) {
                        path.push(Segment::Key(key.clone()));
                        self.find_secrets(inner, value, path, found);
                        path.pop();
                    }
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    if let Some(inner) = resolved.get("items") {
                        path.push(Segment::Index(index));
                        self.find_secrets(inner, value, path, found);
                        path.pop();
                    }
                }
            }
            _ => {}
        }
    }
}

/// Follows `$ref` within the schema.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH {
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix('#'))
            .and_then(|pointer| root.pointer(pointer));
        match target {
            Some(target) => schema = target,
            None => return schema,
        }
    }
    schema
}

fn list<'a>(schema: &'a Value, keyword: &str) -> &'a [Value] {
    schema
        .get(keyword)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn member<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let declared = schema
        .get("properties")
        .and_then(|properties| properties.get(key));
    declared.or_else(|| {
        schema
            .get("additionalProperties")
            .filter(|rest| !rest.is_boolean())
    })
}

struct Walk<'a> {
    root: &'a Value,
    path: Vec<Segment>,
    errors: Vec<ShapeError>,
}

impl<'a> Walk<'a> {
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
            let mut walk = Walk {
                root: self.root,
                path: self.path.clone(),
                errors: Vec::new(),
            };
            walk.visit(choice, value);
            if walk.errors.is_empty() {
                return;
            }
            let here = |error: &ShapeError| error.path == self.path && error.fault == Fault::Type;
            let meant = !walk.errors.iter().any(here);
            if meant
                && best
                    .as_ref()
                    .is_none_or(|best| worth(&walk.errors) < worth(best))
            {
                best = Some(walk.errors);
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
                    meant.extend(super::nearest(key, free.iter().copied()));
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

/// What a value with several schemas may be.
#[derive(Default)]
struct Choice<'a> {
    types: Vec<&'a str>,
    words: Vec<&'a str>,
}

impl<'a> Choice<'a> {
    fn add(&mut self, root: &'a Value, schema: &'a Value, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let schema = resolve(root, schema);
        for name in types(schema) {
            if !self.types.contains(&name) && name != "null" {
                self.types.push(name);
            }
        }
        let words = list(schema, "enum").iter().chain(schema.get("const"));
        self.words.extend(words.filter_map(Value::as_str));
        for part in list(schema, "anyOf").iter().chain(list(schema, "oneOf")) {
            self.add(root, part, depth + 1);
        }
    }
}

/// The choice with the fewest errors was meant; a foreign key tells more against it than a wrong value.
fn worth(errors: &[ShapeError]) -> (usize, usize) {
    let foreign = |error: &&ShapeError| matches!(error.fault, Fault::Unknown | Fault::Missing);
    (errors.iter().filter(foreign).count(), errors.len())
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_a(value: &Value, wanted: &str) -> bool {
    match wanted {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        // serde takes no `1.0` for an integer, and neither does this.
        "integer" => value.is_i64() || value.is_u64(),
        _ => true,
    }
}

fn expected(types: &[&str]) -> String {
    let words: Vec<&str> = types
        .iter()
        .filter(|name| **name != "null" || types.len() == 1)
        .map(|name| match *name {
            "null" => "nothing",
            "boolean" => "true or false",
            "object" => "a map",
            "array" => "a list",
            "string" => "text",
            "number" => "a number",
            "integer" => "a whole number",
            other => other,
        })
        .collect();
    if words.is_empty() {
        "something else".to_owned()
    } else {
        words.join(" or ")
    }
}

/// Never the value: it may be a secret.
fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with decimals",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// The first sentence.
fn description(root: &Value, schema: &Value) -> Option<String> {
    let text = schema
        .get("description")
        .or_else(|| resolve(root, schema).get("description"))?;
    let lines: Vec<&str> = text.as_str()?.lines().map(str::trim).collect();
    let paragraph = lines.split(|line| line.is_empty()).next()?.join(" ");
    let sentence = paragraph
        .split_once(". ")
        .map(|(first, _)| first.to_owned());
    Some(sentence.unwrap_or_else(|| paragraph.trim_end_matches('.').to_owned()))
}
