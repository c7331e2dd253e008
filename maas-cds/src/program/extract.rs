//! `maas extract`: what an interface makes of files.

use std::io::{self, BufWriter, ErrorKind, Stdout, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::Args;
use maas_collector::collect::RawItem;
use maas_collector::flow::{FilePreview, Preview};
use maas_model::clock::Clock;
use maas_model::message::Outgoing;
use serde_json::{Value, json};

use super::connect::{interface, load};
use super::options::Connection;
use super::source::PipelineSource;
use super::{Outcome, output};

/// Print what an interface makes of files, as JSON lines; nothing is stored and nobody is told.
///
/// By default the records as they are extracted; with `--documents` what would be stored if the store were
/// empty. Records that are refused are told on standard error with file, place, field and reason, and make
/// the exit code 1.
#[derive(Debug, Args)]
pub(crate) struct Extract {
    /// The pipeline: a YAML file, or a folder of them.
    #[arg(
        short,
        long,
        visible_short_alias = 'p',
        visible_alias = "pipeline",
        env = "MAAS_PIPELINE"
    )]
    config: Option<PathBuf>,
    /// The interface whose extractor, model and announcement are used.
    #[arg(short, long)]
    interface: String,
    /// The files.
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Print index and id of each document instead of the records.
    #[arg(long)]
    ids: bool,
    /// Print the documents with index and id instead of the records: what `maas import` reads.
    #[arg(long, conflicts_with = "ids")]
    documents: bool,
    /// Print the messages that would be published instead of the records (or after the documents or ids).
    #[arg(long)]
    messages: bool,
    /// Take this for the time now: `2024-05-01T00:00:00Z`.
    #[arg(long)]
    now: Option<DateTime<Utc>>,
}

impl Extract {
    pub(crate) fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let source = PipelineSource::required(self.config.as_deref(), connection);
        let pipeline = match load(&source) {
            Ok(pipeline) => pipeline,
            Err(error) => {
                output::failure(&anyhow::Error::new(error).context("the pipeline is refused"));
                return Ok(Outcome::Refused);
            }
        };
        let interface = match interface(&pipeline, &self.interface) {
            Ok(interface) => interface,
            Err(error) => {
                output::failure(&error);
                return Ok(Outcome::Refused);
            }
        };
        if interface.extract.is_none() && !self.messages {
            output::failure(&anyhow::anyhow!(
                "interface `{}` only fetches files: it has messages (`--messages`) and no records",
                interface.name
            ));
            return Ok(Outcome::Refused);
        }
        let clock = self.now.map_or_else(Clock::system, Clock::frozen);
        let preview = Preview::build(interface, clock)?;
        let mut lines = Lines::new();
        let printed = self.print(&preview, &mut lines);
        match printed.and_then(|well| lines.out.flush().map(|()| well).map_err(Into::into)) {
            Ok(true) => Ok(Outcome::Done),
            Ok(false) => Ok(Outcome::NotWell),
            // Whoever reads us has seen enough.
            Err(error) if is_closed(&error) => Ok(Outcome::Done),
            Err(error) => Err(error),
        }
    }

    /// Whether nothing was refused.
    fn print(&self, preview: &Preview, lines: &mut Lines) -> anyhow::Result<bool> {
        let records = !(self.ids || self.documents || self.messages);
        let (mut well, mut files) = (true, Vec::new());
        for path in &self.inputs {
            let mut written = Ok(());
            let item = RawItem::of_file(path)?;
            let file = match records {
                false => preview.documents(item),
                true => preview.records(item, &mut |record| {
                    written = lines.print(record);
                    match written {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(_) => ControlFlow::Break(()),
                    }
                }),
            };
            written?;
            well &= told(path, &file);
            self.print_documents(&file, lines)?;
            if self.messages {
                files.push(file);
            }
        }
        for message in preview.messages(&files) {
            lines.print(&shown(&message)?)?;
        }
        Ok(well)
    }

    fn print_documents(&self, file: &FilePreview, lines: &mut Lines) -> io::Result<()> {
        for document in &file.documents {
            let (index, id) = (&document.index, &document.id);
            if self.documents {
                let source = &document.source;
                lines.print(&json!({ "_index": index, "_id": id, "_source": source }))?;
            } else if self.ids {
                lines.print(&json!({ "_index": index, "_id": id }))?;
            }
        }
        Ok(())
    }
}

/// A message without what is new in every run.
fn shown(message: &Outgoing) -> anyhow::Result<Value> {
    let mut body: Value = serde_json::from_slice(&message.body)?;
    if let Some(fields) = body.as_object_mut() {
        fields.shift_remove("message_id");
    }
    Ok(json!({
        "exchange": message.exchange,
        "routing_key": message.routing_key,
        "priority": message.priority,
        "body": body,
    }))
}

/// Tells what of a file was refused; whether nothing was.
fn told(path: &Path, file: &FilePreview) -> bool {
    let path = path.display();
    for bad in &file.bad {
        output::complaint(&format!("{path}: {}: {}", bad.place, bad.detail()));
    }
    if let Some(reason) = &file.broken {
        output::complaint(&format!("{path}: {reason}"));
    }
    file.bad.is_empty() && file.broken.is_none()
}

fn is_closed(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// JSON lines on standard output.
struct Lines {
    out: BufWriter<Stdout>,
}

impl Lines {
    fn new() -> Self {
        let out = BufWriter::new(io::stdout());
        Self { out }
    }

    fn print(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }
}
