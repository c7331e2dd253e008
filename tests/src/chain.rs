//! The shipped chain, with ears: what a run of it left behind, and what it announced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::audit;
use crate::program::{Pair, printed, workspace};
use crate::sample::{Settings, generate};

/// A pipeline in a folder of its own, and the inbox it collects from.
#[derive(Debug)]
pub struct Chain {
    /// The folder of the pipeline.
    pub pipeline: PathBuf,
    /// Where its files come from.
    pub inbox: PathBuf,
}

/// What a chain left behind, without what differs from run to run.
#[derive(Debug, PartialEq)]
pub struct Traces {
    /// Documents by alias, then by index and id.
    pub documents: BTreeMap<String, audit::Documents>,
    /// What was announced: routing key, class, id. Without updates of documents: how many there are
    /// depends on how the work fell into messages.
    pub announced: BTreeSet<(String, String, String)>,
}

impl Chain {
    /// A copy of the shipped pipeline `name` below `folder`.
    pub fn copy(name: &str, folder: &Path) -> Result<Self> {
        let (pipeline, inbox) = (folder.join("pipeline"), folder.join("inbox"));
        copy_folder(&workspace().join("pipelines").join(name), &pipeline)?;
        std::fs::create_dir_all(&inbox)?;
        let exchanges = ["collect-exchange", "etl-exchange"];
        std::fs::write(pipeline.join("audit.yaml"), audit::ear(&exchanges))?;
        Ok(Self { pipeline, inbox })
    }

    /// Fills the inbox with a sample, and the pipeline's table with the datatakes that its products
    /// belong to.
    pub fn fill(&self, settings: &Settings) -> Result<()> {
        let sample = generate(settings);
        let table = self.pipeline.join("seed/datatakes.csv");
        std::fs::write(table, sample.datatake_table())?;
        for page in &sample.pages {
            std::fs::write(self.inbox.join(&page.file_name), &page.text)?;
        }
        Ok(())
    }

    /// The path of the pipeline as an argument.
    pub fn path(&self) -> &str {
        self.pipeline.to_str().unwrap_or_default()
    }

    /// Arguments that run all of it but the ear, until nothing is left to do.
    pub fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["run", self.path(), "--until-idle"];
        for part in ["collectors", "pool=consolidate", "pool=summary"] {
            arguments.extend(["--only", part]);
        }
        arguments
    }

    /// Runs all of it but the ear, until nothing is left to do.
    pub fn run(&self, pair: &Pair) -> Result<String> {
        printed(
            pair.command(&self.arguments())?
                .env("MAAS_INBOX", &self.inbox),
        )
    }

    /// What there is now; the ear is left as it is.
    pub async fn traces(&self, pair: &Pair, aliases: &[&str]) -> Result<Traces> {
        let mut documents = BTreeMap::new();
        for alias in aliases {
            let found = audit::documents(pair, alias, &self.inbox)?;
            documents.insert((*alias).to_owned(), found);
        }
        Ok(Traces {
            documents,
            announced: announced(pair).await?,
        })
    }
}

async fn announced(pair: &Pair) -> Result<BTreeSet<(String, String, String)>> {
    let heard = audit::heard(pair).await?.into_iter();
    Ok(heard
        .filter(|heard| !heard.key.starts_with("update.cds-"))
        .map(|heard| (heard.key, heard.class, heard.id))
        .collect())
}

/// Copies files and folders, one level after the other.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
