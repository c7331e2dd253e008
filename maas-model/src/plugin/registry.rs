//! All plugins that are linked into this program.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{PluginInfo, PluginKind, suggestion};

type Registry = BTreeMap<(&'static str, &'static str), PluginInfo>;

/// Two plugins of one kind have the same name.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "two plugins are the {kind} `{name}`: `{first}` and `{second}`; link only one of their crates"
)]
pub struct DuplicatePlugin {
    /// Their kind.
    pub kind: &'static str,
    /// Their name.
    pub name: &'static str,
    /// The module of one.
    pub first: &'static str,
    /// The module of the other.
    pub second: &'static str,
}

fn registry() -> &'static Result<Registry, Box<DuplicatePlugin>> {
    static REGISTRY: OnceLock<Result<Registry, Box<DuplicatePlugin>>> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        build(
            inventory::iter::<PluginKind>
                .into_iter()
                .flat_map(|kind| (kind.list)()),
        )
    })
}

fn build(linked: impl IntoIterator<Item = PluginInfo>) -> Result<Registry, Box<DuplicatePlugin>> {
    let mut registry = Registry::new();
    for plugin in linked {
        let (kind, name, second) = (plugin.kind, plugin.name, plugin.module);
        if let Some(first) = registry.insert((kind, name), plugin) {
            // The order of registration is the linker's.
            let (first, second) = (first.module.min(second), first.module.max(second));
            return Err(Box::new(DuplicatePlugin {
                kind,
                name,
                first,
                second,
            }));
        }
    }
    Ok(registry)
}

/// To be called once at program start: two plugins of one name would make it a matter of chance which
/// one runs. Without this call the other functions see no plugins at all in that case.
pub fn check_registry() -> Result<(), DuplicatePlugin> {
    match registry() {
        Ok(_) => Ok(()),
        Err(duplicate) => Err(DuplicatePlugin::clone(duplicate)),
    }
}

/// The plugins of one kind, by name; of all kinds, by kind and name, when `kind` is `None`.
pub fn plugins(kind: Option<&str>) -> impl Iterator<Item = &'static PluginInfo> {
    registry()
        .iter()
        .flat_map(BTreeMap::values)
        .filter(move |plugin| kind.is_none_or(|kind| plugin.kind == kind))
}

/// The plugin of this kind and name.
pub fn find(kind: &str, name: &str) -> Option<&'static PluginInfo> {
    plugins(Some(kind)).find(|plugin| plugin.name == name)
}

/// What to tell somebody who named a plugin that does not exist.
pub fn unknown_name(kind: &str, name: &str) -> Option<String> {
    let hint = suggestion(name, plugins(Some(kind)).map(|plugin| plugin.name));
    hint.or_else(|| Some(format!("no {kind} is linked into this program")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(module: &'static str) -> PluginInfo {
        PluginInfo {
            kind: "collector",
            name: "file",
            module,
            example: "{}",
            schema: || schemars::json_schema!({}),
            check: |_| Vec::new(),
            emits: |_, _| Vec::new(),
            check_in: |_, _| Vec::new(),
            yields: |_| None,
        }
    }

    #[test]
    fn two_plugins_of_one_name_are_both_named() {
        let error = build([
            plugin("mine::file"),
            plugin("maas_collector::collect::file"),
        ])
        .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("collector `file`"), "{text}");
        assert!(
            text.contains("`maas_collector::collect::file` and `mine::file`"),
            "{text}"
        );
    }

    #[test]
    fn a_name_may_serve_two_kinds() {
        let engine = PluginInfo {
            kind: "engine",
            ..plugin("a")
        };
        assert_eq!(build([plugin("a"), engine]).unwrap().len(), 2);
    }
}
