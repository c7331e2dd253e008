//! A real RabbitMQ node.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lapin::{Connection, ConnectionProperties};
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::process::{Process, Recipe};
use super::{free_port, wait_until};
use crate::certificate::Identity;

/// How a node is started.
#[derive(Debug, Clone, Default)]
pub struct RabbitMqOptions {
    /// Whether the HTTP interface is switched on; the node then needs a few seconds more.
    pub management: bool,
    /// Further lines of `rabbitmq.conf`: `("max_message_size", "1048576")`.
    pub settings: Vec<(String, String)>,
    /// A second port, with TLS.
    pub tls: Option<TlsPort>,
}

/// How a port with TLS is made.
#[derive(Debug, Clone)]
pub struct TlsPort {
    /// What the node shows.
    pub identity: Identity,
    /// Certificate of the authority whose clients alone it takes; without one it takes everybody.
    pub clients_of: Option<PathBuf>,
}

impl RabbitMqOptions {
    /// Adds a line of `rabbitmq.conf`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// One node with its own name, folder, ports, cookie and port mapper (`epmd`): it meets no other node
/// of the machine. Ports and folder stay the same over `kill` and `restart`.
#[derive(Debug)]
pub struct RabbitMq {
    process: Process,
    port: u16,
    management_port: Option<u16>,
    tls_port: Option<u16>,
    environment: Vec<(String, String)>,
}

impl RabbitMq {
    /// Starts a node and waits until it takes connections.
    pub async fn start() -> Result<Self> {
        Self::start_with(RabbitMqOptions::default()).await
    }

    /// Starts a node and waits until it takes connections.
    pub async fn start_with(options: RabbitMqOptions) -> Result<Self> {
        let program = tool("rabbitmq-server")?;
        let folder = tempfile::Builder::new()
            .prefix("maas-rabbitmq-")
            .tempdir()?;
        let port = free_port()?;
        let management_port = options.management.then(free_port).transpose()?;
        let tls_port = options.tls.is_some().then(free_port).transpose()?;
        let mut configuration = format!("listeners.tcp.1 = 127.0.0.1:{port}\n");
        if let (Some(tls), Some(port)) = (&options.tls, tls_port) {
            configuration += &tls.configuration(port);
        }
        configure(folder.path(), configuration, management_port, &options)?;
        let environment = environment(folder.path(), port)?;
        let recipe = Recipe {
            program: "sh".into(),
            // The port mapper belongs to the process group, so that it ends with the node.
            arguments: [
                "-c",
                "epmd -address 127.0.0.1 -port $ERL_EPMD_PORT & exec \"$0\"",
                &program.display().to_string(),
            ]
            .map(Into::into)
            .to_vec(),
            environment: environment
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        };
        let server = Self {
            process: Process::start(folder, recipe)?,
            port,
            management_port,
            tls_port,
            environment,
        };
        server.ready().await?;
        Ok(server)
    }

    /// Where it listens, with the default virtual host.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}", self.port)
    }

    /// Where it listens with TLS, reached by this name, when it was asked for.
    pub fn tls_url(&self, host: &str) -> Option<String> {
        self.tls_port
            .map(|port| format!("amqps://guest:guest@{host}:{port}"))
    }

    /// Where the HTTP interface listens, when it was asked for.
    pub fn management_url(&self) -> Option<String> {
        self.management_port
            .map(|port| format!("http://guest:guest@127.0.0.1:{port}"))
    }

    /// Makes a virtual host with a random name and tells its URL: a broker of one's own for one test.
    pub async fn virtual_host(&self) -> Result<String> {
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        // One call of the tool instead of two: it needs a second of CPU each time.
        self.control(&[
            "eval",
            &format!(
                "rabbit_vhost:add(<<\"{name}\">>, <<\"test\">>), \
                 rabbit_auth_backend_internal:set_permissions(<<\"guest\">>, <<\"{name}\">>, \
                 <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"test\">>)."
            ),
        ])
        .await?;
        Ok(format!("{}/{name}", self.url()))
    }

