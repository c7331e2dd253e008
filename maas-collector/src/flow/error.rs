//! Why a flow ends before its time.

use maas_model::message::{BusError, NameError};
use maas_model::pipeline::PluginUse;
use maas_model::plugin::SettingError;
use maas_model::store::StoreError;

use super::patience::Side;
use crate::collect::CollectError;

/// Why a flow cannot be made or cannot go on. What was settled before is safe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// A plugin is unknown or refuses its settings.
    #[error("{place}: {reason}")]
    Plugin {
        /// Where it stands in the pipeline.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A name that the bus or the store does not allow.
    #[error("interface `{interface}`: {reason}")]
    Name {
        /// The interface.
        interface: String,
        /// What is wrong.
        reason: String,
    },
    /// An exchange or key that the bus does not allow.
    #[error(transparent)]
    Key(#[from] NameError),
    /// The store refuses to work; an operator must act.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus refuses to work; an operator must act.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The source cannot be read.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The run was cancelled while it waited; what is not settled will be done by the next one.
    #[error("cancelled")]
    Cancelled,
}

impl FlowError {
    pub(super) fn settings(plugin: &PluginUse, errors: &[SettingError]) -> Self {
        let all: Vec<String> = errors
            .iter()
            .map(|error| format!("{}: {}", error.path, error.message))
            .collect();
        Self::Plugin {
            place: plugin.place.to_string(),
            reason: format!("`{}`: {}", plugin.name, all.join("; ")),
        }
    }
}

/// Whether waiting can help, and for whom one waits.
pub(super) trait Temporary: std::error::Error + Into<FlowError> {
    const SIDE: Side;

    fn is_temporary(&self) -> bool;
}

impl Temporary for StoreError {
    const SIDE: Side = Side::Store;

    fn is_temporary(&self) -> bool {
        Self::is_temporary(self)
    }
}

impl Temporary for BusError {
    const SIDE: Side = Side::Bus;

    fn is_temporary(&self) -> bool {
        Self::is_temporary(self)
    }
}
