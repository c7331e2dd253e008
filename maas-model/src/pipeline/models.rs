//! From the `models` section to [`Models`].

use std::sync::Arc;

use super::report::{Pin, Reports};
use super::sections::Entry;
use crate::model::{ModelSpec, Models};

/// The models that are right, and the names of those that are not.
pub(super) fn build(
    sections: &[(String, Entry<ModelSpec>)],
    reports: &mut Reports,
) -> (Models, Vec<String>) {
    let mut models = Models::new();
    let mut broken = Vec::new();
    for (name, Entry { at, text, .. }) in sections {
        if models.contains_key(name) {
            let hint = Some("models of all files share one space of names".to_owned());
            reports.error(at, Pin::Key, format!("there are two models `{name}`"), hint);
            continue;
        }
        match text.build(name) {
            Ok(model) => {
                models.insert(name.clone(), Arc::new(model));
            }
            Err(errors) => {
                broken.push(name.clone());
                for error in errors {
                    reports.error(
                        &at.below(&error.path),
                        Pin::Value,
                        error.message,
                        error.hint,
                    );
                }
            }
        }
    }
    (models, broken)
}
