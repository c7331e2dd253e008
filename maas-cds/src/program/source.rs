//! What a pipeline is read from.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap::error::ErrorKind;
use maas_model::pipeline::{LoadError, Loaded, Pipeline};

use super::Maas;
use super::options::Connection;

/// What a pipeline is read from.
#[derive(Debug, Clone)]
pub(crate) enum PipelineSource {
    /// A YAML file, or a folder of them.
    Native(PathBuf),
    /// Files and folders of the Python system's configuration.
    Legacy(Vec<PathBuf>),
}

impl PipelineSource {
    /// What the options name, if they do. Both is a mistake that ends the program.
    pub(crate) fn named(pipeline: Option<&Path>, connection: &Connection) -> Option<Self> {
        match (pipeline, connection.legacy.as_slice()) {
            (Some(_), [_, ..]) => wrong(
                ErrorKind::ArgumentConflict,
                "name either a pipeline or `--legacy`; `MAAS_PIPELINE` and `MAAS_LEGACY` count too",
            ),
            (Some(path), []) => Some(Self::Native(path.to_owned())),
            (None, paths @ [_, ..]) => Some(Self::Legacy(paths.to_vec())),
            (None, []) => None,
        }
    }

    /// What the options name, without which the program ends.
    pub(crate) fn required(pipeline: Option<&Path>, connection: &Connection) -> Self {
        Self::named(pipeline, connection).unwrap_or_else(|| {
            wrong(
                ErrorKind::MissingRequiredArgument,
                "name the pipeline, a file or a folder; or `--legacy DIR`",
            )
        })
    }

    /// Reads it, with the variables of the environment.
    pub(crate) fn load(&self) -> Result<Loaded, LoadError> {
        let env = |name: &str| std::env::var(name).ok();
        match self {
            Self::Native(path) => Pipeline::load(path, &env),
            Self::Legacy(paths) => Pipeline::load_legacy(paths, &env),
        }
    }
}

/// Ends the program because an option has a value that cannot be.
pub(crate) fn wrong_value(message: &str) -> ! {
    wrong(ErrorKind::ValueValidation, message)
}

/// Ends the program as for any wrong option.
fn wrong(kind: ErrorKind, message: &str) -> ! {
    Maas::command().error(kind, message).exit()
}

impl fmt::Display for PipelineSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native(path) => path.display().fmt(f),
            Self::Legacy(paths) => {
                for (number, path) in paths.iter().enumerate() {
                    let blank = if number > 0 { " " } else { "" };
                    write!(f, "{blank}{}", path.display())?;
                }
                Ok(())
            }
        }
    }
}
