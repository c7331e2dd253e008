//! Values that may be one of several things.

use serde_json::Value;

use super::schema::{list, resolve, types};
use super::{Fault, MAX_DEPTH, ShapeError};

/// What a value with several schemas may be.
#[derive(Default)]
pub(super) struct Choice<'a> {
    pub(super) types: Vec<&'a str>,
    pub(super) words: Vec<&'a str>,
}

impl<'a> Choice<'a> {
    pub(super) fn add(&mut self, root: &'a Value, schema: &'a Value, depth: usize) {
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
pub(super) fn worth(errors: &[ShapeError]) -> (usize, usize) {
    let foreign = |error: &&ShapeError| matches!(error.fault, Fault::Unknown | Fault::Missing);
    (errors.iter().filter(foreign).count(), errors.len())
}
