//! `maas schema`: the JSON Schema of pipeline and test files.

use clap::Args;

use super::{Outcome, output};

/// Print the JSON Schema of a pipeline file, with all plugins that are linked, for editors.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// That of a test file instead.
    #[arg(long)]
    tests: bool,
}

impl Schema {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let schema = match self.tests {
            true => super::test::schema()?,
            false => maas_model::pipeline::schema(),
        };
        output::line(&serde_json::to_string_pretty(&schema)?)?;
        Ok(Outcome::Done)
    }
}
