//! Secrets of a collector, in every form that a pipeline has for them.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Search;
use super::maas::{Maas, tail};

/// A pipeline with one interface; `lines` and `manners` are those of the collector `vault`.
pub(super) fn pipeline(search: &mut Search, lines: &str, manners: &str) -> String {
    let canaries = &mut search.canaries;
    format!(
        r#"
interfaces:
  - name: vault
    collect:
      vault:
        lines: [{lines}]
        url: "https://me:{user_info}@host/list?a=1&access_token={parameter}"
        password: {{ env: CANARY_ENV }}
        token: ${{CANARY_VARIABLE}}
        headers:
          literal: "{literal}"
          file: {{ file: secret.txt }}
          pointer: {{ file: secrets.json, pointer: /a/0/b }}
          bearer: "Bearer ${{CANARY_BEARER}}"
          default: "${{CANARY_NOT_SET:-{default}}}"
          account: "${{CANARY_USER}}:{around}"
        manners: {manners}
    extract: {{ csv: {{ fields: {{ id: id, value: value, harm: harm }}, convert: {{ value: int(value) }} }} }}
    store: {{ model: Item, id: id }}
    announce: {{ documents: new.item, chunk_size: 2 }}
models:
  Item:
    index: item
    raw: true
    fields: {{ id: keyword, value: long, harm: keyword, healthy: boolean }}
  Done:
    index: done
    fields: {{ value: long, healthy: boolean }}
pools:
  - name: harm
    concurrency: 1
    max_tries: 2
    engine_timeout_seconds: 5
    queues:
      - name: harm
        from: {{ collect-exchange: [new.item] }}
        engines:
          - HARM: {{ target_model: Done }}
outside:
  consumed: [new.done, update.done]
"#,
        user_info = canaries.encoded("user info of a URL"),
        parameter = canaries.encoded("parameter of a URL"),
        literal = canaries.of("text in the pipeline"),
        default = canaries.of("default of a variable"),
        around = canaries.of("text around a variable"),
    )
}

/// The files and variables that the pipeline names.
pub(super) fn surrounded(search: &mut Search, maas: Maas) -> Result<Maas> {
    let canaries = &mut search.canaries;
    maas.write("secret.txt", &(canaries.of("file") + "\n"))?;
    let many = serde_json::json!({"a": [{"b": canaries.of("place in a file")}]});
    maas.write("secrets.json", &many.to_string())?;
    Ok(maas
        .set("CANARY_ENV", canaries.of("environment"))
        .set("CANARY_VARIABLE", canaries.of("variable"))
        .set("CANARY_BEARER", canaries.of("token of a header"))
        .set("CANARY_USER", "me"))
}

/// Three good records, and one whose value is none.
const LINES: &str = r#""id,value,harm", "a,1,", "b,2,", "c,x,", "d,4,fail""#;

/// A run that goes well, all commands beside it, and runs of a collector that does not keep its secrets.
pub(super) async fn look(search: &mut Search, folder: &Path) -> Result<()> {
    let maas = surrounded(search, Maas::new(&folder.join("good"))?)?;
    let pipeline = maas.write("pipeline.yaml", &pipeline(search, LINES, "good"))?;
    let evidence = &mut search.evidence;
    let (code, _) = maas
        .serve(evidence, &["run", &pipeline, "--until-idle"])
        .await?;
    ensure!(code == Some(0), "the good run ended with {code:?}");
    let (_, dead) = maas
        .heard(evidence, &["dead", "list", "-o", "jsonl"])
        .await?;
    let letters: Vec<serde_json::Value> = dead
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &serde_json::Value| line.get("id").is_some())
        .collect();
    ensure!(
        letters.len() == 2,
        "2 dead letters are wanted:\n{}",
        tail(&dead)
    );
    for letter in &letters {
        let id = letter["id"].as_str().unwrap_or_default();
        maas.run(evidence, &["dead", "show", id]).await?;
    }
    let backup = folder.join("backup").display().to_string();
    for arguments in [
        &["check", &pipeline][..],
        &["check", &pipeline, "-o", "json"],
        &["config", "show", &pipeline],
        &["config", "show", &pipeline, "-o", "json"],
        &["graph", &pipeline],
        &["graph", &pipeline, "-f", "mermaid"],
        &["graph", &pipeline, "-f", "svg"],
        &["doctor", "-p", &pipeline],
        &["status", "-p", &pipeline],
        &["dead", "export"],
        &["queue", "list"],
        &["queue", "backup", "maas.dead.harm", &backup],
        &["query", "item"],
        &["export", "done"],
        &["collect", &pipeline, "--interface", "vault", "--once"],
    ] {
        maas.run(evidence, arguments).await?;
    }
    maas.left(evidence)?;
    evidence.add_folder(Path::new(&backup))?;
    for manners in ["careless", "panic"] {
        let maas = surrounded(search, Maas::new(&folder.join(manners))?)?;
        let text = self::pipeline(search, LINES, manners);
        let pipeline = maas.write("pipeline.yaml", &text)?;
        let evidence = &mut search.evidence;
        let (code, _) = maas
            .serve(evidence, &["run", &pipeline, "--until-idle"])
            .await?;
        ensure!(code == Some(1), "the {manners} run ended with {code:?}");
        maas.left(evidence)?;
    }
    Ok(())
}
