//! `maas schema`: the JSON Schema of the pipeline file.

use clap::Args;

use super::{Outcome, output};

/// Print the JSON Schema of a pipeline file, with all plugins that are linked, for editors.
#[derive(Debug, Args)]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let schema = maas_model::pipeline::schema();
        output::line(&serde_json::to_string_pretty(&schema)?)?;
        Ok(Outcome::Done)
    }
}
