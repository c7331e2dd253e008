//! Secrets in pipelines that are refused: the line that is shown holds one.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Search;
use super::maas::{Maas, tail};

/// Each with `SECRET` in its place.
const WRONG: [(&str, &str); 15] = [
    ("key spelt wrong", "vault: { lines: [], pasword: SECRET }"),
    (
        "key spelt wrong in what is no YAML",
        "vault: vault: { lines: [], pasword: SECRET }",
    ),
    (
        "map in what is no YAML",
        "vault: vault: { lines: [], password: { evn: SECRET } }",
    ),
    (
        "key spelt wrong, behind a wrong number",
        "vault: { lines: [1], tokn: 'SECRET' }",
    ),
    (
        "list of secrets",
        "vault: { lines: [], password: [SECRET] }",
    ),
    (
        "map in place of a secret",
        "vault: { lines: [], password: { evn: SECRET } }",
    ),
    (
        "two keys",
        "vault: { lines: [], password: SECRET, password: SECRET }",
    ),
    (
        "text without its end",
        "vault: { lines: [], password: \"SECRET }",
    ),
    (
        "bracket without its end",
        "vault: { lines: [, password: SECRET",
    ),
    (
        "lines of text",
        "\n      vault:\n        lines: []\n        password: >\n          SECRET\n        : [}",
    ),
    (
        "address",
        "vault: { lines: 3, url: 'https://me:SECRET@host' }",
    ),
    (
        "parameter",
        "vault: { lines: 3, url: 'https://host/?api_key=SECRET' }",
    ),
    (
        "missing collector",
        "sftp: { host: x, password: SECRET, user: [ }",
    ),
    (
        "unknown collector",
        "vaults: { lines: [], password: SECRET }",
    ),
    (
        "default",
        "vault: { lines: 3, password: '${NOT_SET:-SECRET}' }",
    ),
];

/// Each way in which a pipeline is looked at.
pub(super) async fn look(search: &mut Search, folder: &Path) -> Result<()> {
    for (place, wrong) in WRONG {
        let secret = search.canaries.of(place);
        let maas = Maas::new(&folder.join(place.replace([' ', ','], "-")))?;
        let collect = wrong.replace("SECRET", &secret);
        let collect = match collect.starts_with('\n') {
            true => collect,
            false => format!("{{ {collect} }}"),
        };
        let text = format!("interfaces:\n  - name: a\n    collect: {collect}\n");
        let pipeline = maas.write("pipeline.yaml", &text)?;
        for arguments in [
            &["check", &pipeline][..],
            &["check", &pipeline, "-o", "json"],
            &["run", &pipeline],
            &["config", "show", &pipeline],
            &["doctor", "-p", &pipeline],
        ] {
            let (code, said) = maas.heard(&mut search.evidence, arguments).await?;
            ensure!(
                matches!(code, Some(1 | 2)),
                "`{place}` is not refused ({code:?}):\n{}",
                tail(&said)
            );
        }
    }
    options(search, &folder.join("options")).await
}

/// Secrets on the command line, where they are not wanted.
async fn options(search: &mut Search, folder: &Path) -> Result<()> {
    let maas = Maas::new(folder)?;
    let mut url =
        |scheme: &str, place| format!("{scheme}://me:{}@host", search.canaries.encoded(place));
    let wrong_store = url("ftp", "wrong address of the store");
    let wrong_bus = url("http", "wrong address of the bus");
    let surplus = url("https", "address in the wrong place");
    let port = url("amqp", "address with a wrong port") + ":99999";
    for arguments in [
        &["status", "--store", &wrong_store][..],
        &["status", "--bus", &wrong_bus],
        &["status", "--bus", &port],
        &["status", &surplus],
        &["run", "nowhere.yaml", "--metrics", &surplus],
    ] {
        let code = maas.run(&mut search.evidence, arguments).await?;
        ensure!(code == Some(2), "it ended with {code:?}");
    }
    let maas = maas
        .set("MAAS_STORE", wrong_store)
        .set("MAAS_BUS", wrong_bus);
    maas.run(&mut search.evidence, &["status"]).await?;
    Ok(())
}
