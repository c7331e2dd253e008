//! Secrets of the servers: right and wrong passwords, certificates that are refused, servers that are away or that
//! repeat what they were sent, and messages that are worked on by a process of their own.

use std::path::Path;

use anyhow::{Result, ensure};
use maas_tests::certificate::Authority;
use maas_tests::server::free_port;
use maas_tests::tls_front::TlsFront;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::maas::Maas;
use super::{Search, vault};
use crate::pair::Servers;

/// Ends its process, and then the one that works on it alone.
const LINES: &str = r#""id,value,harm", "a,1,", "b,2,abort", "c,x,""#;

/// How many processes the program started.
pub(super) async fn look(search: &mut Search, folder: &Path) -> Result<usize> {
    std::fs::create_dir_all(folder)?;
    let servers = Servers::start().await?;
    let children = good(search, &servers, &folder.join("good")).await?;
    bad(search, &servers, &folder.join("bad")).await?;
    Ok(children)
}

fn with_password(url: &str, password: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = rest.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://maas:{password}@{host}")
}

/// Right passwords, from the environment and from options, and a message that ends its process.
async fn good(search: &mut Search, servers: &Servers, folder: &Path) -> Result<usize> {
    let password = search.canaries.of("password of the bus");
    servers
        .bus
        .control(&["add_user", "maas", &password])
        .await?;
    let rights = ["set_permissions", "maas", ".*", ".*", ".*"];
    servers.bus.control(&rights).await?;
    let store = search.canaries.encoded("password of the store");
    let store = with_password(&servers.store.url(), &store);
    let bus = search.canaries.encoded("password of the bus");
    let bus = with_password(&servers.bus.url(), &bus) + "?heartbeat=5";

    let maas = vault::surrounded(search, Maas::new(folder)?)?;
    let text = vault::pipeline(search, LINES, "good");
    let pipeline = maas.write("pipeline.yaml", &text)?;
    let evidence = &mut search.evidence;
    // Said by options: the children must not repeat it.
    let run = [
        "run",
        &pipeline,
        "--until-idle",
        "--store",
        &store,
        "--bus",
        &bus,
    ];
    let (mut children, mut code) = (0, None);
    for _ in 0..5 {
        let (ended, started) = maas.serve(evidence, &run).await?;
        children += started;
        code = ended;
        if code == Some(0) {
            break;
        }
    }
    ensure!(code == Some(0), "the run ended with {code:?}");
    ensure!(
        children > 0,
        "no process was started for the message that ends its process"
    );
    let maas = maas.set("MAAS_STORE", store).set("MAAS_BUS", bus);
    let backup = folder.join("backup").display().to_string();
    for arguments in [
        &["config", "show", &pipeline][..],
        &["doctor", "-p", &pipeline],
        &["status", "-p", &pipeline],
        &["dead", "list", "-p", &pipeline],
        &["dead", "export", "-p", &pipeline],
        &["queue", "backup", "maas.dead.vault", &backup],
        &["run", &pipeline, "--until-idle"],
    ] {
        maas.run(evidence, arguments).await?;
    }
    evidence.add_folder(Path::new(&backup))?;
    Ok(children)
}

/// Everything that may be wrong with a server.
async fn bad(search: &mut Search, servers: &Servers, folder: &Path) -> Result<()> {
    let echo = Echo::start().await?;
    let authority = Authority::new(&made(folder.join("certificates"))?, "authority")?;
    let identity = authority.server("server", &["localhost"])?;
    let bus_front = TlsFront::start(&servers.bus.url(), &identity, &authority).await?;
    let store_front = TlsFront::start(&servers.store.url(), &identity, &authority).await?;
    let away = format!("127.0.0.1:{}", free_port()?);
    let canaries = &mut search.canaries;
    let mut account = |place| canaries.encoded(place);
    let (wrong, echoed) = (
        account("wrong password of the bus"),
        account("password that is repeated"),
    );
    let (lost_store, lost_bus) = (account("store that is away"), account("bus that is away"));
    let (tls_store, tls_bus) = (
        account("store that is not trusted"),
        account("bus that is not trusted"),
    );
    let refused = with_password(&servers.bus.url(), &wrong);
    let cases = [
        ("MAAS_BUS", refused),
        (
            "MAAS_STORE",
            format!("http://maas:{echoed}@{}", echo.address),
        ),
        ("MAAS_BUS", format!("amqp://maas:{echoed}@{}", echo.address)),
        ("MAAS_STORE", format!("http://maas:{lost_store}@{away}")),
        ("MAAS_BUS", format!("amqp://maas:{lost_bus}@{away}")),
        (
            "MAAS_STORE",
            format!("https://maas:{tls_store}@localhost:{}", store_front.port()),
        ),
        (
            "MAAS_BUS",
            format!("amqps://maas:{tls_bus}@localhost:{}", bus_front.port()),
        ),
        (
            "MAAS_BUS",
            format!(
                "amqps://maas:{tls_bus}@localhost:{}?certfile=/{tls_bus}",
                bus_front.port()
            ),
        ),
    ];
    for (variable, url) in cases {
        let maas = Maas::new(folder)?.set(variable, url);
        for command in ["status", "doctor"] {
            let code = maas.run(&mut search.evidence, &[command]).await?;
            ensure!(code == Some(1), "`{command}` ended with {code:?}");
        }
    }
    // A key that is none.
    let key = search.canaries.of("private key");
    let text = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
    let maas = Maas::new(folder)?;
    let key = maas.write("client.key", &text)?;
    let certificate = identity.certificate.display().to_string();
    let address = format!("localhost:{}", bus_front.port());
    for (option, url) in [
        ("--bus", format!("amqps://{address}")),
        ("--store", format!("https://{address}")),
    ] {
        let arguments = [
            "status",
            option,
            &url,
            "--client-cert-file",
            &certificate,
            "--client-key-file",
            &key,
        ];
        let code = maas.run(&mut search.evidence, &arguments).await?;
        ensure!(code == Some(1), "a broken key ended it with {code:?}");
    }
    Ok(())
}

fn made(folder: std::path::PathBuf) -> Result<std::path::PathBuf> {
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Refuses everything, and repeats what it was sent: as helpful as a server may be.
struct Echo {
    address: std::net::SocketAddr,
    listening: JoinHandle<()>,
}

impl Echo {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let listening = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = vec![0; 16_384];
                    let length = client.read(&mut request).await.unwrap_or_default();
                    let said = String::from_utf8_lossy(&request[..length]);
                    let body = serde_json::json!({
                        "error": { "type": "security_exception", "reason": format!("who is this: {said}") },
                        "status": 401,
                    });
                    let body = body.to_string();
                    let answer = format!(
                        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\
                         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = client.write_all(answer.as_bytes()).await;
                });
            }
        });
        Ok(Self { address, listening })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
