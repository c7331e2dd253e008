//! What a test file says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use maas_model::document::DocumentId;
use maas_model::message::{ExchangeName, RoutingKey};
use maas_model::pipeline::{Problem, YamlFile};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Named values: of a document, a record, a message or a dead letter.
pub(super) type Fields = Map<String, Value>;

/// Tests of one pipeline.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestFile {
    /// The pipeline, relative to this file. By default the folder in which `tests` is, or the folder of
    /// `test.yaml`.
    pub(super) pipeline: Option<PathBuf>,
    /// The time of all tests; 2024-01-01T00:00:00Z unless said otherwise. It stands still.
    #[schemars(with = "Option<String>")]
    pub(super) now: Option<DateTime<Utc>>,
    /// Environment variables of all tests. There are no others.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// What happens before each test, and is not judged.
    #[serde(default)]
    pub(super) given: Vec<Step>,
    /// The tests. Each starts with an empty store and empty queues.
    pub(super) tests: Vec<TestCase>,
}

/// One test.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestCase {
    /// What it shows.
    #[schemars(length(min = 1))]
    pub(super) name: String,
    /// The time of this test.
    #[schemars(with = "Option<String>")]
    pub(super) now: Option<DateTime<Utc>>,
    /// Environment variables, added to those of the file.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// The pools that work; all unless said otherwise.
    pub(super) pools: Option<Vec<String>>,
    /// What happens before, after what the file says, and is not judged.
    #[serde(default)]
    pub(super) given: Vec<Step>,
    /// What happens.
    #[serde(default)]
    pub(super) when: Vec<Step>,
    /// What comes of it.
    #[serde(default)]
    pub(super) expect: Expect,
}

/// One thing that happens: a file comes to an interface, a message to the exchange, documents to the store.
/// Afterwards the pools work until there is nothing left to do.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Step {
    /// The interface that takes `file` or `text`, or what its own collector finds when neither is given.
    pub(super) interface: Option<String>,
    /// A file, relative to this one.
    pub(super) file: Option<PathBuf>,
    /// The content of a file.
    pub(super) text: Option<String>,
    /// What the file of `text` is called; `input` unless said otherwise.
    pub(super) name: Option<String>,
    /// Documents that are put into the store as they are, by index. `_id` is the id.
    pub(super) documents: Option<IndexMap<String, Vec<Fields>>>,
    /// A message that is published.
    pub(super) message: Option<GivenMessage>,
    /// The time from here on.
    #[schemars(with = "Option<String>")]
    pub(super) now: Option<DateTime<Utc>>,
}

/// A message.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenMessage {
    /// Its key.
    #[schemars(with = "String")]
    pub(super) key: RoutingKey,
    /// Where to; by default the exchange from which a queue takes the key.
    #[schemars(with = "Option<String>")]
    pub(super) exchange: Option<ExchangeName>,
    /// The model of the documents.
    #[serde(default)]
    pub(super) document_class: String,
    /// The documents.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) document_ids: Vec<DocumentId>,
    /// Their indices.
    #[serde(default)]
    pub(super) document_indices: Vec<String>,
}

/// What is compared. What is not named is not looked at; but of dead letters there are none unless named, and
/// where messages are named there are no others.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expect {
    /// The records that each interface extracts, in order.
    pub(super) records: IndexMap<String, Listed>,
    /// The documents of each index or alias, in any order.
    pub(super) documents: IndexMap<String, Listed>,
    /// The messages of each routing key, in order. `{}`: there are none.
    pub(super) messages: Option<IndexMap<String, Listed>>,
    /// The dead letters, in order.
    pub(super) dead: Vec<Fields>,
}

/// All there are, or only how many. Of each the named fields are compared; null: the field is not there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Listed {
    /// How many.
    Count(usize),
    /// All of them.
    All(Vec<Fields>),
}

/// A test file that was read, and where its pipeline is.
pub(super) struct Tests {
    pub(super) path: PathBuf,
    pub(super) pipeline: PathBuf,
    pub(super) yaml: YamlFile<TestFile>,
}

impl Tests {
    /// Reads a test file. `pipeline` is the one it tests unless it names another.
    pub(super) fn read(path: &Path, pipeline: &Path) -> Result<Self, Vec<Problem>> {
        let yaml = YamlFile::<TestFile>::read(path).map_err(|error| error.problems)?;
        let problems = problems(&yaml);
        if !problems.is_empty() {
            return Err(problems);
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let pipeline = match &yaml.value().pipeline {
            Some(named) => folder.join(named),
            None => pipeline.to_owned(),
        };
        Ok(Self {
            path: path.to_owned(),
            pipeline,
            yaml,
        })
    }

    /// What a step's file is relative to.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

/// What the types allow and is wrong all the same.
fn problems(yaml: &YamlFile<TestFile>) -> Vec<Problem> {
    let file = yaml.value();
    let steps = steps(file);
    let mut problems: Vec<Problem> = steps
        .iter()
        .filter_map(|(path, step)| {
            let (message, hint) = step.problem()?;
            Some(yaml.problem(path, message, Some(hint.to_owned())))
        })
        .collect();
    let names: Vec<&str> = file.tests.iter().map(|test| test.name.as_str()).collect();
    for (number, name) in names.iter().enumerate() {
        if names[..number].contains(name) {
            let path = format!("tests[{number}].name");
            let message = format!("there are two tests `{name}`");
            problems.push(yaml.problem(&path, &message, None));
        }
    }
    problems
}

/// All steps with their paths.
fn steps(file: &TestFile) -> Vec<(String, &Step)> {
    let mut lists = vec![("given".to_owned(), &file.given)];
    for (number, test) in file.tests.iter().enumerate() {
        lists.push((format!("tests[{number}].given"), &test.given));
        lists.push((format!("tests[{number}].when"), &test.when));
    }
    let numbered = lists.into_iter().flat_map(|(path, list)| {
        let steps = list.iter().enumerate();
        steps.map(move |(number, step)| (format!("{path}[{number}]"), step))
    });
    numbered.collect()
}

impl Step {
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let kinds = [
            self.interface.is_some(),
            self.documents.is_some(),
            self.message.is_some(),
        ];
        let kinds = kinds.into_iter().filter(|given| *given).count();
        if kinds != 1 && !(kinds == 0 && self.now.is_some()) {
            return Some((
                "a step is one thing that happens",
                "one of `interface`, `documents`, `message`",
            ));
        }
        if self.interface.is_none()
            && (self.file.is_some() || self.text.is_some() || self.name.is_some())
        {
            return Some(("nobody takes the file", "say which with `interface`"));
        }
        if self.file.is_some() && (self.text.is_some() || self.name.is_some()) {
            return Some((
                "a file and a text at once",
                "`file`, or `text` with a `name`",
            ));
        }
        if self.name.is_some() && self.text.is_none() {
            return Some(("a name without content", "add `text`, or name a `file`"));
        }
        let id = |fields: &Fields| fields.get("_id").is_some_and(Value::is_string);
        let mut documents = self.documents.iter().flatten().flat_map(|(_, list)| list);
        if documents.any(|fields| !id(fields)) {
            return Some(("a document without id", "add `_id: TEXT` to each document"));
        }
        None
    }
}
