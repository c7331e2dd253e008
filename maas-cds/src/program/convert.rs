//! `maas convert`: a configuration of the Python system as a native pipeline.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use maas_model::pipeline::{Converted, Pipeline, Severity};

use super::options::Connection;
use super::{Outcome, output};

/// Write the configuration of the Python system that `--legacy` names as a native pipeline.
///
/// One file per group of interfaces, one per pool, and the models. Prints what could not be translated and was
/// left out, with file and line; exit code 3 then.
#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// Folder of the new pipeline; made when it is missing. It must not have `.yaml` files yet.
    #[arg(long)]
    out: PathBuf,
}

impl Convert {
    pub(crate) fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        if connection.legacy.is_empty() {
            bail!("name the configuration of the Python system with `--legacy DIR`");
        }
        let converted =
            Pipeline::convert_legacy(&connection.legacy, &|name| std::env::var(name).ok());
        write(&self.out, &converted)?;
        let (errors, warnings): (Vec<_>, Vec<_>) = converted
            .problems
            .iter()
            .partition(|problem| problem.severity == Severity::Error);
        for problem in &errors {
            output::line(&format!("{problem}\n"))?;
        }
        for name in &converted.secrets {
            output::line(&format!("a secret is expected in `{name}`"))?;
        }
        output::line(&format!(
            "{} files written to `{}`; {} things could not be translated, {} warnings: `maas check --legacy` shows all",
            converted.files.len(),
            self.out.display(),
            errors.len(),
            warnings.len(),
        ))?;
        Ok(match errors.is_empty() {
            true => Outcome::Done,
            false => Outcome::Incomplete,
        })
    }
}

/// Writes the files into a folder without any of their kind: a left one would become part of the pipeline.
fn write(folder: &Path, converted: &Converted) -> anyhow::Result<()> {
    let shown = folder.display();
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{shown}`"))?;
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list `{shown}`"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            bail!(
                "`{}` is there already: name an empty folder",
                path.display()
            );
        }
    }
    for (name, text) in &converted.files {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}
