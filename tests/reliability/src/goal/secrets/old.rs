//! Secrets in the configuration of the Python system: its credentials file, its variables.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;

use super::Search;
use super::maas::{Maas, tail};

/// A collector that this program does not have, with secrets beside it and in the credentials file.
fn collectors(search: &mut Search) -> String {
    let secret = search.canaries.of("old collector");
    let url = format!(
        "https://me:{}@host",
        search.canaries.encoded("URL of an old collector")
    );
    json!({
        "collectors": [{
            "class": "ODataCollectorConfiguration",
            "interface_name": "Readings",
            "id_field": "station",
            "routing_key": "new.raw.data.reading",
            "model": "Reading",
            "client_secret": secret,
            "odata_product_url": url,
            "extractor": {
                "class": "JSONExtractor",
                "args": { "attr_map": { "station": "`this`.Station" } },
            },
        }],
        "models": [{
            "index": "raw-data-reading",
            "name": "Reading",
            "fields": [{ "name": "station", "type": "Keyword" }],
        }],
    })
    .to_string()
}

fn credentials(search: &mut Search) -> String {
    let canaries = &mut search.canaries;
    let interface = json!({
        "name": "Readings",
        "client_password": canaries.of("credentials file"),
        "credentials": { "login": canaries.of("form in the credentials file") },
        "no_such_key": 3,
    });
    serde_json::to_string_pretty(&json!({ "interfaces": [interface, { "name": "nobody" }] }))
        .unwrap_or_default()
}

pub(super) async fn look(search: &mut Search, folder: &Path) -> Result<()> {
    let maas = Maas::new(&folder.join("whole"))?
        .set("ES_URL", "http://127.0.0.1:1")
        .set("ES_USERNAME", "me")
        .set(
            "ES_PASSWORD",
            search.canaries.of("password of Elasticsearch"),
        )
        .set("AMQP_URL", "amqp://127.0.0.1:1/")
        .set("AMQP_USERNAME", "me")
        .set("AMQP_PASSWORD", search.canaries.of("password of AMQP"));
    std::fs::create_dir_all(maas.folder.join("old"))?;
    maas.write("old/collectors.json", &collectors(search))?;
    maas.write("old/credentials.json", &credentials(search))?;
    let (out, evidence) = (folder.join("native"), &mut search.evidence);
    let native = out.display().to_string();
    for arguments in [
        &["check", "--legacy", "old"][..],
        &["check", "-o", "json", "--legacy", "old"],
        &["config", "show", "--legacy", "old"],
        &["graph", "--legacy", "old"],
        &["convert", "--out", &native, "--legacy", "old"],
        &["doctor", "--legacy", "old"],
        &["status", "--legacy", "old"],
        &["run", "--until-idle", "--legacy", "old"],
    ] {
        maas.run(evidence, arguments).await?;
    }
    let (_, shown) = maas
        .heard(evidence, &["config", "show", "--legacy", "old"])
        .await?;
    ensure!(
        shown.contains("pointer: /interfaces/0/client_password"),
        "no reference to the credentials file:\n{}",
        tail(&shown)
    );
    let address = search.canaries.encoded("URL of an old collector");
    search.evidence.add_translated(&out, &address)?;
    broken(search, &folder.join("broken")).await
}

/// A credentials file that ends in the middle of a secret.
async fn broken(search: &mut Search, folder: &Path) -> Result<()> {
    let maas = Maas::new(folder)?;
    std::fs::create_dir_all(maas.folder.join("old"))?;
    maas.write("old/collectors.json", &collectors(search))?;
    let secret = search.canaries.of("broken credentials file");
    for (name, text) in [
        (
            "cut",
            format!("{{\"interfaces\": [{{\"name\": \"Readings\", \"client_password\": \"{secret}"),
        ),
        (
            "comma",
            format!("{{\"interfaces\": [{{\"client_password\": \"{secret}\", }} ]}}"),
        ),
        (
            "nameless",
            format!("{{\"interfaces\": [{{\"client_password\": \"{secret}\"}}]}}"),
        ),
        (
            "list",
            format!(
                "{{\"interfaces\": [{{\"name\": \"Readings\", \"client_password\": [\"{secret}\"]}}]}}"
            ),
        ),
    ] {
        maas.write("old/credentials.json", &text)?;
        for arguments in [
            &["check", "--legacy", "old"][..],
            &["check", "-o", "json", "--legacy", "old"],
            &["config", "show", "--legacy", "old"],
        ] {
            let (code, said) = maas.heard(&mut search.evidence, arguments).await?;
            ensure!(code.is_some(), "{name}: {}", tail(&said));
        }
    }
    Ok(())
}
