//! `maas graph`: the flow as a picture.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use maas_model::pipeline::Graph as Drawn;

use super::{Outcome, connect, output};

/// Print the flow of a pipeline: interfaces, queues, engines, indices.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// The pipeline: a YAML file, or a folder of them.
    #[arg(env = "MAAS_PIPELINE")]
    pipeline: PathBuf,
    /// How it is drawn.
    #[arg(short, long, value_enum, default_value_t = Drawing::Text)]
    format: Drawing,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Drawing {
    /// A tree of text.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// An SVG picture.
    Svg,
}

impl Graph {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let pipeline = connect::load(&self.pipeline)?;
        let graph = Drawn::of(&pipeline);
        output::line(&match self.format {
            Drawing::Text => graph.text(),
            Drawing::Mermaid => graph.mermaid(),
            Drawing::Svg => graph.svg(),
        })?;
        Ok(Outcome::Done)
    }
}
