//! A real OpenSearch node.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::sync::OnceCell;

use super::process::{Process, Recipe};
use super::{free_port, wait_until};

/// Longest wait for an answer: a node without memory gives none.
const ANSWER: Duration = Duration::from_secs(120);

/// How a node is started.
#[derive(Debug, Clone)]
pub struct OpenSearchOptions {
    /// Size of the Java heap.
    pub heap_mebibytes: u32,
    /// Whether Java compiles for speed in the long run (benches) or for a quick start (tests).
    pub optimised: bool,
    /// Further settings of the node: `("thread_pool.write.queue_size", "10")`.
    pub settings: Vec<(String, String)>,
}

impl Default for OpenSearchOptions {
    fn default() -> Self {
        Self {
            heap_mebibytes: 512,
            optimised: false,
            settings: Vec::new(),
        }
    }
}

impl OpenSearchOptions {
    /// What throughput is measured with.
    pub fn bench() -> Self {
        Self {
            heap_mebibytes: 2048,
            optimised: true,
            settings: Vec::new(),
        }
    }

    /// Adds a setting of the node.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// One node, on ports and in a folder of its own; both stay the same over `kill` and `restart`.
#[derive(Debug)]
pub struct OpenSearch {
    process: Process,
    port: u16,
}

impl OpenSearch {
    /// Starts a small node and waits until it answers.
    pub async fn start() -> Result<Self> {
        Self::start_with(OpenSearchOptions::default()).await
    }

    /// Starts a node and waits until it answers.
    pub async fn start_with(options: OpenSearchOptions) -> Result<Self> {
        let home = home()?;
        let folder = tempfile::Builder::new()
            .prefix("maas-opensearch-")
            .tempdir()?;
        let port = free_port()?;
        let recipe = recipe(&home, folder.path(), port, &options)?;
        let server = Self {
            process: Process::start(folder, recipe)?,
            port,
        };
        server.ready().await?;
        Ok(server)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it answers to a GET: its own statistics, which no client of ours has touched.
    pub async fn json(&self, path: &str) -> Result<serde_json::Value> {
        self.ask(reqwest::Method::GET, path, None).await
    }

    /// What it answers to any request; an error when that is no success.
    pub async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Result<serde_json::Value> {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER);
        let mut request = client
            .build()?
            .request(method, format!("{}{path}", self.url()));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// Ends the node by its own means.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop()
    }

    /// Kills the node; its folder stays.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Starts the node again on the same folder and port, killing it before when it runs, and waits
    /// until it answers.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.start_again()?;
        self.ready().await
    }

    /// Starts the node again on the same folder and port with other options, killing it before when it runs,
    /// and waits until it takes requests: what it has to answer may not be ready.
    pub async fn begin_with(&mut self, options: OpenSearchOptions) -> Result<()> {
        self.process.kill()?;
        let recipe = recipe(&home()?, self.process.folder(), self.port, &options)?;
        self.process.start_as(recipe)?;
        self.answers("/").await
    }

    /// Lets the node keep its connections and answer nothing.
    pub fn freeze(&self) -> Result<()> {
        self.process.freeze()
    }

    /// Ends a [`freeze`](Self::freeze).
    pub fn thaw(&self) -> Result<()> {
        self.process.thaw()
    }

    /// The process group of the node while it runs, for measuring.
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    async fn ready(&self) -> Result<()> {
        self.answers("/_cluster/health?wait_for_status=yellow&timeout=4s")
            .await
    }

    /// Waits for a success.
    async fn answers(&self, path: &str) -> Result<()> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build()?;
        let url = format!("{}{path}", self.url());
        wait_until("OpenSearch", Duration::from_secs(120), || async {
            let answer = client.get(&url).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await
        .with_context(|| self.process.last_words())
    }
}

/// The node that all tests of this process share; it ends with the process. Tests take random index
/// names.
pub async fn shared_opensearch() -> &'static OpenSearch {
    static SHARED: OnceCell<OpenSearch> = OnceCell::const_new();
    SHARED
        .get_or_init(|| async {
            match OpenSearch::start().await {
                Ok(server) => server,
                #[allow(clippy::panic)] // A test asked for a server; without it the test fails.
                Err(error) => panic!("{error:?}"),
            }
        })
        .await
}

/// Where `tests/setup` put OpenSearch.
fn home() -> Result<PathBuf> {
    let servers = match std::env::var_os("MAAS_SERVERS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.servers"),
    };
    let home = servers.join("opensearch");
    ensure!(
        home.join("Launch.class").exists(),
        "OpenSearch is not installed in `{}`: run `tests/setup`",
        home.display()
    );
    Ok(home)
}

fn recipe(home: &Path, folder: &Path, port: u16, options: &OpenSearchOptions) -> Result<Recipe> {
    let heap = options.heap_mebibytes;
    let mut arguments = vec![
        format!("-Xms{heap}m"),
        format!("-Xmx{heap}m"),
        "-XX:+UseSerialGC".to_owned(),
    ];
    if !options.optimised {
        arguments.push("-XX:TieredStopAtLevel=1".to_owned());
    }
    arguments.extend([
        "-cp".to_owned(),
        format!("{0}:{0}/lib/*", home.display()),
        "Launch".to_owned(),
        folder.display().to_string(),
        port.to_string(),
        free_port()?.to_string(),
    ]);
    arguments.extend(
        options
            .settings
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    Ok(Recipe {
        program: "java".into(),
        arguments: arguments.into_iter().map(Into::into).collect(),
        environment: Vec::new(),
    })
}
