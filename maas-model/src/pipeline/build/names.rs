//! What names mean while a pipeline is built: owners, queues, models, plugins.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Origins;
use crate::message::QueueName;
use crate::model::{Model, Models};
use crate::pipeline::PluginUse;
use crate::pipeline::plugins::{Found, Plugins, Settings};
use crate::pipeline::report::{At, Pin, Reports};
use crate::pipeline::sections::Entry;
use crate::pipeline::text::PluginText;
use crate::plugin::suggestion;

/// What names mean while the pipeline is built.
pub(super) struct Names<'a, 'r> {
    pub(super) plugins: Plugins<'a>,
    pub(super) models: &'a Models,
    pub(super) broken_models: &'a [String],
    /// Of each engine, with the place of the section that has them.
    pub(super) defaults: BTreeMap<String, Settings>,
    /// Interfaces and pools: the owners of dead letters share one space of names.
    pub(super) taken: BTreeMap<String, &'static str>,
    /// Which pool has a queue.
    pub(super) queues: BTreeMap<QueueName, String>,
    /// What some interface or engine publishes is not known.
    pub(super) producers_unknown: bool,
    /// See [`Builder::lenient`](super::Builder::lenient).
    pub(super) lenient: bool,
    pub(super) origins: Origins,
    pub(super) reports: &'r mut Reports,
}

impl Names<'_, '_> {
    pub(super) fn take_name(&mut self, what: &'static str, name: &str, at: &At) {
        if let Some(owner) = self.taken.insert(name.to_owned(), what) {
            let message = if owner == what {
                format!("there are two {what}s `{name}`")
            } else {
                format!("`{name}` is the name of an {owner} and of a {what}")
            };
            let hint = Some("dead letters go by the names of interfaces and pools".to_owned());
            self.reports
                .error(&at.below("name"), Pin::Value, message, hint);
        }
    }

    pub(super) fn engine_defaults(&mut self, sections: Vec<(String, Entry<Map<String, Value>>)>) {
        for (name, Entry { at, text, .. }) in sections {
            let value = Value::Object(text);
            let settings = match self.plugins.find("engine", &name, &at, self.reports) {
                Some(Found::Linked(info)) => {
                    let settings = self
                        .plugins
                        .settings(info, at.clone(), &value, self.reports);
                    self.plugins.check_defaults(info, &settings, self.reports);
                    settings
                }
                Some(Found::Missing) => Settings {
                    at: at.clone(),
                    value,
                },
                None => continue,
            };
            if self.defaults.insert(name.clone(), settings).is_some() {
                let hint = Some("write them in one place".to_owned());
                self.reports.error(
                    &at,
                    Pin::Key,
                    format!("`{name}` has defaults already"),
                    hint,
                );
            }
        }
    }

    pub(super) fn field(&mut self, model: &Model, field: &str, at: &At) {
        if !model.fields.contains_key(field) {
            let hint = suggestion(field, model.fields.keys().map(String::as_str));
            let message = format!("`{}` has no field `{field}`", model.name);
            self.reports.error(at, Pin::Value, message, hint);
        }
    }

    pub(super) fn plugin(&mut self, kind: &str, text: &PluginText, at: &At) -> Option<PluginUse> {
        // More than one was told when the section was read.
        let (name, value) = text.0.first()?;
        let at = at.below(name);
        match self.plugins.find(kind, name, &at, self.reports)? {
            Found::Linked(info) => {
                let settings = self.plugins.settings(info, at, value, self.reports);
                self.plugins.check(info, &settings, None, self.reports)
            }
            Found::Missing => {
                let settings = Settings {
                    at,
                    value: value.clone(),
                };
                Some(self.plugins.unchecked(name, &settings, None, self.reports))
            }
        }
    }
}
