//! `maas doctor`: what keeps a pipeline from working, and what to do about it.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use maas_model::pipeline::Pipeline;
use maas_model::private;
use maas_model::secret::covered;
use serde_json::json;

use super::Outcome;
use super::options::{Connection, OutputOption, PipelineOption};
use super::output::Rows;

/// Less than this is soon nothing: OpenSearch stops taking writes at 5 % of a disk.
const LITTLE_SPACE: u64 = 1024 * 1024 * 1024;

/// Check what a pipeline needs: store, bus, templates, free space, rights of the data folder. Exit code 1 when
/// something is red; yellow is worth a look.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    pipeline: PipelineOption,
}

/// One thing looked at.
struct Finding {
    what: &'static str,
    red: bool,
    /// It works, and somebody should know of it all the same.
    yellow: bool,
    detail: String,
    advice: &'static str,
}

impl Doctor {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let mut findings = Vec::new();
        let pipeline = self.look_at_pipeline(connection, &mut findings);
        look_at_store(connection, pipeline.as_ref(), &mut findings).await;
        look_at_bus(connection, &mut findings).await;
        findings.extend(look_at_rights(&connection.data_dir));
        let red = findings.iter().any(|finding| finding.red);
        let mut rows = Rows::new(["what", "state", "detail", "what to do"]);
        for finding in findings {
            let (state, advice) = match (finding.red, finding.yellow) {
                (true, _) => ("red", finding.advice),
                (false, true) => ("yellow", finding.advice),
                (false, false) => ("green", ""),
            };
            rows.push([
                json!(finding.what),
                json!(state),
                json!(finding.detail),
                json!(advice),
            ]);
        }
        rows.print(self.output.output)?;
        Ok(if red { Outcome::NotWell } else { Outcome::Done })
    }

    fn look_at_pipeline(
        &self,
        connection: &Connection,
        findings: &mut Vec<Finding>,
    ) -> Option<Pipeline> {
        let source = self.pipeline.source(connection)?;
        let advice = "see all problems with `maas check`";
        let (red, detail, pipeline) = match super::connect::load(&source) {
            Ok(pipeline) => (false, format!("`{source}` is sound"), Some(pipeline)),
            Err(error) => (true, format!("{} problems", error.problems.len()), None),
        };
        findings.push(Finding {
            what: "pipeline",
            red,
            yellow: false,
            detail,
            advice,
        });
        pipeline
    }
}

async fn look_at_store(
    connection: &Connection,
    pipeline: Option<&Pipeline>,
    findings: &mut Vec<Finding>,
) {
    let advice = "start the store, or correct `--store` / `MAAS_STORE`";
    let status = match connection.open_store() {
        Ok(store) => store.status().await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    let status = match status {
        Ok(status) => status,
        Err(error) => {
            findings.push(Finding {
                what: "store",
                red: true,
                yellow: false,
                detail: chain(&error),
                advice,
            });
            return;
        }
    };
    findings.push(Finding {
        what: "store",
        red: !status.healthy,
        yellow: false,
        detail: format!(
            "{}, version {} {}",
            status.name, status.version, status.detail
        ),
        advice,
    });
    if let Some(free) = status.free_bytes {
        findings.push(Finding {
            what: "free space",
            red: free < LITTLE_SPACE,
            yellow: false,
            detail: format!("{} MiB", free / 1024 / 1024),
            advice: "make room where the store keeps its data",
        });
    }
    let Some(pipeline) = pipeline else { return };
    let installed: BTreeSet<&str> = status.installed.iter().map(String::as_str).collect();
    let missing: Vec<&str> = pipeline
        .models
        .values()
        .map(|model| model.alias.as_str())
        .filter(|alias| !installed.contains(alias))
        .collect();
    findings.push(Finding {
        what: "templates",
        red: !missing.is_empty(),
        yellow: false,
        detail: match missing.as_slice() {
            [] => "all installed".to_owned(),
            names => format!("missing: {}", names.join(", ")),
        },
        advice: "`maas index install` (`maas run` does it at its start)",
    });
}

async fn look_at_bus(connection: &Connection, findings: &mut Vec<Finding>) {
    let status = match connection.open_bus() {
        Ok(bus) => bus.status().await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    let (red, detail) = match status {
        Ok(status) => (
            !status.healthy,
            format!(
                "{}, version {} {}",
                status.name, status.version, status.detail
            ),
        ),
        Err(error) => (true, chain(&error)),
    };
    let advice = "start the bus, or correct `--bus` / `MAAS_BUS`";
    findings.push(Finding {
        what: "bus",
        red,
        yellow: false,
        detail,
        advice,
    });
}

/// Whether others may read the data folder: MaaS makes it for its owner alone, and leaves what is there as it is.
/// Nothing to tell where there is none.
fn look_at_rights(folder: &Path) -> Option<Finding> {
    if !folder.is_dir() {
        return None;
    }
    let (yellow, detail) = match private::open_to_others(folder) {
        Ok(open) => match open.as_slice() {
            [] => (false, "for its owner alone".to_owned()),
            [first, others @ ..] => {
                let path = first.path.display();
                let others = match others.len() {
                    0 => String::new(),
                    count => format!(", and {count} more"),
                };
                (
                    true,
                    format!("others have rights on `{path}` ({}){others}", first.rights),
                )
            }
        },
        Err(error) => (true, format!("`{}`: {error}", folder.display())),
    };
    Some(Finding {
        what: "data folder",
        red: false,
        yellow,
        detail,
        advice: "keep documents and messages to their owner: `chmod -R go-rwx` on the data folder",
    })
}

fn chain(error: &anyhow::Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    covered(&causes.join(": ")).into_owned()
}