    /// The port of [`url`](Self::url).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs `rabbitmqctl` on the node and tells what it printed.
    pub async fn control(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(tool("rabbitmqctl")?)
            .arg("--quiet")
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .await?;
        ensure!(
            output.status.success(),
            "`rabbitmqctl {}` failed: {}{}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What the node wrote to its logs so far.
    pub fn log(&self) -> String {
        let files = std::fs::read_dir(self.process.folder().join("log"));
        let files = files.into_iter().flatten().flatten();
        let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        texts.collect::<String>() + &self.process.printed()
    }

    /// Ends the node by its own means.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop()
    }

    /// Kills the node; its folder stays.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Starts the node again on the same folder and ports, killing it before when it runs, and waits
    /// until it takes connections.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.start_again()?;
        self.ready().await
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
        let url = self.url();
        wait_until("RabbitMQ", Duration::from_secs(120), || async {
            match Connection::connect(&url, ConnectionProperties::default()).await {
                Ok(connection) => connection.close(200, "ready".into()).await.is_ok(),
                Err(_) => false,
            }
        })
        .await
        .with_context(|| self.process.last_words())
    }
}

/// The node that all tests of this process share; it ends with the process. Tests take virtual hosts
/// of their own.
pub async fn shared_rabbitmq() -> &'static RabbitMq {
    static SHARED: OnceCell<RabbitMq> = OnceCell::const_new();
    SHARED
        .get_or_init(|| async {
            match RabbitMq::start().await {
                Ok(server) => server,
                #[allow(clippy::panic)] // A test asked for a server; without it the test fails.
                Err(error) => panic!("{error:?}"),
            }
        })
        .await
}

impl TlsPort {
    fn configuration(&self, port: u16) -> String {
        let Identity { certificate, key } = &self.identity;
        let (certificate, key) = (certificate.display(), key.display());
        let mut lines = format!(
            "listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.certfile = {certificate}\n\
             ssl_options.keyfile = {key}\n"
        );
        if let Some(authority) = &self.clients_of {
            let authority = authority.display();
            lines += &format!(
                "ssl_options.cacertfile = {authority}\nssl_options.verify = verify_peer\n\
                 ssl_options.fail_if_no_peer_cert = true\n"
            );
        }
        lines
    }
}

/// The scripts themselves: those on the path of a Debian machine change to the user `rabbitmq`.
fn tool(name: &str) -> Result<PathBuf> {
    let path = Path::new("/usr/lib/rabbitmq/bin").join(name);
    if !path.exists() {
        bail!(
            "RabbitMQ is not installed (`{}`): run `tests/setup`",
            path.display()
        );
    }
    Ok(path)
}

fn configure(
    folder: &Path,
    mut configuration: String,
    management_port: Option<u16>,
    options: &RabbitMqOptions,
) -> Result<()> {
    let mut plugins = "[].\n";
    if let Some(port) = management_port {
        configuration += &format!("management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n");
        plugins = "[rabbitmq_management].\n";
    }
    for (name, value) in &options.settings {
        configuration += &format!("{name} = {value}\n");
    }
    std::fs::write(folder.join("rabbitmq.conf"), configuration)?;
    std::fs::write(folder.join("enabled_plugins"), plugins)?;
    Ok(())
}

fn environment(folder: &Path, port: u16) -> Result<Vec<(String, String)>> {
    let path = |name: &str| folder.join(name).display().to_string();
    let variables = [
        // The cookie is made in the home folder.
        ("HOME", path("")),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        ("ERL_EPMD_PORT", free_port()?.to_string()),
        ("RABBITMQ_NODENAME", format!("maas{port}@localhost")),
        ("RABBITMQ_NODE_PORT", port.to_string()),
        ("RABBITMQ_DIST_PORT", free_port()?.to_string()),
        ("RABBITMQ_MNESIA_BASE", path("data")),
        ("RABBITMQ_LOG_BASE", path("log")),
        ("RABBITMQ_PID_FILE", path("rabbitmq.pid")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled_plugins")),
        ("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf")),
        // Nothing of the machine's own node.
        ("RABBITMQ_CONF_ENV_FILE", path("none")),
        // Makes the script become the node, so that signals reach it.
        ("RABBITMQ_ALLOW_INPUT", "true".to_owned()),
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            // What a quorum queue tells of itself is by default up to 5 s old.
            "-noinput -kernel inet_dist_use_interface {127,0,0,1} -rabbit quorum_tick_interval 300"
                .to_owned(),
        ),
    ];
    Ok(variables
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec())
}
