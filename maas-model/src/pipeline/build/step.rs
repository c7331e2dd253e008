//! One step of a queue: an engine and its settings.

use serde_json::Value;

use super::names::Names;
use crate::pipeline::EngineStep;
use crate::pipeline::plugins::{Found, Settings};
use crate::pipeline::report::{At, Pin};
use crate::pipeline::text::{STEP_KEYS, StepMap, StepText};
use crate::plugin::{self, nearest, suggestion};

impl Names<'_, '_> {
    pub(super) fn step(&mut self, text: &StepText, at: &At) -> Option<EngineStep> {
        let plain = StepMap::default();
        let (name, value, step, engine_at) = match text {
            StepText::Name(name) => (name.as_str(), &Value::Null, &plain, at.clone()),
            StepText::Settings(step) => {
                let (name, value) = self.engine_of(step, at)?;
                (name, value, step, at.below(name))
            }
        };
        let found = self
            .plugins
            .find("engine", name, &engine_at, self.reports)?;
        let defaults = self.defaults.get(name);
        let engine = match found {
            Found::Linked(info) => {
                let settings = self.plugins.settings(info, engine_at, value, self.reports);
                self.plugins
                    .check(info, &settings, defaults, self.reports)?
            }
            Found::Missing => {
                let value = value.clone();
                let settings = Settings {
                    at: engine_at,
                    value,
                };
                self.plugins
                    .unchecked(name, &settings, defaults, self.reports)
            }
        };
        Some(EngineStep {
            engine,
            send_reports: step.report.unwrap_or(true),
            chunk_size: step.chunk_size.unwrap_or(0),
            force: step.force.unwrap_or(false),
            missing: step.missing.unwrap_or_default(),
        })
    }

    /// The one key of a step that names an engine.
    fn engine_of<'t>(&mut self, step: &'t StepMap, at: &At) -> Option<(&'t str, &'t Value)> {
        let known = |name: &str| plugin::find("engine", name).is_some();
        let mut engines: Vec<(&String, &Value)> = step.engine.iter().collect();
        if engines.len() > 1 {
            // Wrong step keys stand beside the engine: tell them apart by what they resemble.
            let wrong = |name: &str| !known(name) && nearest(name, STEP_KEYS).is_some();
            let single = engines.iter().filter(|(name, _)| known(name)).count() == 1;
            for (name, _) in engines
                .iter()
                .filter(|(name, _)| wrong(name) || single && !known(name))
            {
                let hint = suggestion(name, STEP_KEYS);
                self.reports.error(
                    &at.below(name),
                    Pin::Key,
                    format!("unknown key `{name}`"),
                    hint,
                );
            }
            engines.retain(|(name, _)| !wrong(name) && (!single || known(name)));
        }
        match engines.as_slice() {
            [(name, value)] => Some((name.as_str(), *value)),
            [] => {
                let hint = "`- ENGINE: { setting: value }`, and beside it `report`, `chunk_size`, `force`, `missing`";
                self.reports
                    .error(at, Pin::Value, "no engine is named", Some(hint.to_owned()));
                None
            }
            [_, (second, _), ..] => {
                let hint =
                    Some("each engine is an entry of its own: start it with `- `".to_owned());
                self.reports.error(
                    &at.below(second),
                    Pin::Key,
                    "two engines in one entry",
                    hint,
                );
                None
            }
        }
    }
}
