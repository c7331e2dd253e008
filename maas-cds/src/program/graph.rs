//! `maas graph`: the flow as a picture.

use clap::{Args, ValueEnum};
use maas_model::pipeline::Graph as Drawn;

use super::options::{Connection, PipelineArgument};
use super::source::PipelineSource;
use super::{Outcome, connect, output};

/// Print the flow of a pipeline: interfaces, queues, engines, indices.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    #[command(flatten)]
    pipeline: PipelineArgument,
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
    pub(crate) fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let source = PipelineSource::required(self.pipeline.pipeline.as_deref(), connection);
        let pipeline = connect::load(&source)?;
        let graph = Drawn::of(&pipeline);
        output::line(&match self.format {
            Drawing::Text => graph.text(),
            Drawing::Mermaid => graph.mermaid(),
            Drawing::Svg => graph.svg(),
        })?;
        Ok(Outcome::Done)
    }
}
