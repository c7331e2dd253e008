//! Which values of a tree are secrets: those that the schema says are only written.

use serde_json::Value;

use super::schema::{list, member, resolve};
use super::{MAX_DEPTH, Segment, Shape};

impl Shape {
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
