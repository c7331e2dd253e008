//! `maas plugins`: what is linked into this program.

use anyhow::bail;
use clap::Args;
use maas_model::plugin::{self, PluginInfo};
use serde_json::{Value, json};

use super::Outcome;
use super::options::{Format, OutputOption};
use super::output::{self, Rows};

/// List the plugins of this program, or show the settings of one.
#[derive(Debug, Args)]
pub(crate) struct Plugins {
    /// Show this one: its settings with types and defaults, and an example.
    name: Option<String>,
    #[command(flatten)]
    output: OutputOption,
}

impl Plugins {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let mut all: Vec<&PluginInfo> = plugin::plugins(None).collect();
        all.sort_by_key(|plugin| (plugin.kind, plugin.name));
        let Some(name) = &self.name else {
            list(&all).print(self.output.output)?;
            return Ok(Outcome::Done);
        };
        let found: Vec<&PluginInfo> = all
            .iter()
            .copied()
            .filter(|plugin| plugin.name == name)
            .collect();
        if found.is_empty() {
            let names: Vec<&str> = all.iter().map(|plugin| plugin.name).collect();
            bail!(
                "no plugin `{name}` is linked; there are {}",
                names.join(", ")
            );
        }
        for plugin in found {
            self.show(plugin)?;
        }
        Ok(Outcome::Done)
    }

    fn show(&self, plugin: &PluginInfo) -> anyhow::Result<()> {
        let schema = serde_json::to_value((plugin.schema)())?;
        if self.output.output != Format::Table {
            let shown = json!({
                "kind": plugin.kind, "name": plugin.name, "module": plugin.module,
                "example": plugin.example, "schema": schema,
            });
            return output::line(&serde_json::to_string_pretty(&shown)?);
        }
        output::line(&format!(
            "{} `{}` ({})\n",
            plugin.kind, plugin.name, plugin.module
        ))?;
        output::line(&format!("{}\n", description(&schema)))?;
        settings(&schema).print(Format::Table)?;
        output::line(&format!(
            "\nexample:\n  {}: {}\n",
            plugin.name, plugin.example
        ))
    }
}

fn list(plugins: &[&PluginInfo]) -> Rows {
    let mut rows = Rows::new(["kind", "name", "crate", "what it does"]);
    for plugin in plugins {
        let schema = serde_json::to_value((plugin.schema)()).unwrap_or_default();
        let what = description(&schema);
        let first_line = what.lines().next().unwrap_or_default().to_owned();
        let origin = plugin.module.split("::").next().unwrap_or_default();
        rows.push([
            json!(plugin.kind),
            json!(plugin.name),
            json!(origin),
            json!(first_line),
        ]);
    }
    rows
}

fn description(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// One row per setting of an object schema.
fn settings(schema: &Value) -> Rows {
    let mut rows = Rows::new(["setting", "type", "default", "what it means"]);
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, setting) in schema["properties"].as_object().into_iter().flatten() {
        let default = match &setting["default"] {
            Value::Null if required.contains(&name.as_str()) => json!("(required)"),
            Value::Null => Value::Null,
            value => json!(value.to_string()),
        };
        rows.push([
            json!(name),
            json!(kind(setting)),
            default,
            json!(description(setting)),
        ]);
    }
    rows
}

/// A short name of a schema's type.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or(reference).to_owned();
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<&str> = names
                .iter()
                .filter_map(Value::as_str)
                .filter(|name| *name != "null")
                .collect();
            names.join(" or ")
        }
        _ => {
            let choices = ["anyOf", "oneOf"]
                .iter()
                .find_map(|key| schema[*key].as_array());
            let mut kinds: Vec<String> = choices.into_iter().flatten().map(kind).collect();
            kinds.retain(|kind| kind != "null");
            kinds.dedup();
            kinds.join(" or ")
        }
    }
}
