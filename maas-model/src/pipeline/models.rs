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
    overlaps(sections, &models, reports);
    (models, broken)
}

/// The indices of a model in partitions begin with its alias and a dash. An index of another model that
/// does so too is read and mapped with them.
fn overlaps(sections: &[(String, Entry<ModelSpec>)], models: &Models, reports: &mut Reports) {
    for (name, Entry { at, .. }) in sections {
        let Some(model) = models.get(name) else {
            continue;
        };
        let other = models.values().find(|other| {
            let rest = model.alias.as_str().strip_prefix(other.alias.as_str());
            other.partition.is_some() && rest.is_some_and(|rest| rest.starts_with('-'))
        });
        if let Some(other) = other {
            let message = format!(
                "`{}` counts among the indices of `{}`, which are `{}-*`",
                model.alias, other.name, other.alias
            );
            let hint = format!("give it a name that does not begin with `{}-`", other.alias);
            reports.warning(&at.below("index"), Pin::Value, message, Some(hint));
        }
    }
}
