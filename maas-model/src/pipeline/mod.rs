//! What the YAML can say, as values. Loading is in `load`, the check of the wiring in `wiring`.

mod spec;

pub use spec::{
    Announce, EngineStep, Interface, MissingInput, Outside, Pipeline, PluginUse, Pool, Queue,
    StoreSpec,
};
