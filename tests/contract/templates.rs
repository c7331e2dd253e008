//! What OpenSearch makes of generated templates, and of those of the original.

use std::path::{Path, PathBuf};

use maas_model::model::{Model, Models};
use maas_model::pipeline::Pipeline;
use maas_tests::server::shared_opensearch;
use serde_json::{Value, json};

/// The configuration of the original. `None`, said on the terminal, where it is not at hand; on the build
/// server it must be.
fn original() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/original");
    let folder = std::env::var_os("MAAS_ORIGINAL");
    let folder = folder.map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.exists() {
        return Some(folder);
    }
    let shown = folder.display();
    let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(
        !ci,
        "no configuration of the original at `{shown}`; set MAAS_ORIGINAL"
    );
    println!("no configuration of the original at `{shown}`, nothing was tested");
    None
}

fn models(paths: &[PathBuf]) -> Models {
    let loaded = Pipeline::load_legacy(paths, &|_| None);
    loaded.unwrap_or_else(|error| panic!("{error}")).0.models
}

/// The files of models below a folder of collectors: they need no plugin to be read.
fn model_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            model_files(&path, found);
        } else if path.to_string_lossy().contains("model-") {
            found.push(path);
        }
    }
}

struct Node {
    url: String,
    client: reqwest::Client,
}

impl Node {
    async fn ask(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Value {
        let mut request = self.client.request(method, format!("{}/{path}", self.url));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    /// Mappings and settings of an index made with the template, which is taken away again.
    async fn index_of(&self, name: &str, template: &Value) -> Value {
        use reqwest::Method;
        let mut template = template.clone();
        // Two templates of one alias side by side: each for an index of its own.
        template["index_patterns"] = json!([name]);
        template["aliases"] = json!({});
        let (template_path, index) = (format!("_template/{name}"), name);
        self.ask(Method::PUT, &template_path, Some(&template)).await;
        self.ask(Method::PUT, index, None).await;
        let mut made = self.ask(Method::GET, index, None).await[index].take();
        self.ask(Method::DELETE, index, None).await;
        self.ask(Method::DELETE, &template_path, None).await;
        let settings = made["settings"]["index"].as_object_mut().unwrap();
        for own in ["creation_date", "provided_name", "uuid", "version"] {
            settings.shift_remove(own);
        }
        // For people and programs that read templates; the index does not obey it.
        made["mappings"]
            .as_object_mut()
            .unwrap()
            .shift_remove("_meta");
        made
    }
}

async fn node() -> Node {
    let server = shared_opensearch().await;
    Node {
        url: server.url().trim_end_matches('/').to_owned(),
        client: reqwest::Client::new(),
    }
}

fn by_index<'m>(models: &'m Models, index: &str) -> &'m Model {
    let found = models.values().find(|model| model.alias.as_str() == index);
    found.unwrap_or_else(|| panic!("no model of `{index}`"))
}

#[tokio::test]
async fn generated_templates_make_the_indices_of_the_original() {
    let Some(original) = original() else {
        return;
    };
    let folder = original.join("templates");
    let models = models(std::slice::from_ref(&folder));
    let node = node().await;
    let (mut passed, mut failed) = (0, 0);
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let index = name.strip_suffix("_template.json").unwrap();
        let theirs: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let model = by_index(&models, index);
        let ours = model.template();
        let one = node.index_of(&format!("ours-{index}"), &ours).await;
        let other = node.index_of(&format!("theirs-{index}"), &theirs).await;
        // Documents without partition go to an index with the name of the alias.
        let alias = model.partition.is_none() || ours["aliases"] == theirs["aliases"];
        if one == other && alias {
            passed += 1;
        } else {
            failed += 1;
            println!("{index}: {one}, not {other}");
        }
    }
    println!("{passed} passed, {failed} failed");
    assert!(passed > 0 && failed == 0);
}

#[tokio::test]
async fn templates_of_collector_models_are_taken() {
    let Some(original) = original() else {
        return;
    };
    let mut files = Vec::new();
    model_files(&original.join("collector"), &mut files);
    let models = models(&files);
    let node = node().await;
    for model in models.values() {
        let name = format!("collected-{}", model.alias);
        let made = node.index_of(&name, &model.template()).await;
        assert_eq!(made["mappings"], model.mapping(), "{}", model.name);
    }
    println!("{} passed, 0 failed", models.len());
    assert!(!models.is_empty());
}
