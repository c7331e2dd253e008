//! The program under test with everything said to it by its environment, and all it says kept.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use maas_tests::server::free_port;

use super::evidence::{Evidence, Watch};
use crate::program::{Running, under_test};

/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(180);

/// A folder with a pipeline, and what the program is told.
pub(super) struct Maas {
    pub(super) folder: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Maas {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            environment: vec![
                ("MAAS_LOG", "trace".to_owned()),
                ("RUST_LOG", "trace".to_owned()),
                ("MAAS_DATA_DIR", folder.join("data").display().to_string()),
            ],
        })
    }

    pub(super) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<String> {
        let path = self.folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(under_test()?);
        command.args(arguments).current_dir(&self.folder);
        for name in ["MAAS_STORE", "MAAS_BUS", "MAAS_PIPELINE", "MAAS_LEGACY"] {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Runs it to its end, and keeps what it says; its exit code.
    pub(super) async fn run(
        &self,
        evidence: &mut Evidence,
        arguments: &[&str],
    ) -> Result<Option<i32>> {
        Ok(self.heard(evidence, arguments).await?.0)
    }

    /// The same with what it said.
    pub(super) async fn heard(
        &self,
        evidence: &mut Evidence,
        arguments: &[&str],
    ) -> Result<(Option<i32>, String)> {
        let mut run = Running::start(&mut self.command(arguments)?)?;
        let status = run.wait(LIMIT).await?;
        let said = run.said();
        evidence.add(self.named(arguments), said.clone());
        Ok((status.code(), said))
    }

    /// Runs a pipeline until nothing is left to do, looks at its port all the while, and at the arguments of the
    /// processes that it starts; how many those were.
    pub(super) async fn serve(
        &self,
        evidence: &mut Evidence,
        arguments: &[&str],
    ) -> Result<(Option<i32>, usize)> {
        let port = free_port()?;
        let metrics = format!("--metrics={port}");
        let arguments = [arguments, &[metrics.as_str()]].concat();
        let watch = Watch::start(under_test()?);
        let mut run = Running::start(&mut self.command(&arguments)?)?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build()?;
        let started = std::time::Instant::now();
        let status = loop {
            if let Some(status) = run.ended()? {
                break status;
            }
            ensure!(
                started.elapsed() < LIMIT,
                "it did not end:\n{}",
                tail(&run.said())
            );
            for page in ["metrics", "ready", "live"] {
                let url = format!("http://127.0.0.1:{port}/{page}");
                // It may not listen yet, or any more.
                if let Ok(answer) = client.get(url).send().await {
                    evidence.add(format!("/{page}"), answer.text().await.unwrap_or_default());
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        evidence.add(self.named(&arguments), run.said());
        let children = watch.arguments();
        for child in &children {
            evidence.add("the arguments of a process", child.clone());
        }
        Ok((status.code(), children.len()))
    }

    /// What the program leaves behind.
    pub(super) fn left(&self, evidence: &mut Evidence) -> Result<()> {
        evidence
            .add_folder(&self.folder.join("data"))
            .context("what it left behind")
    }

    fn named(&self, arguments: &[&str]) -> String {
        let folder = self.folder.file_name().unwrap_or_default();
        format!("`{}` of {}", arguments.join(" "), folder.to_string_lossy())
    }
}

/// The end of what was said at trace level.
pub(super) fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
