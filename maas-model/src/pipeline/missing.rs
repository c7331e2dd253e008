//! What a pipeline names and this program does not have.

use super::{Interface, Pipeline, PluginUse, Queue};
use crate::plugin;

/// A plugin that the pipeline names and that is not linked into this program.
///
/// Only plugins of the Python system are let through so; other unknown names are mistakes.
#[derive(Debug, Clone)]
pub struct MissingPlugin<'p> {
    /// `collector`, `engine`.
    pub kind: &'static str,
    /// What the pipeline says of it. Its settings were not checked.
    pub plugin: &'p PluginUse,
    /// The interface or the pool that needs it.
    pub owner: &'p str,
}

impl Pipeline {
    /// All uses of plugins that this program does not have, in order.
    pub fn missing(&self) -> Vec<MissingPlugin<'_>> {
        let mut missing = Vec::new();
        for interface in &self.interfaces {
            missing.extend(
                missing_of_interface(interface).map(|(kind, plugin)| MissingPlugin {
                    kind,
                    plugin,
                    owner: &interface.name,
                }),
            );
        }
        for pool in &self.pools {
            for queue in &pool.queues {
                missing.extend(missing_of_queue(queue).map(|plugin| MissingPlugin {
                    kind: "engine",
                    plugin,
                    owner: &pool.name,
                }));
            }
        }
        missing
    }

    /// The part of it that this program can run: interfaces and queues that need a missing plugin are left
    /// out, and so are pools without queues. What comes for the queues left out waits in them, as long as
    /// they were declared from the whole pipeline.
    #[must_use]
    pub fn without_missing(&self) -> Self {
        let mut rest = self.clone();
        rest.interfaces
            .retain(|interface| missing_of_interface(interface).next().is_none());
        for pool in &mut rest.pools {
            pool.queues
                .retain(|queue| missing_of_queue(queue).next().is_none());
        }
        rest.pools.retain(|pool| !pool.queues.is_empty());
        let left: Vec<String> = rest.interfaces.iter().map(|one| one.name.clone()).collect();
        for interface in &mut rest.interfaces {
            interface.after.retain(|name| left.contains(name));
        }
        rest
    }
}

fn missing_of_interface(interface: &Interface) -> impl Iterator<Item = (&'static str, &PluginUse)> {
    let extract = interface.extract.iter().map(|plugin| ("extractor", plugin));
    std::iter::once(("collector", &interface.collect))
        .chain(extract)
        .filter(|(kind, plugin)| is_missing(kind, plugin))
}

fn missing_of_queue(queue: &Queue) -> impl Iterator<Item = &PluginUse> {
    let engines = queue.engines.iter().map(|step| &step.engine);
    engines.filter(|engine| is_missing("engine", engine))
}

fn is_missing(kind: &str, used: &PluginUse) -> bool {
    plugin::find(kind, &used.name).is_none()
}
