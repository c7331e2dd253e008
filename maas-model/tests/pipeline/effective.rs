//! What is in effect: one file that is the same pipeline again, without a secret.

use maas_model::pipeline::Pipeline;
use serde_json::{Value, json};

use crate::correct::env;

fn effective(text: &str) -> Value {
    let (pipeline, _) = Pipeline::from_text("pipeline.yaml", text, &env).unwrap();
    pipeline.effective().into_json()
}

/// Read again, and shown again.
fn again(text: &str) -> Value {
    let (pipeline, _) = Pipeline::from_text("pipeline.yaml", text, &env).unwrap();
    let yaml = pipeline.effective().yaml("In effect.");
    // Nothing is taken from the environment a second time but what is secret.
    let again = Pipeline::from_text("effective.yaml", &yaml, &|_| Some("other".into()));
    let (pipeline, _) = again.map_err(|error| format!("{error}\n{yaml}")).unwrap();
    pipeline.effective().into_json()
}

#[test]
fn what_is_shown_is_the_same_pipeline() {
    let text = include_str!("complete.yaml");
    let shown = effective(text);
    assert_eq!(again(text), shown);
    let collect = &shown["interfaces"][0]["collect"]["probe"];
    assert_eq!(collect["password"], json!({ "env": "PRIP_PASSWORD" }));
    assert_eq!(collect["recursive"], true);
    let other = &shown["interfaces"][1]["collect"]["probe"];
    assert_eq!(other["password"], json!({ "file": "secrets/password" }));
    // A default of the plugin, and one of the language.
    assert_eq!(other["interval_seconds"], 0);
    assert_eq!(shown["pools"][0]["max_tries"], 10);
    let step = &shown["pools"][0]["queues"][0]["engines"][0];
    assert_eq!(step["ECHO"]["container_rk"], "new.container");
    assert_eq!(
        (&step["missing"], &step["report"]),
        (&json!("retry"), &json!(true))
    );
}

fn collect(settings: &str) -> Value {
    let text = format!(
        "interfaces:\n  - name: a\n    collect: {{ {settings} }}\n    announce: {{ files: new.a }}\noutside: {{ consumed: [new.a] }}\n"
    );
    assert_eq!(again(&text), effective(&text), "{settings}");
    effective(&text)["interfaces"][0]["collect"].clone()
}

#[test]
fn no_secret_is_shown() {
    for (settings, path, expected) in [
        (
            "probe: { paths: [x], password: hunter2 }",
            "/probe/password",
            json!("***"),
        ),
        (
            "probe: { paths: [x], password: 'Bearer ${PRIP_PASSWORD}' }",
            "/probe/password",
            json!("Bearer ${PRIP_PASSWORD}"),
        ),
        (
            "probe: { paths: [x], password: 'hunter2${PRIP_PASSWORD}' }",
            "/probe/password",
            json!("***"),
        ),
        (
            "probe: { paths: [x], password: '${NOT_SET:-hunter2}' }",
            "/probe/password",
            json!("***"),
        ),
        (
            "probe: { paths: ['https://me:hunter2@host/?api_key=hunter3&a=1'] }",
            "/probe/paths/0",
            json!("https://me:***@host/?api_key=***&a=1"),
        ),
        // A collector that this program does not have: known by their names.
        (
            "sftp: { host: h, password: hunter2 }",
            "/sftp/password",
            json!("***"),
        ),
        (
            "sftp: { host: h, login: { api_token: '${PRIP_PASSWORD}' } }",
            "/sftp/login/api_token",
            json!({ "env": "PRIP_PASSWORD" }),
        ),
    ] {
        let shown = collect(settings);
        assert_eq!(shown.pointer(path), Some(&expected), "{settings}");
        assert!(!shown.to_string().contains("hunter"), "{shown}");
    }
}

#[test]
fn what_looks_like_a_variable_is_none() {
    let shown = collect("probe: { paths: ['$${HOME}/$x', '^a{2}$'] }");
    assert_eq!(shown["probe"]["paths"], json!(["$${HOME}/$x", "^a{2}$"]));
}
