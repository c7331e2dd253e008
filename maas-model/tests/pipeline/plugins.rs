//! Small plugins of each kind, so that files can name some.

use std::collections::BTreeMap;

use maas_model::message::KeyPattern;
use maas_model::plugin::{
    Emission, EmitContext, PluginInfo, PluginKind, SettingError, Settings, read,
};
use maas_model::secret::Secret;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Takes files from folders.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct Probe {
    /// Folders.
    #[schemars(length(min = 1))]
    paths: Vec<String>,
    /// Name of the files.
    pattern: Option<String>,
    /// Seconds between two looks.
    #[serde(default)]
    #[schemars(range(max = 86400))]
    interval_seconds: u32,
    /// Also folders in folders.
    #[serde(default)]
    recursive: bool,
    /// Password of the account.
    password: Option<Secret>,
    /// What happens to files that are done.
    done: Option<Done>,
}

/// What happens to files that are done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
pub(crate) enum Done {
    /// They are deleted.
    Delete,
    /// They are moved there.
    Move(String),
}

impl Settings for Probe {
    const NAME: &'static str = "probe";
    const EXAMPLE: &'static str = "{ paths: [inbox] }";

    fn check(&self) -> Vec<SettingError> {
        let up = |path: &&String| path.contains("..");
        let wrong = self.paths.iter().filter(up).map(|path| {
            SettingError::new("paths", format!("`{path}` leaves the folder"))
                .hint("write the path out")
        });
        wrong.collect()
    }
}

/// Makes a record of each line.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct Lines {
    /// What stands between two fields.
    #[serde(default)]
    separator: Option<String>,
    /// Field of each column.
    fields: BTreeMap<String, Column>,
}

/// Where a field comes from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)]
pub(crate) enum Column {
    /// Name of the column.
    Name(String),
    /// A constant.
    Constant(Constant),
}

/// A constant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct Constant {
    /// The value.
    value: String,
}

impl Settings for Lines {
    const NAME: &'static str = "lines";
    const EXAMPLE: &'static str = "{ fields: { name: A } }";
}

/// Writes what it reads to another model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct Echo {
    /// Name of the model that is written.
    target_model: Option<String>,
    /// Key of a message for each container.
    container_rk: Option<String>,
    /// Most containers in one message.
    container_chunk_size: Option<u32>,
}

impl Settings for Echo {
    const NAME: &'static str = "ECHO";
    const EXAMPLE: &'static str = "{ target_model: Product }";
}

fn echo_emits(settings: &Value, cx: &EmitContext<'_>) -> Vec<Emission> {
    let Ok(echo) = read::<Echo>(settings) else {
        return Vec::new();
    };
    let class = echo.target_model.as_deref().or(cx.document_class);
    let model = class.and_then(|class| cx.models.get(class));
    let mut emissions: Vec<Emission> = model
        .and_then(|model| Emission::of_writes(model.alias.as_str(), &model.name).ok())
        .unwrap_or_default();
    let notice = echo.container_rk.and_then(|key| KeyPattern::new(key).ok());
    emissions.extend(notice.map(|key| Emission::notice(key, None)));
    emissions
}

/// Reads and forgets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forget {}

impl Settings for Forget {
    const NAME: &'static str = "FORGET";
    const EXAMPLE: &'static str = "{}";
}

inventory::submit! {
    PluginKind {
        kind: "collector",
        list: || vec![PluginInfo::of::<Probe>("collector", module_path!())],
    }
}
inventory::submit! {
    PluginKind {
        kind: "extractor",
        list: || vec![PluginInfo::of::<Lines>("extractor", module_path!())],
    }
}
inventory::submit! {
    PluginKind {
        kind: "engine",
        list: || {
            vec![
                PluginInfo::of::<Echo>("engine", module_path!()).emitting(echo_emits),
                PluginInfo::of::<Forget>("engine", module_path!()),
            ]
        },
    }
}
